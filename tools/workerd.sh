#!/bin/sh
# workerd, with the Pyodide bundle that tools/pyodide-bundle.mjs has made: what
# MINIFLARE_WORKERD_PATH names, for wrangler and Miniflare alike.

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-64 ;;
  Linux-aarch64) platform=linux-arm64 ;;
  Darwin-x86_64) platform=darwin-64 ;;
  Darwin-arm64) platform=darwin-arm64 ;;
  *)
    echo "workerd has no build for $(uname -s) on $(uname -m)" >&2
    exit 1
    ;;
esac

# `exec`: Miniflare talks to workerd over inherited descriptors and ends it by signal.
exec "$root/node_modules/@cloudflare/workerd-$platform/bin/workerd" "$@" \
  "--pyodide-bundle-disk-cache-dir=$root/.cache/pyodide-bundle"
