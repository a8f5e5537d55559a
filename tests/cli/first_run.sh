#!/bin/sh
# scripts/run, as a new user starts it: with no seat key it uses the demo upstream, says so, and ends with a first
# completion and what it cost.
set -eu
cd "$(dirname "$0")/../.."
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
out="$home/out"
if ! env -u NEMOROUTER_API_KEY HOME="$home" XDG_DATA_HOME="$home/data" XDG_CONFIG_HOME="$home/config" \
  ./scripts/run --once >"$out" 2>&1; then
  cat "$out"
  echo "scripts/run failed"
  exit 1
fi
for wanted in "offline demo upstream" '"object":"chat.completion"' 'cost: \$0\.0' 'answered by gemini-2.5-flash at demo'; do
  if ! grep -q "$wanted" "$out"; then
    cat "$out"
    echo "scripts/run did not say: $wanted"
    exit 1
  fi
done
echo "scripts/run ends with a first completion and its cost"
