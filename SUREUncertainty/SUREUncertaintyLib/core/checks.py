"""Whether a scan can be segmented at all; each refusal says what is wrong and what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .errors import InputError
from .volume import Grid, Volume

FORMATS = "NRRD, NIfTI, MetaImage or DICOM"
_CHUNK = 32
_LARGEST = float(np.finfo(np.float32).max)
_SMALLEST_MM, _LARGEST_MM = 1e-6, 1e6
"""No voxel is smaller than an atom, and nothing is larger than a town; such numbers are slips."""


def check_scan(volume: Volume, needs_3d: bool) -> None:
    """Raise ``InputError`` unless the volume is a scan that a network can work on.

    Refused are: no voxel or a single one, a single slice where the model needs a volume, spacing that is not above
    zero, NaN or infinite values, and an image in which every voxel is the same.
    """
    _check_size(volume, needs_3d)
    _check_grid(volume.name, volume.grid)
    low, high = _finite_range(volume)
    if low == high:
        raise InputError(
            f"Every voxel of '{volume.name}' has the same value ({low:g}), so there is nothing to segment. "
            "Check that the right scan was chosen and exported."
        )


def check_modality(name: str, modality: str, expected: str) -> None:
    """Raise ``InputError`` when a scan's file says another modality than the model was trained on.

    ``expected`` is the package's, for instance "MR" or "MRI"; files that tell no modality pass.
    """
    found = modality.strip().upper()
    known = modality_family(expected)
    if found and known and modality_family(found) != known:
        raise InputError(
            f"The scan '{name}' is {_article(found)} scan, but this model was made for {expected.strip()}. "
            "Choose another scan, or a model for this kind of scan (sure models list)."
        )


def require_spacing(path: Path, spacing: tuple[float, ...]) -> None:
    """Raise ``InputError`` unless every spacing of a file is a number of mm that a voxel can have."""
    if not all(_SMALLEST_MM < value < _LARGEST_MM for value in spacing):
        raise _impossible(f"The file {path.name} gives a voxel spacing of", spacing)


def is_place(position: Sequence[float]) -> bool:
    """Whether numbers of mm can be where a voxel lies: the patient's zero is in the same scanner or town."""
    return all(abs(value) < _LARGEST_MM for value in position)


def no_image(path: Path) -> InputError:
    """The error for a file that is of no format that can be read, or whose header is broken."""
    return InputError(
        f"The file {path.name} is not an image that can be read, or it is damaged. Expected is {FORMATS}."
    )


def unusable_voxels(name: str, count: int) -> InputError:
    """The error for an image with ``count`` voxels that no network can take."""
    return InputError(
        f"The image '{name}' has {count} voxel{'s' if count > 1 else ''} without a usable value "
        "(NaN, infinite or beyond 3e38). Replace them, for instance by the background value, and try again."
    )


def _check_size(volume: Volume, needs_3d: bool) -> None:
    size = " x ".join(str(n) for n in volume.grid.shape[::-1])
    if volume.array.size <= 1:
        count = "a single voxel" if volume.array.size else "no voxels"
        raise InputError(f"The image '{volume.name}' has {count}. Choose a scan.")
    if needs_3d and min(volume.grid.shape) == 1:
        raise InputError(
            f"The image '{volume.name}' is a single slice ({size} voxels), but this model needs a volume. "
            "Choose the whole series, or a model that works on slices."
        )


def _check_grid(name: str, grid: Grid) -> None:
    if not all(math.isfinite(value) and value > 0 for value in grid.spacing):
        raise _impossible(f"The voxel spacing of '{name}' is", grid.spacing)
    cosines = np.reshape(grid.direction, (3, 3))
    if not np.isfinite([*grid.direction, *grid.origin]).all() or abs(np.linalg.det(cosines)) < 1e-3:
        raise InputError(f"The position or the axes of '{name}' are not usable. Export the scan again.")


def _impossible(what: str, spacing: tuple[float, ...]) -> InputError:
    numbers = " x ".join(f"{value:g}" for value in spacing)
    return InputError(
        f"{what} {numbers} mm, which is impossible. "
        "Every spacing must be above zero: export the scan again, or correct it in Slicer (Volumes module)."
    )


def _finite_range(volume: Volume) -> tuple[float, float]:
    """Smallest and largest value.

    Raises ``InputError`` for NaN, infinity and what becomes infinite in float32, counted in slabs to save memory.
    """
    array = volume.array
    low, high = float(array.min()), float(array.max())
    if low >= -_LARGEST and high <= _LARGEST:
        return low, high
    slabs = (array[k : k + _CHUNK] for k in range(0, array.shape[0], _CHUNK))
    bad = sum(int(np.count_nonzero(~(np.abs(slab) <= _LARGEST))) for slab in slabs)
    raise unusable_voxels(volume.name, bad)


def modality_family(modality: str) -> str:
    """ "MRI", "MR T1" and "T1 MRI" are all MR; an unknown or empty text is no family and passes."""
    words = modality.upper().replace("-", " ").replace(",", " ").replace("/", " ").split()
    families = {"MR": "MR", "MRI": "MR", "CT": "CT", "CBCT": "CT", "PET": "PT", "PT": "PT", "US": "US"}
    found = {families[word] for word in words if word in families}
    return found.pop() if len(found) == 1 else ""


def _article(modality: str) -> str:
    return f"an {modality}" if modality.startswith(("MR", "X", "R", "N", "S")) else f"a {modality}"
