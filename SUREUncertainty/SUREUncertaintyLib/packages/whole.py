"""What a package's structures make up together: both parts of a hippocampus, for instance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.labels import Label
from .metadata_fields import Fields


@dataclass(frozen=True)
class Whole:
    """One name for several structures.

    Attributes:
        name: in the singular, as it follows a region's name: "Left hippocampus".
        parts: names of foreground labels.
    """

    name: str
    parts: tuple[str, ...]

    def channels(self, labels: Sequence[Label]) -> tuple[int, ...]:
        """The places of the parts among all labels of the package, background included."""
        return tuple(number for number, label in enumerate(labels) if label.name in self.parts)


def parse_wholes(top: Fields, labels: Sequence[Label]) -> tuple[Whole, ...]:
    """Read the list ``wholes`` of ``metadata.json``. Raises ``PackageError`` naming what is wrong."""
    known = {label.name for label in labels if label.value != 0}
    wholes = []
    for entry in top.inners("wholes"):
        parts = entry.content.get("parts")
        fine = isinstance(parts, list) and len(parts) > 1 and set(map(str, parts)) <= known
        if not isinstance(parts, list) or not fine or len(set(map(str, parts))) < len(parts):
            entry.fail("parts", "two or more names of the package's structures")
        wholes.append(Whole(entry.text("name"), tuple(map(str, parts or ()))))
    return tuple(wholes)
