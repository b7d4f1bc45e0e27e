"""What the server answers over HTTP beside trame's own files: the page, uploads and downloads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..core.errors import SureError
from .access_guard import Guard
from .downloads import PATH, Downloads
from .uploads import Uploads

ASSETS = Path(__file__).resolve().parent / "assets"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html", ".svg": "image/svg+xml"}


class Routes:
    """Args: ``uploaded`` gets the path of what the page sent."""

    def __init__(self, guard: Guard, uploads: Uploads, downloads: Downloads, uploaded: Callable[[Path], None]) -> None:
        self._guard, self._uploads, self._downloads, self._uploaded = guard, uploads, downloads, uploaded

    def add_to(self, application: Any, client: Path) -> None:
        """Register on an aiohttp application before its own files are.

        Args:
            client: folder of trame's page.
        """
        from aiohttp import web

        page = _page(client)

        async def index(_request: Any) -> Any:
            return web.Response(text=page, content_type="text/html")

        application.router.add_get("/", index)
        application.router.add_get("/index.html", index)
        application.router.add_get("/sure/session", self._session)
        application.router.add_post("/sure/upload", self._upload)
        application.router.add_post(PATH + "{what}", self._downloads.answer)
        for asset in ASSETS.iterdir():
            application.router.add_get(f"/sure/{asset.name}", _file(asset))
        application.middlewares.append(self._guard.middleware())

    async def _session(self, request: Any) -> Any:
        """Whether the server is there and knows the page's token."""
        from aiohttp import web

        self._guard.require_token(request)
        return web.json_response({"ok": True})

    async def _upload(self, request: Any) -> Any:
        from aiohttp import web

        self._guard.require_token(request)
        try:
            path = await self._uploads.receive(request)
        except (SureError, ValueError) as error:
            text = str(error) if isinstance(error, SureError) else "The upload is malformed."
            return web.json_response({"error": text}, status=400)
        self._uploaded(path)
        return web.json_response({"ok": True})


def _file(path: Path) -> Callable[[Any], Any]:
    async def answer(_request: Any) -> Any:
        from aiohttp import web

        return web.Response(body=path.read_bytes(), content_type=_TYPES[path.suffix])

    return answer


def _page(client: Path) -> str:
    """Our page with the names of trame's program files, which differ from version to version."""
    module = next((client / "assets").glob("index-*.js")).name
    style = next((client / "assets").glob("index-*.css")).name
    text = (ASSETS / "index.html").read_text(encoding="utf-8")
    return text.replace("$MODULE", f"assets/{module}").replace("$STYLE", f"assets/{style}")
