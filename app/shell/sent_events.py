"""Keys and clicks that another program sent straight to our window (``XSendEvent``): told by a bit of the event.

They never pass the X server's input devices, so the guard's watch of injected input does not see them. Only the first
byte of an event is looked at; which key it is stands in another. GUI thread.
"""

from typing import Any

import shiboken6

XCB_EVENT = b"xcb_generic_event_t"
_SENT = 0x80  # bit of the type: the event was made by a program (X protocol, chapter "Events")
_INPUT = {2: "keys", 3: "keys", 4: "clicks", 5: "clicks", 6: "movements"}


def first_byte(address: int) -> int:
    """Return the byte at ``address``, which Qt hands to ``QWidget.nativeEvent``."""
    pointer: Any = shiboken6.VoidPtr  # the stub knows no arguments
    return int(pointer(int(address), 1).toBytes()[0])


def sent_input(kind: int) -> str | None:
    """Return what a program sent ("keys", "clicks" or "movements"), or ``None`` for everything else.

    ``kind`` is the first byte of the event.
    """
    return _INPUT.get(kind & ~_SENT) if kind & _SENT else None
