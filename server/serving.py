"""Listens on an address of our own choosing, so that a port in use is a sentence and not a stack trace."""

import asyncio
import errno
import logging
import math
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from app.contract.errors import UserFacing
from server import connections

TICKS = 10
ENDING_S = 1.0
"""As ``connections.STALLED_S``, once the server ends."""
LAST_S = 5.0
"""From then on nobody is waited for who takes the end of an answer in drips."""


def listen(host: str, port: int) -> socket.socket:
    """Bind ``host:port`` (0 takes a free port); raises ``UserFacing``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off (40 ms an answer) only on sockets that say that they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UserFacing(
                f"Port {port} on {host} is in use by another program.",
                advice="End that program, or take another port with --port.",
                code="E-PORT-TAKEN",
            ) from error
        raise UserFacing(
            f"The server can't listen on {host}:{port} ({error.strerror}).",
            advice="Check --host and --port.",
            code="E-LISTEN",
        ) from error
    return listener


class Server(uvicorn.Server):
    """Calls ``ending``, in the event loop, before it waits for the answers that are under way.

    Waits for nobody who does not take the end of an answer; only an answer that goes on is waited for.
    """

    def __init__(self, config: uvicorn.Config, ending: Callable[[], None]) -> None:
        config.http = connections.Connection
        super().__init__(config)
        self._ending = ending
        self._closing = connections.Closing()

    async def on_tick(self, counter: int) -> bool:
        """Do what is to be done ten times a second; return whether to end."""
        if counter % TICKS == 0:
            self._look(connections.STALLED_S)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; answers without end would hold this up, and so would who does not read."""
        self._ending()
        hurrying = asyncio.create_task(self._hurry())
        try:
            await super().shutdown(sockets)
        finally:
            hurrying.cancel()

    async def _hurry(self) -> None:
        until_s = asyncio.get_running_loop().time() + LAST_S
        while True:
            self._look(ENDING_S, until_s=until_s)
            await asyncio.sleep(ENDING_S / TICKS)

    def _look(self, patience_s: float, *, until_s: float = math.inf) -> None:
        now_s = asyncio.get_running_loop().time()
        self._closing.look(self.server_state.connections, now_s, patience_s, until_s=until_s)


def serve(app: ASGIApp, listener: socket.socket, *, ending: Callable[[], None] = lambda: None) -> None:
    """Serve until the process is told to end; then call ``ending`` first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # No access log: it would hold addresses of people, and tickets.
    config = uvicorn.Config(app, access_log=False, log_config=None, server_header=False, timeout_graceful_shutdown=10)
    Server(config, ending).run(sockets=[listener])
