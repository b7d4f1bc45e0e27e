"""Scans with masks and probability maps as people have them on disk, with known answers."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from phantoms import asymmetric_volume, tilted_grid
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.writing import write_volume

GRID = tilted_grid((12, 14, 16), (1.0, 1.5, 2.0))
"""Voxels of 3 mm3, oblique."""

LIVER = (slice(2, 8), slice(3, 9), slice(4, 12))
"""288 voxels, 0.864 ml."""

TUMOUR = (slice(3, 5), slice(4, 6), slice(5, 7))
"""8 voxels inside the liver, 0.024 ml."""


def write_scan(folder: Path, grid: Grid = GRID) -> Path:
    """An oblique phantom."""
    path = folder / "scan.nrrd"
    write_volume(asymmetric_volume(grid), path)
    return path


def organ(shift: int = 0) -> NDArray[np.uint8]:
    """Liver 1, ``shift`` voxels along i, with tumour 2 inside."""
    labels = np.zeros(GRID.shape, np.uint8)
    labels[LIVER] = 1
    labels = np.roll(labels, shift, axis=2)
    labels[TUMOUR] = 2
    return labels


def write_mask(path: Path, labels: NDArray[Any], grid: Grid = GRID) -> Path:
    """A label map."""
    path.parent.mkdir(exist_ok=True)
    write_volume(Volume(labels, grid, path.name), path)
    return path


def soft(labels: NDArray[Any], certain: float = 0.9, classes: int = 3) -> NDArray[np.float32]:
    """Probabilities (C, k, j, i): ``certain`` for the label, the rest shared out among the others."""
    other = (1.0 - certain) / (classes - 1)
    return np.stack([np.where(labels == n, certain, other) for n in range(classes)]).astype(np.float32)


def write_npz(path: Path, probabilities: NDArray[Any], labels: NDArray[Any] | None = None) -> Path:
    """What nnU-Net leaves with --save_probabilities: .npz, .pkl (here one that leaves a mark if it is opened), mask."""
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, probabilities=probabilities)
    path.with_suffix(".pkl").write_bytes(pickle.dumps(Mark(path.with_name("OPENED"))))
    if labels is not None:
        write_mask(path.with_name(f"{path.stem}.nii.gz"), labels)
    return path


def write_channels(path: Path, channels: NDArray[Any], grid: Grid = GRID, vector: bool = False) -> Path:
    """Channels (C, k, j, i) as a file with four axes, or with several numbers a voxel."""
    if vector:
        image = sitk.GetImageFromArray(np.moveaxis(channels, 0, -1), isVector=True)
        image.SetSpacing(grid.spacing)
        image.SetOrigin(grid.origin)
        image.SetDirection(grid.direction)
    else:
        direction = np.eye(4)
        direction[:3, :3] = np.reshape(grid.direction, (3, 3))
        image = sitk.GetImageFromArray(channels, isVector=False)
        image.SetSpacing((*grid.spacing, 1.0))
        image.SetOrigin((*grid.origin, 0.0))
        image.SetDirection(direction.ravel().tolist())
    sitk.WriteImage(image, str(path))
    return path


class Mark:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return touch, (str(self.path),)


def touch(path: str) -> None:
    """Make an empty file."""
    Path(path).touch()
