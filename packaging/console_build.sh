#!/bin/sh
# Build the examiner's console into server/console/dist.
set -eu
cd "$(dirname "$0")/../server/console"

newest=$(find src index.html package-lock.json vite.config.ts tsconfig.json -newer dist/index.html 2>/dev/null | head -n 1 || true)
[ -f dist/index.html ] && [ -z "$newest" ] && exit 0

. ../../packaging/node.sh
echo "Building the console"
npm ci --no-audit --no-fund --loglevel=error
npm run --silent build
