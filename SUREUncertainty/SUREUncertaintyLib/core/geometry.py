"""Changes of a grid that move no voxel in the patient: turn, flip, crop; new spacing over the same field of view."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .volume import LPS_TO_RAS, Grid

_LETTERS = ("RL", "AP", "SI")
"""Positive and negative letter of each RAS axis."""

STACK = "stack"
"""The orientation of a network that sees the planes that were acquired, however they lie in the patient."""

SAME_SPACING = 1e-3
"""Relative difference up to which two spacings count as the same, so that nothing is interpolated for it."""


def orientation_code(grid: Grid) -> str:
    """Anatomical letters that the array axes (i, j, k) run to, as close as an oblique grid allows: ``"RAS"``."""
    axes, signs = _closest_axes(grid)
    return "".join(_LETTERS[axis][0 if sign > 0 else 1] for axis, sign in zip(axes, signs, strict=True))


def parse_orientation(code: str) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """RAS axis and sign of each letter. ``"LPS"`` gives ((0, 1, 2), (-1, -1, 1)). Raises ``InputError``."""
    axes, signs = [], []
    for letter in code.upper():
        axis = next((n for n, pair in enumerate(_LETTERS) if letter in pair), None)
        if axis is not None:
            axes.append(axis)
            signs.append(1 if letter == _LETTERS[axis][0] else -1)
    if len(code) != 3 or sorted(axes) != [0, 1, 2]:
        raise InputError(
            f"The orientation '{code}' is not known. "
            "Three letters are expected, one each of R or L, A or P, S or I, for instance 'RAS'."
        )
    return (axes[0], axes[1], axes[2]), (signs[0], signs[1], signs[2])


def across_stack(grid: Grid) -> int:
    """Which of the axes (i, j, k), 0 to 2, runs across the acquired planes: that of one voxel, else that of the largest
    spacing; the last of several alike."""
    sizes = grid.shape[::-1]
    return max(range(3), key=lambda n: (sizes[n] == 1, round(grid.spacing[n], 3), n))


def stack_orientation(grid: Grid) -> str:
    """The orientation whose third axis runs across the acquired planes, the others as near to ``"LPS"`` as they lie."""
    across, (axes, _) = across_stack(grid), _closest_axes(grid)
    within = sorted(axes[n] for n in range(3) if n != across)
    return "".join("LPS"[axis] for axis in (*within, axes[across]))


def reorient_grid(grid: Grid, code: str) -> Grid:
    """The same voxels with array axes turned and flipped to run as close as possible to ``code``; none is moved.

    ``code`` is three letters or ``STACK``.
    """
    wanted_axes, wanted_signs = parse_orientation(stack_orientation(grid) if code == STACK else code)
    axes, signs = _closest_axes(grid)
    sources = [axes.index(axis) for axis in wanted_axes]
    flips = [signs[source] * sign for source, sign in zip(sources, wanted_signs, strict=True)]
    size = np.array(grid.shape[::-1])
    cosines = np.reshape(grid.direction, (3, 3))
    first = np.zeros(3)
    for source, flip in zip(sources, flips, strict=True):
        first[source] = 0 if flip > 0 else size[source] - 1
    return Grid(
        shape=_triple_int(size[sources][::-1]),
        spacing=_triple(np.asarray(grid.spacing)[sources]),
        origin=_position(grid, first),
        direction=tuple(float(x) for x in (cosines[:, sources] * flips).ravel()),
    )


def crop_grid(grid: Grid, start: tuple[int, int, int], size: tuple[int, int, int]) -> Grid:
    """The part of the grid from voxel ``start`` with ``size`` voxels, both (i, j, k); start may be negative."""
    return replace(grid, shape=(size[2], size[1], size[0]), origin=_position(grid, np.asarray(start, float)))


def respace_grid(grid: Grid, spacing: tuple[float, float, float]) -> Grid:
    """A grid of other spacing (mm along i, j, k) with the same axes that covers the same field of view.

    Both fields of view share their centre, so that flipped inputs give flipped results. An axis whose spacing is
    within ``SAME_SPACING`` of the wanted one keeps its voxels exactly; so does one where 0 is wanted.
    """
    size, new = list(grid.shape[::-1]), list(grid.spacing)
    for axis, (old, wanted) in enumerate(zip(grid.spacing, spacing, strict=True)):
        if wanted and abs(wanted - old) > SAME_SPACING * old:
            new[axis] = float(wanted)
            size[axis] = max(1, int(np.ceil(size[axis] * old / wanted - 1e-3)))
    if size == list(grid.shape[::-1]) and new == list(grid.spacing):
        return grid
    centre = (np.array(grid.shape[::-1]) - 1) / 2
    half = (np.array(size) - 1) / 2 * np.array(new)
    origin = np.asarray(_position(grid, centre)) - np.reshape(grid.direction, (3, 3)) @ half
    return Grid(_triple_int(size[::-1]), _triple(new), _triple(origin), grid.direction)


def index_map(source: Grid, target: Grid) -> NDArray[np.float64]:
    """4 x 4 matrix from (i, j, k, 1) of ``target`` to (i, j, k, 1) of ``source``."""
    return np.asarray(np.linalg.solve(source.ijk_to_lps, target.ijk_to_lps))


def grid_corners(size: tuple[int, int, int]) -> NDArray[np.float64]:
    """(4, 8) homogeneous (i, j, k, 1) of the outer corners of the first and last voxels of a grid of that size."""
    ends = [(-0.5, n - 0.5) for n in size]
    return np.array([(i, j, k, 1.0) for i in ends[0] for j in ends[1] for k in ends[2]]).T


def ras_to_ijk(grid: Grid, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3) continuous (i, j, k) of (N, 3) RAS positions in mm."""
    matrix = np.linalg.inv(grid.ijk_to_ras)
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def _closest_axes(grid: Grid) -> tuple[list[int], list[int]]:
    """RAS axis and sign nearest to each array axis; every RAS axis is used once, even at 45 degrees."""
    cosines = (LPS_TO_RAS[:3, :3] @ np.reshape(grid.direction, (3, 3))).T
    best = max(permutations(range(3)), key=lambda p: sum(abs(cosines[n, p[n]]) for n in range(3)))
    return list(best), [1 if cosines[n, best[n]] >= 0 else -1 for n in range(3)]


def _position(grid: Grid, ijk: NDArray[np.float64]) -> tuple[float, float, float]:
    """LPS mm of continuous index (i, j, k)."""
    return _triple(grid.ijk_to_lps[:3, :3] @ ijk + np.asarray(grid.origin))


def _triple(values: object) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in np.asarray(values))
    return (x, y, z)


def _triple_int(values: object) -> tuple[int, int, int]:
    x, y, z = (int(v) for v in np.asarray(values))
    return (x, y, z)
