"""What a text box holds after files were dropped on it: addresses of files, one a line."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

SCHEME = "file:"


def dropped_path(text: str) -> Path | None:
    """The first file or folder among the lines; None while a person types, who ends a path by Enter."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    address = next((line for line in lines if line.startswith(SCHEME)), "")
    if address:
        parts = urlsplit(address)
        place = url2pathname(parts.path)
        return Path(f"//{parts.netloc}{place}" if parts.netloc not in ("", "localhost") else place)
    return Path(lines[0]).expanduser() if lines and text.endswith("\n") else None
