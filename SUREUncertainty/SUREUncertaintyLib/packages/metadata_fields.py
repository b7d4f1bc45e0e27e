"""Reads one object of a JSON document and says in a sentence which field is missing or wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NoReturn, TypeGuard

from ..core.errors import PackageError


@dataclass(frozen=True)
class Fields:
    """Checked access to ``content``. ``path`` is where it lies in the document, for the sentences.

    Every getter raises ``PackageError`` naming the field, what was expected and what was found.
    """

    content: Mapping[str, Any]
    path: str = ""
    document: str = "metadata.json"

    def has(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self.content.get(key) is not None

    def where(self, key: str) -> str:
        """The field's full name, e.g. ``labels[1].color``."""
        return f"{self.path}.{key}" if self.path else key

    def fail(self, key: str, expected: str) -> NoReturn:
        """Refuse the document because of this field."""
        if key not in self.content:
            raise PackageError(f"The package's {self.document} lacks '{self.where(key)}'; expected {expected}.")
        found = repr(self.content[key])
        found = found if len(found) <= 60 else found[:57] + "..."
        raise PackageError(f"'{self.where(key)}' in the package's {self.document} is {found}; expected {expected}.")

    def text(self, key: str) -> str:
        """A text that is not empty."""
        value = self.content.get(key)
        if not isinstance(value, str) or not value.strip():
            self.fail(key, "a text")
        return value

    def choice(self, key: str, options: Sequence[str]) -> str:
        """One of a few words."""
        value = self.content.get(key)
        if value not in options:
            self.fail(key, "one of " + ", ".join(f"'{option}'" for option in options))
        return str(value)

    def integer(self, key: str, low: int, high: int) -> int:
        """A whole number in low..high."""
        value = self.content.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fail(key, f"a whole number from {low} to {high}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """A number in low..high."""
        value = self.content.get(key)
        if not _is_number(value) or not low <= value <= high:
            self.fail(key, f"a number from {low:g} to {high:g}")
        return float(value)

    def numbers(self, key: str, count: int, low: float = -math.inf, high: float = math.inf) -> tuple[float, ...]:
        """A list of ``count`` numbers, each in low..high."""
        value = self.content.get(key)
        if (
            not isinstance(value, list)
            or len(value) != count
            or not all(_is_number(v) and low <= v <= high for v in value)
        ):
            span = "" if math.isinf(high) else f" from {low:g} to {high:g}"
            self.fail(key, f"{count} numbers{span}")
        return tuple(float(v) for v in value)

    def interval(self, key: str) -> tuple[float, float]:
        """Two numbers, the lower one first."""
        value = self.content.get(key)
        if (
            not isinstance(value, list)
            or len(value) != 2
            or not all(_is_number(v) for v in value)
            or value[0] > value[1]
        ):
            self.fail(key, "two numbers, the lower one first")
        return (float(value[0]), float(value[1]))

    def integers(self, key: str, counts: tuple[int, ...]) -> tuple[int, ...]:
        """A list of positive whole numbers, as many as one of ``counts``."""
        value = self.content.get(key)
        if not isinstance(value, list) or len(value) not in counts or not all(type(v) is int and v > 0 for v in value):
            self.fail(key, f"{' or '.join(map(str, counts))} positive whole numbers")
        return tuple(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of at least one text."""
        value = self.content.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
            self.fail(key, "a list of words")
        return tuple(value)

    def mapping(self, key: str) -> dict[str, Any]:
        """An object, as a dictionary."""
        value = self.content.get(key)
        if not isinstance(value, dict):
            self.fail(key, "an object { }")
        return dict(value)

    def inner(self, key: str) -> Fields:
        """An object, for checked access to its own fields."""
        return Fields(self.mapping(key), self.where(key), self.document)

    def inners(self, key: str) -> tuple[Fields, ...]:
        """A list of at least one object."""
        value = self.content.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
            self.fail(key, "a list of objects [{ }, ...]")
        return tuple(Fields(v, f"{self.where(key)}[{n}]", self.document) for n, v in enumerate(value))


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def inner_path(fields: Fields, key: str, *suffixes: str) -> str:
    """A path inside the package with one of the suffixes; what leads out of it, or another format, is refused."""
    text = fields.text(key)
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\\" in text or ":" in text:
        fields.fail(key, "a path inside the package, with '/' between folders")
    if not text.endswith(suffixes):
        wanted = " or ".join(suffixes)
        fields.fail(key, f"a {wanted} file; formats that can carry code (.pt, .pth, .ts, pickle) are refused")
    return text
