"""The seam between difficulty and whatever looks at a scan."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...core.resampling import model_grid, resample
from ...core.volume import Volume
from ...packages.integrity import recorded_checksums

if TYPE_CHECKING:
    from ...packages.package import Package

ABSENT = "the structure is absent"


@dataclass(frozen=True)
class Fingerprint:
    """What the numbers of an extractor depend on. Tables with different fingerprints are never mixed.

    Attributes:
        name: as the registry knows it, with its argument.
        sha256: of the weights, hexadecimal; empty for an extractor without weights.
        preprocessing: orientation, spacing, normalisation and the like, ready for JSON.
    """

    name: str
    sha256: str = ""
    preprocessing: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 over all three."""
        text = json.dumps([self.name, self.sha256, self.preprocessing], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the digest included."""
        facts = {"name": self.name, "sha256": self.sha256, "preprocessing": self.preprocessing}
        return {**facts, "digest": self.digest}


@dataclass(frozen=True, eq=False)
class ClassMap:
    """What an extractor sees of one class.

    Attributes:
        matrix: (D, H, W) with the slice axis first, or (rows, features); None without one.
        score: what stands in the place of S for controls that make no map; higher is easier, above 0.
        reason: why there is neither; such a class is left out and counted.
    """

    name: str
    matrix: NDArray[Any] | None = None
    score: float | None = None
    reason: str = ""


class Extractor(Protocol):
    """Looks at one scan and gives one map a class, one after the other so that memory stays small."""

    @property
    def kind(self) -> str:
        """``"class-logits"``, ``"promptable"``, ``"dense-features"`` or ``"control"``."""

    @property
    def fingerprint(self) -> Fingerprint:
        """What the numbers depend on."""

    @property
    def needs_labels(self) -> bool:
        """Whether a scan without a label map cannot be scored."""

    @property
    def known(self) -> dict[int, str]:
        """Names of label values, as far as they are known."""

    @property
    def centred(self) -> bool:
        """Whether it sees one window around the middle of a box, so that a box cannot be cut out of its scan."""

    def seen(self, case_id: str) -> bool:
        """Whether the network was trained or tuned on the case of this id, as far as its package says."""
        ...

    def extract(self, scan: Volume, labels: Volume | None, case_id: str = "") -> Iterator[ClassMap]:
        """One map a foreground class. ``labels`` lie on the scan's grid; 0 is background.

        Raises:
            InputError: the scan cannot be used.
        """
        ...


def package_fingerprint(package: Package) -> Fingerprint:
    """Checksum of the network's own file, and how it wants its input; other changes of a package do not matter."""
    facts = package.metadata
    preprocessing = {
        "orientation": facts.orientation,
        "spacing": list(facts.spacing) if facts.spacing else None,
        "normalisation": facts.normalisation,
        "patch": list(facts.patch),
        "overlap": facts.overlap,
        "axis": "slices, foot to head",
        "grid": "the whole scan or region at the model's spacing",
    }
    network = facts.weights or facts.graphs["main"]
    return Fingerprint(f"package:{facts.name}", recorded_checksums(package.root)[network], preprocessing)


def slice_axis(orientation: str) -> int:
    """The array axis (k, j, i) that runs from foot to head in an orientation such as ``"RAS"``."""
    return 2 - next(n for n, letter in enumerate(orientation) if letter in "SI")


def slices_first(array: NDArray[Any], orientation: str) -> NDArray[Any]:
    """A view of (k, j, i) whose first axis is the slice axis of the RAS-ordered volume."""
    return np.moveaxis(array, slice_axis(orientation), 0)


def upright(volume: Volume, labels: bool = False) -> Volume:
    """The volume in RAS order at its own spacing, so that array axis 0 runs from foot to head; nothing is changed."""
    return resample(volume, model_grid(volume.grid, "RAS"), "nearest" if labels else "linear")


def label_values(labels: Volume) -> tuple[int, ...]:
    """The foreground values that a label map holds."""
    return tuple(int(value) for value in np.unique(labels.array) if value)


def class_names(known: dict[int, str], values: tuple[int, ...]) -> dict[int, str]:
    """Names of the classes: the known ones, then ``"label N"`` for values that stand only in the label map."""
    return known | {value: f"label {value}" for value in values if value not in known}
