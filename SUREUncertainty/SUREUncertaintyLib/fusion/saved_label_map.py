"""The label map that nnU-Net saves beside its probabilities: where they lie, and whether they say the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.rows import Notice
from ..core.errors import InputError
from ..core.volume import Volume
from ..files.reading import read_labels
from .grid_match import on_scan
from .notices import say

SUFFIXES = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".mha", ".png", ".tif")
SAME = 0.99
"""Share of the voxels of either that agree from which nothing is said; removing small pieces changes that little."""

OTHER = 0.5
"""Below it the two do not belong together."""


def label_map_beside(path: Path, scan: Path) -> Volume | None:
    """The label map of the same name in the folder of an .npz, where there is one that is not the scan itself."""
    if path.suffix.lower() != ".npz":
        return None
    for suffix in SUFFIXES:
        candidate = path.with_name(path.stem + suffix)
        if candidate.is_file() and not (scan.is_file() and candidate.samefile(scan)):
            try:
                return read_labels(candidate)
            except InputError:
                continue  # an image of another kind
    return None


def agreement(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Share of the voxels that either map marks on which both say the same; 1 where neither marks any."""
    either = (one != 0) | (other != 0)
    return float(np.mean(one[either] == other[either])) if either.any() else 1.0


class SavedLabelMaps:
    """Compares probability maps with the label maps beside them, and keeps what a person should know of it."""

    def __init__(self, scan: Volume, scan_path: Path) -> None:
        self._scan, self._scan_path = scan, scan_path
        self.unchecked: list[str] = []
        self.changed: list[str] = []

    def beside(self, path: Path) -> Volume | None:
        """As ``label_map_beside``."""
        return label_map_beside(path, self._scan_path)

    def compare(self, name: str, path: Path, labels: NDArray[Any], saved: Volume | None) -> None:
        """Compare the labels of probabilities, on the scan, with the saved ones.

        Raises:
            InputError: they say different things, as after a change of axes or classes, or for another case.
        """
        if saved is None:
            if path.suffix.lower() == ".npz":
                self.unchecked.append(name)
            return
        share = agreement(labels, on_scan(saved, self._scan).array)
        if share < OTHER:
            raise InputError(
                f"The probabilities in {name} and the label map '{saved.name}' beside it agree in only {share:.0%} of "
                "the voxels that either marks. The classes or axes are in another order (nnU-Net stores them turned "
                "when its reader reorients scans), or the two are of different cases. Save the probabilities as NIfTI "
                "on the scan, or move the label map away if it is not theirs."
            )
        if share < SAME:
            self.changed.append(name)

    def notices(self) -> Iterator[Notice]:
        """What could not be compared, and what differs."""
        if self.unchecked:
            yield say("not-checked", names=", ".join(self.unchecked))
        if self.changed:
            yield say("differs-from-saved", names=", ".join(self.changed))
