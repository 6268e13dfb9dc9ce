"""Middleware that only answers the page of this server: it checks the headers of a request and adds its own.

A page of another site can make the browser send requests to 127.0.0.1, and with DNS rebinding under a name of its own.
So the headers `Host` and `Origin` must name this server, and no answer may be framed or read by other sites.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES = ("127.0.0.1", "localhost")
# The page needs its own script, its own style and its own answers, and an empty icon.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware of the playground.

    Args:
        app: the application.
        port: the port of the server, which the headers must name.
    """

    def __init__(self, app: ASGIApp, port: int):
        self.app = app
        self.hosts = {f"{name}:{port}" for name in NAMES} | (set(NAMES) if port == 80 else set())
        self.origins = {f"http://{host}" for host in self.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        reason = self._reason_to_reject(scope)
        answer = self.app if reason is None else JSONResponse({"error": reason}, 403)
        await answer(scope, receive, send_with_headers)

    def _reason_to_reject(self, scope: Scope) -> str | None:
        """Return why a request is rejected, or None."""
        if scope["type"] != "http":
            return "only HTTP is supported"
        headers = Headers(scope=scope)
        if headers.getlist("host") != [host for host in [headers.get("host", "").lower()] if host in self.hosts]:
            return "the header Host must name this server"
        if any(origin not in self.origins for origin in headers.getlist("origin")):
            return "the header Origin must name this server"
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return "the request must come from the page of this server"
        return None
