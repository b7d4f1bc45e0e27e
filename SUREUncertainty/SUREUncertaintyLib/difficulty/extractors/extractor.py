"""The seam between difficulty and whatever looks at a scan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...core.resampling import model_grid, resample
from ...core.volume import Volume
from ...packages.package_fingerprint import Fingerprint

if TYPE_CHECKING:
    pass

ABSENT = "the structure is absent"


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


def upright(volume: Volume, labels: bool = False) -> Volume:
    """The volume in RAS order at its own spacing, so that array axis 0 runs from foot to head; nothing is changed."""
    return resample(volume, model_grid(volume.grid, "RAS"), "nearest" if labels else "linear")


def label_values(labels: Volume) -> tuple[int, ...]:
    """The foreground values that a label map holds."""
    return tuple(int(value) for value in np.unique(labels.array) if value)


def class_names(known: dict[int, str], values: tuple[int, ...]) -> dict[int, str]:
    """Names of the classes: the known ones, then ``"label N"`` for values that stand only in the label map."""
    return known | {value: f"label {value}" for value in values if value not in known}
