"""The three anatomical planes through a point of a volume, as a radiologist looks at them.

Axes are turned and flipped to run to the patient's right, anterior and superior (R, A, S); nothing is interpolated, so
on an oblique scan a plane is the scan's own plane closest to the anatomical one, and the letters say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.geometry import orientation_code, parse_orientation, reorient_grid
from ..core.volume import LPS_TO_RAS, Grid

OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}
OBLIQUE = 0.25
"""Direction cosine from which a second letter is shown (about 14 degrees)."""

Ras = tuple[int, int, int]
Ranges = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Plane:
    """One of the three planes. ``across`` and ``up`` are RAS axes; across runs against its letter: R and A are left."""

    name: str
    normal: int
    across: int
    up: int


PLANES = (Plane("Axial", 2, 0, 1), Plane("Coronal", 1, 0, 2), Plane("Sagittal", 0, 1, 2))


def planes_of(shown: Ranges) -> tuple[Plane, ...]:
    """The planes that have an area: a single slice is seen from one side only."""
    thick = [part.stop - part.start > 1 for part in shown]
    return tuple(plane for plane in PLANES if thick[plane.across] and thick[plane.up]) or PLANES


def to_ras(array: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """View of a (k, j, i) array whose axes run closest to R, A, S."""
    axes, signs = parse_orientation(orientation_code(grid))
    turned = array.T.transpose([axes.index(axis) for axis in range(3)])
    return turned[tuple(slice(None, None, signs[axes.index(axis)]) for axis in range(3))]


def ras_index(kji: tuple[int, int, int], grid: Grid) -> Ras:
    """Index into ``to_ras`` of voxel (k, j, i)."""
    axes, signs = parse_orientation(orientation_code(grid))
    ijk, size = kji[::-1], grid.shape[::-1]
    sources = [axes.index(axis) for axis in range(3)]
    r, a, s = (ijk[n] if signs[n] > 0 else size[n] - 1 - ijk[n] for n in sources)
    return r, a, s


def ras_ranges(slices: Ranges, grid: Grid) -> Ranges:
    """Ranges of ``to_ras`` indices of a block given as slices of (k, j, i)."""
    k, j, i = slices
    first = ras_index((k.start, j.start, i.start), grid)
    last = ras_index((k.stop - 1, j.stop - 1, i.stop - 1), grid)
    r, a, s = (slice(min(ends), max(ends) + 1) for ends in zip(first, last, strict=True))
    return r, a, s


def ras_grid(grid: Grid) -> Grid:
    """The grid of ``to_ras``; its spacing is along R, A, S."""
    return reorient_grid(grid, "RAS")


def cut(array: NDArray[Any], plane: Plane, point: Ras, ranges: Ranges) -> NDArray[Any]:
    """The plane through ``point``, cropped to ``ranges``: rows from the top down, columns from left to right."""
    index: list[Any] = list(ranges)
    index[plane.normal] = point[plane.normal]
    return array[tuple(index)].T[::-1, ::-1]


def letters(grid: Grid, plane: Plane) -> dict[str, str]:
    """Orientation letters at the ``left``, ``right``, ``top`` and ``bottom`` edge of a plane of ``ras_grid``."""
    left, top = (_direction_letters(grid, axis) for axis in (plane.across, plane.up))
    return {"left": left, "right": _opposite(left), "top": top, "bottom": _opposite(top)}


def _direction_letters(grid: Grid, axis: int) -> str:
    """Letters that an array axis runs to, the main one first: ``"R"``, on an oblique grid for instance ``"RA"``."""
    direction = LPS_TO_RAS[:3, :3] @ np.reshape(grid.direction, (3, 3))[:, axis]
    order = np.argsort(-np.abs(direction), kind="stable")
    shown = [n for rank, n in enumerate(order[:2]) if rank == 0 or abs(direction[n]) >= OBLIQUE]
    return "".join("RAS"[n] if direction[n] > 0 else OPPOSITE["RAS"[n]] for n in shown)


def _opposite(text: str) -> str:
    return "".join(OPPOSITE[letter] for letter in text)
