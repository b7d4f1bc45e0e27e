"""Files for the browser to keep: made when a window asks for them, and gone when they are sent."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..core.errors import SureError
from .access_guard import Guard

PATH = "/sure/save/"
_CHUNK = 1 << 20
Make = Callable[[Path], Awaitable[tuple[Path, str]]]
"""Writes a file into a folder and gives it with its name for people."""


class Downloads:
    """Args: ``makers`` by the last part of the address; ``new_folder`` makes a folder that cleans up after itself."""

    def __init__(self, guard: Guard, makers: dict[str, Make], new_folder: Callable[[], Any]) -> None:
        self._guard, self._makers, self._new_folder = guard, makers, new_folder

    async def answer(self, request: Any) -> Any:
        """The aiohttp handler: POST with the token in its header."""
        from aiohttp import web

        self._guard.require_token(request)
        make = self._makers.get(request.match_info["what"])
        if make is None:
            raise web.HTTPNotFound(text="There is no such download.")
        with self._new_folder() as folder:
            try:
                file, name = await make(Path(folder))
            except SureError as error:
                return web.json_response({"error": str(error)}, status=400)
            return await _send(request, file, name)


async def _send(request: Any, file: Path, name: str) -> Any:
    from aiohttp import web

    response = web.StreamResponse()
    response.content_type = "application/octet-stream"
    response.content_length = file.stat().st_size
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(plain_name(name))}"
    await response.prepare(request)
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            await response.write(chunk)
    await response.write_eof()
    return response


def plain_name(name: str) -> str:
    """A file name without characters that some system refuses."""
    return re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", name).strip(". ")[:150] or "results"
