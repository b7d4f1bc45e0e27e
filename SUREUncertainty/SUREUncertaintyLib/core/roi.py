"""A region of interest: a box in the patient's RAS millimetres."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .geometry import crop_grid, grid_corners, ras_to_ijk
from .safe_names import plain_text
from .volume import Grid

_TO_RAS = {"LPS": (-1, -1, 1), "RAS": (1, 1, 1), "1": (-1, -1, 1), "0": (1, 1, 1)}
_UNITS_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001}
_TURNED = 1e-2
"""What the written axes of a box may be off."""

_EDGE = 1e-4
"""Share of a voxel by which a box must enter it, so that a box drawn along voxel faces takes no extra layer."""


FORM = "NAME=R0,R1,A0,A1,S0,S1"
"""How a box is written everywhere: on the command line, in case lists and in texts. RAS mm, R0 < R1 and so on."""

_EXAMPLE = "for instance left=-45,-10,-45,0,-35,10"


@dataclass(frozen=True)
class Roi:
    """An axis-aligned box. ``low`` and ``high`` are RAS corners in mm, low < high on every axis.

    ``str(roi)`` and ``parse_roi`` have the one form, ``FORM``.

    Raises:
        InputError: an end that is no number, or a box without volume or with its ends exchanged.
    """

    name: str
    low: tuple[float, float, float]
    high: tuple[float, float, float]

    def __post_init__(self) -> None:
        corners = np.array([self.low, self.high], float)
        if not np.isfinite(corners).all() or (corners[0] >= corners[1]).any():
            raise InputError(
                f"The region '{self.name}' has no volume. Give it a lower and a higher end on every axis, in mm."
            )

    def __str__(self) -> str:
        ends = zip(self.low, self.high, strict=True)
        return f"{self.name}=" + ",".join(f"{value:.6g}" for pair in ends for value in pair)


def parse_roi(text: str) -> Roi:
    """Read ``NAME=R0,R1,A0,A1,S0,S1`` (RAS mm, the lower end of an axis first). Raises ``InputError``."""
    name, separator, numbers = text.partition("=")
    try:
        values = [float(part) for part in numbers.split(",")]
    except ValueError:
        values = []
    if not separator or not name.strip() or len(values) != 6 or not np.isfinite(values).all():
        raise InputError(
            f"The region '{text}' cannot be read. A name and six numbers in mm are expected: "
            f"{FORM}, {_EXAMPLE}, or the path of a .mrk.json file."
        )
    low, high = np.reshape(values, (3, 2)).T
    if (low > high).any():
        raise _wrong_order(name.strip(), values)
    return _box(name.strip(), np.stack([low, high]))


def _wrong_order(name: str, values: list[float]) -> InputError:
    """Most likely the six numbers are the two corners of the box, one after the other."""
    corners = np.reshape(values, (2, 3))
    likely = ""
    if (corners[0] < corners[1]).all():
        likely = f" Read as two corners, R0,A0,S0,R1,A1,S1, it would be {_box(name, corners)}."
    return InputError(
        f"The numbers of the region '{name}' are in another order than expected: {FORM}, with R0 below R1, A0 below A1 "
        f"and S0 below S1, {_EXAMPLE}.{likely}"
    )


def read_markups_roi(path: Path, name: str | None = None) -> Roi:
    """Read a Slicer ROI (.mrk.json). A rotated box gives its bounding box in RAS. Raises ``InputError``.

    The name is ``name``, else the markup's label in the file, else the file's name.
    """
    document = _read_json(path)
    listed = document.get("markups")
    markups = [
        m
        for m in (listed if isinstance(listed, list) else [])
        if isinstance(m, dict) and m.get("type") in ("ROI", "roi")
    ]
    if len(markups) != 1:
        raise InputError(
            f"The file {path.name} holds {len(markups)} regions of interest. "
            "Exactly one is expected: save one Slicer ROI (Markups module) to its own .mrk.json file."
        )
    corners = _markup_corners(markups[0], path)
    return _box(name or path.name.removesuffix(".json").removesuffix(".mrk"), corners)


def read_rois(texts: tuple[str, ...]) -> tuple[Roi, ...]:
    """Read the values of every ``--roi``: boxes in numbers, ``FILE.mrk.json`` or ``NAME=FILE.mrk.json``.

    Raises ``InputError``, also when two regions have the same name.
    """
    rois = tuple(_read_roi(text) for text in texts)
    for roi in rois:
        if sum(other.name == roi.name for other in rois) > 1:
            raise InputError(f"Two regions are called '{roi.name}'. Give every region a name of its own.")
    return rois


def roi_bounds(grid: Grid, roi: Roi) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """First voxel and size, both (i, j, k), of the part of the grid that the box reaches into.

    On an oblique grid this is the smallest block of voxels around the box. Raises ``InputError`` when the box lies
    outside the image.
    """
    corners = ras_to_ijk(grid, _corners(roi))
    first = np.floor(corners.min(axis=0) + 0.5 + _EDGE).astype(int)
    last = np.ceil(corners.max(axis=0) - 0.5 - _EDGE).astype(int)
    last = np.maximum(first, last)
    size = np.array(grid.shape[::-1])
    start, stop = np.maximum(first, 0), np.minimum(last + 1, size)
    if (stop <= start).any():
        raise InputError(_outside(grid, roi))
    count = stop - start
    return (int(start[0]), int(start[1]), int(start[2])), (int(count[0]), int(count[1]), int(count[2]))


def roi_slices(grid: Grid, roi: Roi) -> tuple[slice, slice, slice]:
    """``roi_bounds`` as slices of the array's axes (k, j, i)."""
    start, size = roi_bounds(grid, roi)
    i, j, k = (slice(first, first + count) for first, count in zip(start, size, strict=True))
    return k, j, i


