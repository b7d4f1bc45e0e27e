"""Whether slices in order along their normal form one regular stack; each refusal says how they do not."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from .dicom_folder import listed, series_title
from .dicom_header import DicomSlice

_ROUNDINGS = (0.1, 0.01, 0.001)
_UNEVEN = 0.05
"""Share of a step by which a slice may lie off its place."""

_SAME_PLACE = 1e-3
_RUN = 3
"""Steps of one length in a row that are a spacing of their own and no gap."""


_CONTRASTS = ("frame type", "image type", "component", "echo time", "b-value", "stack")
_SAME_NUMBER = 0.02
"""Share by which echo times of one volume may differ, as some scanners write each slice's own."""

_DECIMAL = re.compile(r"\d+(\.\d*)?([eE][+-]?\d+)?")
_VALUES = {
    *("M", "P", "R", "I", "M_FFE", "P_FFE", "R_FFE", "I_FFE", "M_SE", "P_SE", "R_SE", "I_SE", "M_IR", "R_IR"),
    *("MAGNITUDE", "PHASE", "PHASE MAP", "REAL", "IMAGINARY", "MIXED", "VELOCITY", "VELOCITY MAP"),
    *("WATER", "FAT", "W", "F", "IN_PHASE", "OUT_PHASE", "IP", "OP", "ADC"),
}
"""Words of an image or frame type that name what a voxel's value is; the others say how it was made."""


def require_regular(ordered: Sequence[DicomSlice]) -> None:
    """Raise ``InputError`` unless slices of one kind lie one above the other at even distances, one at each."""
    depths = np.array([header.depth for header in ordered])
    steps = np.diff(depths)
    if steps.min() < _SAME_PLACE:
        raise _several_at_one_place(ordered, depths)
    slack = _rounding(ordered)
    usual = (depths[-1] - depths[0]) / len(steps)
    along = slack * float(np.abs(ordered[0].direction[:, 2]).sum())
    off_place = np.abs(depths - depths[0] - usual * np.arange(len(depths))).max()
    off_step = np.abs(steps - usual).max()
    if off_place > max(_UNEVEN * usual, along) or off_step > max(2 * _UNEVEN * usual, along * (1 + 1 / len(steps))):
        raise _irregular(ordered, depths, steps, along)
    _require_straight(ordered, slack * 3**0.5)
    _require_one_kind(ordered)


def _rounding(ordered: Sequence[DicomSlice]) -> float:
    """mm along each axis by which two slices may be off because positions were written with few decimals; 0.1 at most.

    Along the normal that is as much times the sum of its cosines, 0.1 to 0.17 mm.
    """
    positions = np.array([header.position for header in ordered])
    for unit in _ROUNDINGS:
        if np.abs(positions / unit - np.rint(positions / unit)).max() < 1e-4:
            return unit * (1 + 1e-6)
    return 0.0


