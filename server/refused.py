"""What the server answers when it says no: the one exception that becomes a ``Refusal`` at the HTTP edge."""

from app.contract.errors import FairlockError
from app.contract.wire import RefusalCode


class Refused(FairlockError):
    """A request that is not carried out. ``detail`` is for logs and developers and holds no secret."""

    def __init__(self, status: int, code: RefusalCode, detail: str = "", *, retry_after_s: int | None = None) -> None:
        super().__init__(detail or code, code=code)
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s
