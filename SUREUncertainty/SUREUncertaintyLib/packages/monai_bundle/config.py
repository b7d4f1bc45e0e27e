"""A bundle's ``configs/inference.json`` or ``.yaml``, with its references followed where a value is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.errors import InputError, PackageError
from .expressions import read_expression

NAMES = ("inference.json", "inference.yaml", "inference.yml")
DEEPEST = 32
MOST = 50_000
"""Values that may be read from one config: references can make a small file endless."""


class Config:
    """Checked access to a config.

    Args:
        content: the parsed file.
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = content
        self._left = MOST

    @classmethod
    def load(cls, folder: Path) -> Config:
        """The config in a bundle's folder ``configs``.

        Raises:
            PackageError: there is none, or it is neither JSON nor YAML.
        """
        path = next((folder / name for name in NAMES if (folder / name).is_file()), None)
        if path is None:
            raise PackageError(
                f"The bundle {folder.parent.name} has no configs/inference.json or inference.yaml, which says how to "
                "run it."
            )
        return cls(_read(path))

    def has(self, key: str) -> bool:
        """Whether the config has an entry."""
        return key in self.content

    def value(self, value: Any, depth: int = 0) -> Any:
        """``value`` with references followed and expressions read.

        Raises:
            PackageError: an expression that is not understood, a reference to nothing, or in circles.
        """
        self._left -= 1
        if depth > DEEPEST or self._left < 0:
            raise PackageError("The bundle's config refers to itself in circles, or is too deep.")
        if isinstance(value, str):
            return self._text(value, depth)
        if isinstance(value, Mapping):
            return {str(key): self.value(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner, depth + 1) for inner in value]
        return value

    def entry(self, key: str) -> Any:
        """A top-level entry, followed to the object or value itself, whose inner values are not read yet."""
        return self.follow(self.content[key]) if key in self.content else None

    def follow(self, value: Any, depth: int = 0) -> Any:
        """What a text that is nothing but a reference stands for; everything else as it is."""
        if depth > DEEPEST:
            raise PackageError("The bundle's config refers to itself in circles.")
        if (
            isinstance(value, str)
            and value.lstrip("$ ").startswith("@")
            and value.strip("$ @").replace("#", "").replace("::", "").isidentifier()
        ):
            return self.follow(self._at(value.strip("$ @")), depth + 1)
        return value

    def _text(self, value: str, depth: int) -> Any:
        if value.startswith("%"):
            raise PackageError(f"The bundle's config takes an entry from elsewhere ('{value[:60]}'); not supported.")
        if value.startswith("@"):
            return self.value(self._at(value[1:]), depth + 1)
        if value.startswith("$"):
            return read_expression(value[1:], lambda name: self.value(self._at(name), depth + 1))
        return value

    def _at(self, reference: str) -> Any:
        found: Any = self.content
        for part in reference.replace("::", "#").split("#"):
            if isinstance(found, str):
                found = self.follow(found)
            if isinstance(found, Mapping) and part in found:
                found = found[part]
            elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
                found = found[int(part)]
            else:
                raise PackageError(f"The bundle's config refers to '@{reference}', which it does not hold.")
        return found


def _read(path: Path) -> dict[str, Any]:
    from ...files.documents import read_document

    try:
        if path.suffix == ".json":
            document = json.loads(path.read_text(encoding="utf-8"))
        else:
            document = read_document(path, "bundle's config", "'preprocessing'")
    except (OSError, ValueError, RecursionError, InputError) as error:
        raise PackageError(f"The bundle's config {path.name} cannot be read: {error}") from error
    except ImportError as error:
        raise PackageError("Reading a bundle's YAML needs PyYAML: pip install pyyaml.") from error
    if not isinstance(document, dict):
        raise PackageError(f"The bundle's config {path.name} must hold one object.")
    return document
