"""Volumes whose right answer is known: an asymmetric body, tilted and left-handed grids, small DICOM series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from pathlib import Path
from types import MappingProxyType

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from SUREUncertaintyLib.core.volume import Grid, Volume

SERIES = "1.2.826.0.1.3680043.10.1"


def tilted_grid(
    shape: tuple[int, int, int] = (9, 11, 13),
    spacing: tuple[float, float, float] = (0.8, 1.3, 2.7),
    angles: tuple[float, float, float] = (13.0, -22.0, 37.0),
    left_handed: bool = False,
) -> Grid:
    """An oblique grid; Euler angles in degrees."""
    cosines = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    if left_handed:
        cosines[:, 2] *= -1
    return Grid(shape, spacing, (-31.5, 12.25, 7.125), tuple(float(x) for x in cosines.ravel()))


def asymmetric_volume(grid: Grid) -> Volume:
    """Blocks of different size and value, so that no turn or flip maps the body onto itself."""
    k, j, i = (np.linspace(0, 1, n) for n in grid.shape)
    body = np.zeros(grid.shape)
    body[np.ix_(k < 0.7, j > 0.2, i < 0.8)] = 400
    body[np.ix_(k < 0.35, j > 0.6, i < 0.3)] = 900
    body[np.ix_(k > 0.8, j < 0.5, i > 0.55)] = 650
    return Volume(body.astype(np.int16), grid, "phantom")


@dataclass(frozen=True)
class Turn:
    """One of the 48 ways to store the same voxels: array axes (i, j, k) permuted, then flipped."""

    axes: tuple[int, int, int]
    flips: tuple[int, int, int]

    def apply(self, volume: Volume) -> Volume:
        """The volume stored in another axis order; every voxel stays where it is in the patient."""
        array = np.transpose(volume.array.T, self.axes)[tuple(slice(None, None, f) for f in self.flips)]
        size = volume.array.T.shape
        first = np.zeros(3)
        for axis, flip in zip(self.axes, self.flips, strict=True):
            first[axis] = 0 if flip > 0 else size[axis] - 1
        matrix = volume.grid.ijk_to_lps
        columns = matrix[:3, list(self.axes)] * self.flips
        spacing = np.linalg.norm(columns, axis=0)
        grid = Grid(
            shape=array.T.shape,
            spacing=tuple(map(float, spacing)),
            origin=tuple(map(float, matrix[:3, :3] @ first + matrix[:3, 3])),
            direction=tuple(map(float, (columns / spacing).ravel())),
        )
        return replace(volume, array=np.ascontiguousarray(array.T), grid=grid)

    def undo(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        """An array of the turned volume, back in the order of the original."""
        flipped = array.T[tuple(slice(None, None, f) for f in self.flips)]
        return np.transpose(flipped, np.argsort(self.axes)).T


def all_turns() -> Iterator[Turn]:
    """All 48 axis permutations and flips."""
    for axes, flips in product(permutations(range(3)), product((1, -1), repeat=3)):
        yield Turn(axes, flips)


def ramp(grid: Grid, slope: Sequence[float] = (0.7, -1.1, 0.4), offset: float = 25.0) -> NDArray[np.float64]:
    """(k, j, i) values of ``slope . RAS + offset``: linear, so interpolation must give it exactly."""
    k, j, i = np.indices(grid.shape)
    ijk = np.stack([i, j, k, np.ones_like(i)]).reshape(4, -1).astype(float)
    ras = (grid.ijk_to_ras @ ijk)[:3]
    return (np.asarray(slope) @ ras + offset).reshape(grid.shape)


def write_dicom_series(
    folder: Path,
    volume: Volume,
    names: Sequence[str],
    series: str = "1",
    description: str = "T1 axial",
    modality: str = "MR",
    number: int = 3,
    skip: Sequence[int] = (),
    shift_mm: Sequence[float] = (),
    rescale: tuple[float, float] | None = None,
    echo: int = 0,
    more: Mapping[str, str] = MappingProxyType({}),
) -> list[Path]:
    """Write one file a slice, slice k to ``names[k]``; ``shift_mm[k]`` moves a slice along the normal.

    ``more``: further tags, by "gggg|eeee".
    """
    folder.mkdir(parents=True, exist_ok=True)
    cosines = np.reshape(volume.grid.direction, (3, 3))
    matrix = volume.grid.ijk_to_lps
    paths = []
    for k, name in enumerate(names):
        if k in skip:
            continue
        shift = shift_mm[k] if len(shift_mm) else 0.0
        position = matrix[:3, 2] * k + matrix[:3, 3] + cosines[:, 2] * shift
        image = sitk.GetImageFromArray(volume.array[k : k + 1])
        image.SetSpacing(volume.grid.spacing)
        tags = {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.4" if modality == "MR" else "1.2.840.10008.5.1.4.1.1.2",
            "0008|0060": modality,
            "0008|103e": description,
            "0020|000d": f"{SERIES}.9",
            "0020|000e": f"{SERIES}.{series}",
            "0008|0018": f"{SERIES}.{series}.{echo}.{k + 1}",
            "0020|0011": str(number),
            "0020|0052": f"{SERIES}.8",
            "0020|0013": str(len(names) - k),
            "0020|0032": "\\".join(f"{x:.9f}" for x in position),
            "0020|0037": "\\".join(f"{x:.9f}" for x in (*cosines[:, 0], *cosines[:, 1])),
            "0018|0050": f"{volume.grid.spacing[2]:.6f}",
        }
        if rescale is not None:
            tags |= {"0028|1053": str(rescale[0]), "0028|1052": str(rescale[1])}
        for key, value in {**tags, **more}.items():
            image.SetMetaData(key, value)
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / name))
        writer.Execute(image)
        paths.append(folder / name)
    return paths
