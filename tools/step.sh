#!/bin/sh
# A step of the set-up: one line, with a dot every five seconds that it takes. What the command
# prints is shown only if it fails.
#
#   tools/step.sh "what it does" command argument...
what=$1
shift
output=$(mktemp) || exit 1
began=$(date +%s)
printf '%s ' "$what"
"$@" >"$output" 2>&1 &
command=$!
while sleep 5 >/dev/null 2>&1; do printf '.'; done &
dots=$!
trap 'kill "$command" "$dots" 2>/dev/null; rm -f "$output"; echo; exit 130' INT TERM
wait "$command"
status=$?
kill "$dots" 2>/dev/null
wait "$dots" 2>/dev/null
if [ "$status" -eq 0 ]; then
  echo "$(($(date +%s) - began)) s"
else
  echo "failed:"
  cat "$output"
fi
rm -f "$output"
exit "$status"