def _several_at_one_place(ordered: Sequence[DicomSlice], depths: NDArray[np.float64]) -> InputError:
    places = 1 + int(np.count_nonzero(np.diff(depths) >= _SAME_PLACE))
    found = {name: list(dict.fromkeys(dict(header.kind)[name] for header in ordered)) for name, _ in ordered[0].kind}
    differ = [f"{name} ({', '.join(values)})" for name, values in found.items() if 1 < len(values) <= len(ordered) // 2]
    count = len(ordered) / places
    volumes = f"{count:.0f} volumes" if count == round(count) and count > 1 else "more images than places"
    why = f"They differ in {listed(differ)}" if differ else "A scan over time, several echoes, or a copy of a slice"
    return InputError(
        f"The DICOM series {series_title(ordered)} holds several images at the same position: {volumes}. {why}. "
        "One image a position is expected: export the one volume that you need as a series of its own, or load the "
        "series in Slicer and save that volume as NRRD."
    )


def _irregular(
    ordered: Sequence[DicomSlice], depths: NDArray[np.float64], steps: NDArray[np.float64], slack: float
) -> InputError:
    title = series_title(ordered)
    stacks = list(dict.fromkeys(dict(header.kind).get("stack", "") for header in ordered))
    if len(stacks) > 1:
        return InputError(
            f"The DICOM series {title} holds {len(stacks)} stacks ({listed(stacks)}). One stack is expected: export "
            "each as a series of its own, or load the series in Slicer and save one of its volumes as NRRD."
        )
    runs = _spacings(steps, slack)
    if runs:
        parts = [f"{steps[a:b].mean():.2f} mm from {depths[a]:.1f} to {depths[b]:.1f} mm" for a, b in runs]
        return InputError(
            f"The DICOM series {title} changes its slice spacing: {listed(parts)} along the slice direction. "
            "One spacing is expected: export each part as a series of its own, or resample the series."
        )
    usual = float(statistics.median_low(steps))
    gaps = [n for n, step in enumerate(steps) if step > 1.5 * usual + slack]
    if gaps:
        places = [f"{_missing(steps[n], usual)} between {depths[n]:.1f} and {depths[n + 1]:.1f} mm" for n in gaps]
        return InputError(
            f"Slices are missing in the DICOM series {title}: {listed(places)} along the slice direction "
            f"(usual step {usual:.2f} mm). Copy or export the whole series again."
        )
    return InputError(
        f"The slices of the DICOM series {title} are unevenly spaced ({steps.min():.2f} to {steps.max():.2f} mm). "
        "Resample the series to an even spacing first."
    )


def _spacings(steps: NDArray[np.float64], slack: float) -> list[tuple[int, int]]:
    """The runs of steps of a series that changes its spacing, perhaps with one odd step in between; else none."""
    found = _runs(steps, slack)
    runs = [(first, last) for first, last in found if last - first >= _RUN]
    odd = [last - first for first, last in found if last - first < _RUN]
    lengths = [steps[first:last].mean() for first, last in runs]
    changes = len(runs) > 1 and all(abs(b - a) > max(_UNEVEN * min(a, b), slack) for a, b in pairwise(lengths))
    return runs if changes and len(odd) < len(runs) and all(count == 1 for count in odd) else []


def _runs(steps: NDArray[np.float64], slack: float) -> list[tuple[int, int]]:
    """First and last step (exclusive) of each run of steps of one length, where the length changes clearly."""
    marks: list[int] = [0]
    for before, after in pairwise(steps):
        differs = abs(after - before) > max(_UNEVEN * min(before, after), slack)
        marks.append(marks[-1] + int(differs))
    groups = [[n for n, _ in group] for _, group in groupby(enumerate(marks), key=lambda item: item[1])]
    return [(group[0], group[-1] + 1) for group in groups]


def _missing(step: float, usual: float) -> str:
    count = max(1, round(step / usual) - 1)
    return f"{count} slice{'s' if count > 1 else ''}"


def _require_one_kind(ordered: Sequence[DicomSlice]) -> None:
    """Places may be taken in turns by two echoes, or half of them hold phases: one grid, but no volume."""
    kinds = [dict(header.kind) for header in ordered]
    for name in _CONTRASTS:
        values = list(dict.fromkeys(kind.get(name, "") for kind in kinds))
        if len(values) > 1 and not _alike(name, values):
            raise InputError(
                f"The slices of the DICOM series {series_title(ordered)} are pictures of {len(values)} kinds: they "
                f"differ in {name} ({', '.join(value or 'none' for value in values[:4])}). One kind is expected: "
                "export each as a series of its own."
            )


def _alike(name: str, values: list[str]) -> bool:
    if name == "echo time":
        numbers = [float(value) for value in values if _DECIMAL.fullmatch(value)]
        return len(numbers) == len(values) and max(numbers) - min(numbers) <= _SAME_NUMBER * max(numbers)
    if name in ("frame type", "image type"):
        return len({frozenset(_VALUES & set(value.upper().split("\\"))) for value in values}) == 1
    return False


def _require_straight(ordered: Sequence[DicomSlice], slack: float) -> None:
    first, last = ordered[0], ordered[-1]
    positions = np.array([header.position for header in ordered])
    sideways = np.linalg.norm((positions - positions[0]) @ first.direction[:, :2], axis=1).max()
    if sideways > 0.005 * abs(last.depth - first.depth) + max(0.01, slack):
        raise InputError(
            f"The slices of the DICOM series {series_title(ordered)} are shifted against each other (gantry tilt). "
            "Load the series in Slicer, which straightens it, and save the volume as NRRD."
        )
