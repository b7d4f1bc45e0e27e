"""The path of a file inside a package, as its metadata names it."""

from __future__ import annotations

from pathlib import PurePosixPath

from .metadata_fields import Fields


def inner_path(fields: Fields, key: str, suffixes: tuple[str, ...]) -> str:
    """A path that stays inside the package and has one of the suffixes. Raises ``PackageError``."""
    text = fields.text(key)
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or ":" in text:
        fields.fail(key, "a path inside the package, with '/' between folders")
    if not text.endswith(suffixes):
        fields.fail(key, f"a {' or '.join(suffixes)} file")
    return text
