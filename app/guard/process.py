"""The guard's process: orders come in over the channel and are done in the main thread, one after another.

It is the dead man's switch. When the channel closes for whatever reason (the shell crashed, was killed, or ended),
every change is undone and the process ends. An order that fails ends it too: the shell notices and starts another,
which is better than a guard that does not answer. Ctrl+C at the terminal is ignored, SIGTERM answered the same way.
Should this process itself be killed, the last hand that it started undoes its changes (``app.guard.last_hand``).
"""

import logging
import multiprocessing
import secrets
import signal
import threading
from contextlib import ExitStack
from multiprocessing.connection import Connection

from app.channel import Channel
from app.clock import SystemClock
from app.guard.duty import Duty
from app.guard.last_hand import LastHand
from app.guard.options import GuardOptions
from app.mailbox import Bounded, Closed
from app.messages import CloseProcesses, Engage, Examine, Release
from lockdown import select
from lockdown.restore import RestoreFile

INBOX = 64
SIGNAL_CHECK_S = 0.25

_log = logging.getLogger("fairlock.guard")


class _Ending:
    """Whether it is time to go: the shell is gone, or somebody asked this process to end."""

    def __init__(self) -> None:
        self.shell_is_gone = threading.Event()
        # A plain attribute: a signal handler must not touch a lock that the interrupted code may hold.
        self.signalled = False

    def __call__(self) -> bool:
        return self.signalled or self.shell_is_gone.is_set()


def main(connection: "Connection[bytes, bytes]", options: GuardOptions) -> None:
    """Run the guard until the other end of ``connection`` is gone; then undo everything and return."""
    ending = _Ending()
    _hear_signals(ending)
    inbox: Bounded[object] = Bounded(INBOX)
    channel = Channel(connection, "guard-channel")
    restore = RestoreFile(options.restore_file, holder=secrets.token_hex(8))
    hand = LastHand(restore, ending)
    duty = Duty(
        restore,
        table=select.process_table(restore.run),
        clock=SystemClock(),
        run=restore.run,
        own_root=options.own_root or _parent(),
        send=channel.send,
        cancelled=ending,
    )

    def shell_is_gone() -> None:
        ending.shell_is_gone.set()
        inbox.close()

    # First of all, so that the shell hears a heartbeat while the leftovers of an earlier run are undone.
    channel.start(lambda message: _put(inbox, message), shell_is_gone)
    with ExitStack() as turns:  # the last one first
        turns.callback(hand.close)
        turns.callback(channel.close)
        turns.callback(duty.release)
        hand.start()
        duty.undo_leftovers()
        _serve(inbox, duty, hand, ending)


def _serve(inbox: Bounded[object], duty: Duty, hand: LastHand, ending: _Ending) -> None:
    while not ending():
        try:
            order = inbox.take(SIGNAL_CHECK_S)
        except Closed:
            return
        hand.keep()
        duty.look_after()
        _do(order, duty, hand)


def _do(order: object, duty: Duty, hand: LastHand) -> None:
    match order:
        case Examine():
            duty.examine(order)
        case CloseProcesses():
            duty.close_processes(order)
        case Engage():
            hand.wait()
            duty.engage(order)
        case Release():
            duty.release()
        case None:
            pass
        case _:
            _log.error("%s is not an order for the guard", type(order).__name__)


def _put(inbox: Bounded[object], message: object) -> None:
    if not inbox.offer(message):
        _log.error("too many orders; %s is lost", type(message).__name__)


def _hear_signals(ending: _Ending) -> None:
    """Ctrl+C at the terminal and its end are the shell's to answer; "terminate" means: undo, then go."""

    def on_terminate(_number: int, _frame: object) -> None:
        ending.signalled = True

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, on_terminate)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _parent() -> int:
    parent = multiprocessing.parent_process()
    return parent.pid or 0 if parent is not None else 0
