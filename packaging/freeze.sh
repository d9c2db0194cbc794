#!/bin/sh
# Freeze the client for this system, then run the headless demo from what was frozen: processes, paths and models must
# work there too. The server is not part of the client; the demo is told where to find one.
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
echo "Freezing the client"
.venv/bin/pyinstaller --noconfirm --log-level ERROR --distpath dist --workpath build/pyinstaller packaging/fairlock.spec
du -sh dist/fairlock | awk '{print "dist/fairlock: " $1}'

echo "Running the headless demo from it"
mkdir -p out
FAIRLOCK_SERVER_COMMAND="$PWD/.venv/bin/python
-m
server" dist/fairlock/fairlock demo --headless --seconds "${DEMO_SECONDS:-20}" --report out/package.json
