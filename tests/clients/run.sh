#!/bin/sh
# The quick client tests: SDKs of every API and Continue's agent against a real daemon.
# usage: run.sh [--big | FILE]      --big: opencode, Claude Code and Codex instead (several hundred megabytes); FILE: that one only
# Skipped, and said so, only when npm's registry cannot be reached.
set -eu

cd "$(dirname "$0")"
only=""
case ${1:-} in
  --big) cd big ;;
  *) only=${1:-} ;;
esac

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "client tests: node and npm are needed (Debian: apt-get install nodejs npm)" >&2
  exit 1
fi

# node_modules is kept between runs; a changed lock file replaces it.
if ! cmp -s package-lock.json node_modules/.locked; then
  if ! npm ping >/dev/null 2>&1; then
    echo "client tests SKIPPED in $PWD: npm's registry cannot be reached and the packages are not installed"
    exit 77  # skipped
  fi
  # npm refuses a lock file that lacks packages for other systems, which a registry need not have; what is locked stays.
  npm ci --no-audit --no-fund --loglevel=error 2>/dev/null || npm install --no-save --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.locked
fi

# One file after the other: the clients start whole daemons, and some of them are heavy.
for file in ./${only:-*.test.mjs}; do
  node --test --test-concurrency=1 "$file"
done
