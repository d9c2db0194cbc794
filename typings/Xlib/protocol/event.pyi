"""Events that are sent; fields are keywords, as the protocol names them."""

from typing import Any

class ClientMessage:
    def __init__(self, *, window: Any, client_type: int, data: tuple[int, list[int]]) -> None: ...

class SelectionNotify:
    def __init__(self, **fields: Any) -> None: ...

class KeyPress:
    def __init__(self, **fields: Any) -> None: ...

class KeyRelease:
    def __init__(self, **fields: Any) -> None: ...