def roi_grid(grid: Grid, roi: Roi) -> Grid:
    """The part of the grid that the box reaches into, as a grid."""
    start, size = roi_bounds(grid, roi)
    return crop_grid(grid, start, size)


def roi_mask(grid: Grid, roi: Roi) -> NDArray[np.bool_]:
    """(k, j, i) truth of "the voxel lies in the box" within ``roi_slices(grid, roi)``.

    All true where the grid's axes are the patient's; on an oblique grid, voxels whose centre is in the box
    (grown by half a voxel, as a voxel belongs to the box that it reaches into).
    """
    part = roi_grid(grid, roi)
    matrix = part.ijk_to_ras
    half = np.abs(matrix[:3, :3]).sum(axis=1) / 2
    inside = np.ones(part.shape, bool)
    k, j, i = np.ogrid[: part.shape[0], : part.shape[1], : part.shape[2]]
    for axis in range(3):
        position = matrix[axis, 0] * i + matrix[axis, 1] * j + matrix[axis, 2] * k + matrix[axis, 3]
        inside &= (position >= roi.low[axis] - half[axis]) & (position <= roi.high[axis] + half[axis])
    return inside


def split_file(text: str) -> tuple[str, Path] | None:
    """Name (empty for none) and path of ``FILE.mrk.json`` or ``NAME=FILE.mrk.json``; None for a box in numbers.

    A path may hold "=" itself: only what stands before the first one and holds no separator of folders is a name.
    """
    if not text.lower().endswith(".json"):
        return None
    name, separator, rest = text.partition("=")
    named = bool(separator) and not set(name) & {"/", "\\"}
    return (name.strip(), Path(rest.strip())) if named else ("", Path(text))


def _read_roi(text: str) -> Roi:
    file = split_file(text)
    return parse_roi(text) if file is None else read_markups_roi(file[1], file[0] or None)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"The region file {path} does not exist. Check the path.") from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"The region file {path} cannot be read ({error}). Save the ROI again from Slicer as .mrk.json."
        ) from None
    return document if isinstance(document, dict) else {}


def _markup_corners(markup: dict[str, Any], path: Path) -> NDArray[np.float64]:
    """(2, 3) low and high RAS corners of the bounding box of a markups ROI."""
    try:
        centre = np.asarray(markup["center"], float).reshape(3)
        axes = np.asarray(markup.get("orientation") or np.eye(3), float).reshape(3, 3)
        if not np.abs(axes @ axes.T - np.eye(3)).max() < _TURNED:
            raise ValueError("axes of another length than 1, or not at right angles")
        half = np.abs(axes) @ (np.asarray(markup["size"], float).reshape(3) / 2)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            f"The ROI in {path.name} has no usable centre, axes and size. Place it again in Slicer and save it."
        ) from None
    corners = np.stack([centre - half, centre + half]) * _known(markup, "coordinateUnits", _UNITS_MM, "mm", path)
    return corners * _known(markup, "coordinateSystem", _TO_RAS, "LPS", path)


def _known(markup: dict[str, Any], key: str, known: dict[str, Any], default: str, path: Path) -> Any:
    """What a markup's word stands for; a list names the same thing for each axis."""
    value = markup.get(key, default)
    words = {str(word) for word in (value if isinstance(value, list) else [value])}
    if len(words) != 1 or not words <= set(known):
        raise InputError(
            f"The ROI in {path.name} has the {key} '{', '.join(sorted(words))}', which is not known here. Expected is "
            f"{' or '.join(word for word in known if word.isalpha())}: save the ROI again in Slicer."
        )
    return known[words.pop()]


def _box(name: str, corners: NDArray[np.float64]) -> Roi:
    low, high = corners.min(axis=0), corners.max(axis=0)
    return Roi(
        plain_text(name),
        (float(low[0]), float(low[1]), float(low[2])),
        (float(high[0]), float(high[1]), float(high[2])),
    )


def _corners(roi: Roi) -> NDArray[np.float64]:
    """(8, 3) RAS corners of the box."""
    ends = list(zip(roi.low, roi.high, strict=True))
    return np.array([(r, a, s) for r in ends[0] for a in ends[1] for s in ends[2]])


def _outside(grid: Grid, roi: Roi) -> str:
    corners = (grid.ijk_to_ras @ grid_corners(grid.shape[::-1]))[:3]
    return (
        f"The region '{roi.name}' ({_extent(roi.low, roi.high)} mm) lies outside the image, which covers "
        f"{_extent(corners.min(axis=1), corners.max(axis=1))} mm. Move the region onto the image; "
        "the numbers are patient coordinates as Slicer shows them (R, A, S)."
    )


def _extent(low: Any, high: Any) -> str:
    return ", ".join(f"{axis} {a:.1f} to {b:.1f}" for axis, a, b in zip("RAS", low, high, strict=True))
