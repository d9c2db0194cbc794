"""The command line of the server: ``fairlock-server init | serve | export | retain | demo-exam``."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from app.contract.errors import FairlockError, UserFacing
from server import demo_exam, setup
from server.app import create_app, open_context
from server.context import SESSION_BYTES
from server.exams import export
from server.exams.retention import Keeper, due, erase_due
from server.refused import Refused
from server.serving import listen, serve

GIB = 1024**3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code (2 when something must be put right first)."""
    options = _parser().parse_args(arguments)
    # Keys, database and evidence are for the server's own user alone.
    before = os.umask(0o077)
    run: Callable[[argparse.Namespace], None] = options.run
    try:
        run(options)
    except FairlockError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    finally:
        os.umask(before)
    return 0


def _init(options: argparse.Namespace) -> None:
    try:
        password = options.password_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserFacing(
            f"The password file can't be read ({error}).", advice="Check --password-file.", code="E-PASSWORD"
        ) from error
    new = setup.prepare(options.data, admin=options.admin, password=password, settings_file=options.settings)
    _say(f"{options.data} is ready; " + (f"account {options.admin} made." if new else "the account was there already."))


def _serve(options: argparse.Namespace) -> None:
    if not options.data.is_dir():
        raise UserFacing(
            f"There is no folder {options.data}.", advice="Run `fairlock-server init` first.", code="E-DATA-FOLDER"
        )
    setup.check_writable(options.data)
    with listen(options.host, options.port) as listener:
        address = f"http://{options.host}:{listener.getsockname()[1]}"
        context = open_context(
            options.data, public_url=options.public_url or address, session_bytes=int(options.session_limit * GIB)
        )
        keeper = Keeper(context)
        try:
            keeper.start()
            _say(f"Fairlock server at {address}; console at {context.public_url}/console/")
            serve(create_app(context), listener, ending=context.live.hub.close)
        finally:
            keeper.stop()
            context.database.close()


def _retain(options: argparse.Namespace) -> None:
    context = open_context(options.data, public_url="http://127.0.0.1")
    try:
        if options.dry_run:
            for one in due(context):
                _say(f"{one.session} of {one.exam}")
            return
        for token in erase_due(context):
            _say(token)
    finally:
        context.database.close()


def _export(options: argparse.Namespace) -> None:
    context = open_context(options.data, public_url="http://127.0.0.1")
    try:
        count = export.write(context, options.session, options.to)
    except Refused as error:
        raise UserFacing(
            f"There is no session {options.session} in {options.data}.",
            advice="Copy the session's id from the console, and check --data.",
            code=error.code,
        ) from error
    finally:
        context.database.close()
    _say(f"{count} segments and the manifest are in {options.to}.")


def _demo_exam(options: argparse.Namespace) -> None:
    with listen("127.0.0.1", options.port) as listener:
        _say(f"Demo exam at http://127.0.0.1:{listener.getsockname()[1]}/ behind the gate at {options.gate}")
        serve(demo_exam.create_app(gate=options.gate, rehearse_s=options.rehearse), listener)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fairlock-server", description="The institution's server of Fairlock.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    init = commands.add_parser("init", help="make the data folder, the keys and the first account")
    init.add_argument("--data", type=Path, required=True, help="folder for everything that the server stores")
    init.add_argument("--admin", required=True, metavar="NAME", help="name of the first administrator")
    init.add_argument("--password-file", type=Path, required=True, help="file whose text is the password")
    where = "server.toml that names a PostgreSQL database or an S3 store (docs/server.md)"
    init.add_argument("--settings", type=Path, metavar="FILE", help=where)
    init.set_defaults(run=_init)

    serve_ = commands.add_parser("serve", help="run the server")
    serve_.add_argument("--data", type=Path, required=True, help="folder that `init` made")
    serve_.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve_.add_argument("--port", type=int, default=8443, help="port; 0 takes a free one (default: %(default)s)")
    serve_.add_argument("--public-url", help="address that candidates and examiners use")
    limit = "GiB that one session may store (default: %(default)g)"
    serve_.add_argument("--session-limit", type=float, default=SESSION_BYTES / GIB, metavar="GIB", help=limit)
    serve_.set_defaults(run=_serve)

    export_ = commands.add_parser("export", help="write a session's evidence to a folder or a zip archive")
    export_.add_argument("--data", type=Path, required=True, help="the server's data folder")
    export_.add_argument("session", help="session id")
    export_.add_argument("--to", type=Path, required=True, help="folder, or archive when it ends in .zip")
    export_.set_defaults(run=_export)

    retain = commands.add_parser("retain", help="delete the sessions whose time is over; `serve` does it every hour")
    retain.add_argument("--data", type=Path, required=True, help="the server's data folder")
    retain.add_argument("--dry-run", action="store_true", help="only list them")
    retain.set_defaults(run=_retain)

    demo = commands.add_parser("demo-exam", help="run a small exam site behind the gate")
    demo.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    demo.add_argument("--gate", required=True, metavar="URL", help="address of the Fairlock server")
    demo.add_argument("--rehearse", type=int, metavar="SECONDS", help="the page answers and submits by itself")
    demo.set_defaults(run=_demo_exam)
    return parser


if __name__ == "__main__":
    sys.exit(main())
