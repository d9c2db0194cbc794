#!/bin/sh
# Run the console's own tests: the same vectors as the Python verifier.
set -eu
cd "$(dirname "$0")/../server/console"

. ../../packaging/node.sh
[ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error
npm test --silent
