"""Controls without skill: what an extractor must beat before its score is believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...core.checks import check_scan
from ...core.errors import InputError
from ...core.volume import Volume
from ...packages.package_fingerprint import Fingerprint
from .extractor import ABSENT, ClassMap, class_names, label_values, upright

HIDDEN, OUTPUTS, SEED = 4, 4, 20260401
PREPROCESSING = {"orientation": "RAS", "spacing": None, "normalisation": "zscore of the whole scan"}

Read = Callable[[NDArray[np.float32], NDArray[np.bool_], float], ClassMap]


@dataclass(frozen=True)
class MaskControl:
    """Reads the voxels of each class of the label map: their intensities, their variance or their number."""

    kind: ClassVar[str] = "control"
    needs_labels: ClassVar[bool] = True
    centred: ClassVar[bool] = False

    name: str
    read: Read
    known: dict[int, str]

    @property
    def fingerprint(self) -> Fingerprint:
        """No weights."""
        return Fingerprint(self.name, "", PREPROCESSING)

    def seen(self, case_id: str) -> bool:
        """Never trained."""
        return False

    def extract(self, scan: Volume, labels: Volume | None, case_id: str = "") -> Iterator[ClassMap]:
        """One answer a class of the label map; known classes that are absent say so."""
        if labels is None:
            raise InputError(f"The control '{self.name}' reads inside a label map, and this scan has none.")
        check_scan(scan, needs_3d=False)
        image, mask = zscored(upright(scan).array), upright(labels, labels=True).array
        for value, name in class_names(self.known, label_values(labels)).items():
            inside = mask == value
            found = (
                self.read(image, inside, labels.grid.voxel_volume_mm3) if inside.any() else ClassMap("", reason=ABSENT)
            )
            yield ClassMap(name, found.matrix, found.score, found.reason)


@dataclass(frozen=True)
class RandomNetwork:
    """Two layers of random 3 x 3 x 3 kernels: a network that has learnt nothing. Label-free."""

    kind: ClassVar[str] = "control"
    needs_labels: ClassVar[bool] = False
    centred: ClassVar[bool] = False

    seed: int = SEED

    @property
    def known(self) -> dict[int, str]:
        """No names."""
        return {}

    @property
    def fingerprint(self) -> Fingerprint:
        """The seed stands for the weights."""
        return Fingerprint("control-random", f"seed {self.seed}", PREPROCESSING)

    def seen(self, case_id: str) -> bool:
        """Never trained."""
        return False

    def extract(self, scan: Volume, labels: Volume | None = None, case_id: str = "") -> Iterator[ClassMap]:
        """One map an output channel."""
        check_scan(scan, needs_3d=False)
        image = zscored(upright(scan).array)
        rng = np.random.default_rng(self.seed)
        first = rng.normal(0.0, np.sqrt(2 / 27), (HIDDEN, 3, 3, 3)).astype(np.float32)
        second = rng.normal(0.0, np.sqrt(2 / (27 * HIDDEN)), (OUTPUTS, HIDDEN, 3, 3, 3)).astype(np.float32)
        hidden = [np.maximum(_convolve(image, kernel), 0) for kernel in first]
        for number, kernels in enumerate(second):
            channel = sum(_convolve(part, kernel) for part, kernel in zip(hidden, kernels, strict=True))
            yield ClassMap(f"random {number + 1}", np.asarray(channel))


def zscored(array: NDArray[np.generic]) -> NDArray[np.float32]:
    """The scan with mean 0 and standard deviation 1 (0 for a constant one), float32."""
    wide = np.asarray(array, dtype=np.float64)
    spread = float(wide.std())
    return np.asarray((wide - wide.mean()) / (spread or 1.0), dtype=np.float32)


def intensity_map(image: NDArray[np.float32], inside: NDArray[np.bool_], voxel_mm3: float) -> ClassMap:
    """The grey values of the class, zero elsewhere."""
    return ClassMap("", np.where(inside, image, np.float32(0.0)))


def variance_score(image: NDArray[np.float32], inside: NDArray[np.bool_], voxel_mm3: float) -> ClassMap:
    """1 / (1 + variance inside), in units of the scan's own variance: a patchy class counts as hard."""
    return ClassMap("", score=1.0 / (1.0 + float(image[inside].var(dtype=np.float64))))


def volume_score(image: NDArray[np.float32], inside: NDArray[np.bool_], voxel_mm3: float) -> ClassMap:
    """ln(1 + volume in mm3): a small class counts as hard."""
    return ClassMap("", score=float(np.log1p(np.count_nonzero(inside) * voxel_mm3)))


MASK_CONTROLS: dict[str, Read] = {
    "control-intensity": intensity_map,
    "control-variance": variance_score,
    "control-volume": volume_score,
}


def _convolve(array: NDArray[np.float32], kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(ndimage.convolve(array, kernel, mode="nearest"), dtype=np.float32)
