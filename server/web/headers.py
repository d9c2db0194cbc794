"""Security headers on every answer, unless the route set its own."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULTS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class SecurityHeaders:
    """ASGI middleware; ``secure`` adds Strict-Transport-Security."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        defaults = DEFAULTS | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})
        self._defaults = [(name.lower().encode(), value.encode()) for name, value in defaults.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the headers of its answer."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                set_already = {name for name, _value in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(default for default in self._defaults if default[0] not in set_already),
                ]
            await send(message)

        await self._app(scope, receive, complete)
