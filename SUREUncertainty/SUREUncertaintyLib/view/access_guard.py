"""Who may talk to the page's server: holders of the token, from pages of this very server."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable
from typing import Any

TOKEN_HEADER = "X-SURE-Token"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self' ws: wss:; worker-src 'self' blob:; object-src 'none'; "
        "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer. Vue compiles its templates in the page, hence 'unsafe-eval'; no script comes from elsewhere."""

Handler = Callable[[Any], Awaitable[Any]]


class Guard:
    """Checks of one server.

    Args:
        host: what the server listens on.
    """

    def __init__(self, host: str = LOOPBACK[0]) -> None:
        self.token = secrets.token_urlsafe(24)
        self.hosts = frozenset({*LOOPBACK, *_names_of(host)})

    def holds(self, token: object) -> bool:
        """Whether this is the token; takes as long for every wrong one."""
        return isinstance(token, str) and secrets.compare_digest(token.encode(), self.token.encode())

    def is_same_origin(self, host: str, origin: str | None) -> bool:
        """Whether a request names this server, and comes from one of its own pages or from no page.

        Another name in Host is an attack by a rebound DNS name, another Origin is a foreign web page.
        """
        if _name(host) not in self.hosts:
            return False
        return origin is None or origin.partition("://")[2] == host

    def middleware(self) -> Any:
        """For the aiohttp application: refuses what is not from here, and adds headers to every answer."""
        from aiohttp import web

        @web.middleware
        async def check(request: Any, handler: Handler) -> Any:
            if not self.is_same_origin(request.headers.get("Host", ""), request.headers.get("Origin")):
                return web.Response(status=403, text="This address is not served here.", headers=HEADERS)
            try:
                response = await handler(request)
            except web.HTTPException as answer:
                answer.headers.update(HEADERS)
                raise
            if not response.prepared:
                response.headers.update(HEADERS)
            return response

        return check

    def require_token(self, request: Any) -> None:
        """Raise aiohttp's 403 unless the request carries the token in its header, which no foreign page can set."""
        from aiohttp import web

        if not self.holds(request.headers.get(TOKEN_HEADER)):
            raise web.HTTPForbidden(text="The address of this page is no longer valid.")


def _name(host: str) -> str:
    """The host of a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def _names_of(host: str) -> set[str]:
    """By which names a server that listens on ``host`` is reached."""
    try:
        everywhere = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        everywhere = False
    if not everywhere:
        return {host.lower()}
    name = socket.gethostname()
    found = {name.lower(), socket.getfqdn().lower()}
    with contextlib.suppress(OSError):
        found |= {str(address[4][0]) for address in socket.getaddrinfo(name, None)}
    return found
