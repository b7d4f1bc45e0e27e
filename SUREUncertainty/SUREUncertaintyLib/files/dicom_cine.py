"""Cine DICOM: several images at every position of a stack, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from ..core.errors import InputError
from ..core.volume import Volume
from .dicom import read_slices
from .dicom_elements import read_elements
from .dicom_folder import DicomFolder, series_title
from .dicom_header import DicomSlice

_TRIGGER, _TIME_POINT, _INSTANCE = 0x00181060, 0x00200100, 0x00200013
_CLOCKS = ((_TRIGGER, "trigger time"), (_TIME_POINT, "time point"), (_INSTANCE, "instance number"))
_OTHER_CONTRAST = ("image type", "echo time", "inversion time", "flip angle", "b-value")
_SAME_PLACE = 1e-2
"""mm along the normal up to which images lie at one position."""

FEWEST_FRAMES = 3
"""Images at one position; two are as often two echoes, or magnitude and phase, as two points in time."""


def cine_slices(found: DicomFolder) -> list[DicomSlice]:
    """The headers of a cine in a folder: one series, or one a position, as scanners export short-axis stacks.

    Empty where the folder holds no cine: some position has a single image, or series differ in how they lie.
    """
    slices = list(found.scans)
    usable = [s for s in slices if s.position is not None and s.oriented and s.sized and s.size[2] == 1]
    if len(usable) < len(slices) or not slices or not _parallel(slices):
        return []
    counts = [len(place) for place in by_place(slices)]
    alike = min(counts) == max(counts) >= FEWEST_FRAMES
    if len(found.series) == 1:
        return slices if min(counts) >= FEWEST_FRAMES else []
    return slices if alike and all(len(by_place(group)) == 1 for group in found.series.values()) else []


def by_place(slices: Sequence[DicomSlice]) -> list[list[DicomSlice]]:
    """The slices by position along their normal, lowest first."""
    ordered = sorted(slices, key=lambda header: header.depth)
    marks = np.cumsum([0, *(np.diff([header.depth for header in ordered]) > _SAME_PLACE)])
    pairs = groupby(zip(marks, ordered, strict=True), key=lambda pair: int(pair[0]))
    return [[header for _, header in group] for _, group in pairs]


def read_cine(slices: Sequence[DicomSlice], name: str) -> tuple[list[Volume], tuple[float, ...]]:
    """The volumes in the order of time, and their times in ms since the first where trigger times tell them.

    Raises:
        InputError: positions have different numbers of images, nothing tells their order, or a volume is no stack.
    """
    places = by_place(slices)
    counts = sorted({len(place) for place in places})
    if len(counts) > 1:
        raise InputError(
            f"The DICOM cine {series_title(slices)} has {counts[0]} to {counts[-1]} images at its {len(places)} "
            "positions. As many at each are expected: copy or export the whole series again."
        )
    tag, clock = _clock(slices)
    timed = [_in_time(place, tag, clock) for place in places]
    volumes = [read_slices([place[frame][1] for place in timed], name) for frame in range(counts[0])]
    times = np.mean([[time for time, _ in place] for place in timed], axis=0) if tag == _TRIGGER else np.zeros(0)
    return volumes, tuple(float(time - times[0]) for time in times)


def _parallel(slices: Sequence[DicomSlice]) -> bool:
    """Whether all lie alike and have one contrast: echoes, b-values, magnitude and phase are no points in time."""
    first = slices[0]
    return all(
        s.size == first.size
        and all(dict(s.kind)[name] == dict(first.kind)[name] for name in _OTHER_CONTRAST)
        and np.abs(s.direction - first.direction).max() < 1e-3
        and np.abs(np.subtract(s.spacing[:2], first.spacing[:2])).max() < 1e-3
        for s in slices
    )


def _clock(slices: Sequence[DicomSlice]) -> tuple[int, str]:
    """The first tag that every file has and that differs between the images of a position."""
    place = by_place(slices)[0]
    for tag, name in _CLOCKS:
        values = [read_elements(header.path).numbers(tag)[:1] for header in place]
        if all(values) and len(set(values)) == len(values):
            return tag, name
    raise InputError(
        f"The DICOM series {series_title(slices)} holds several images at the same position, and neither trigger time "
        "nor time point nor instance number tells their order. Save one volume of it, for instance in 3D Slicer."
    )


def _in_time(place: Sequence[DicomSlice], tag: int, clock: str) -> list[tuple[float, DicomSlice]]:
    """The images of one position with their times, in that order."""
    found = [(read_elements(header.path).numbers(tag)[:1], header) for header in place]
    values = [value for value, _ in found]
    if not all(values) or len(set(values)) < len(values):
        raise InputError(
            f"The DICOM cine {series_title(place)} does not give every image of a position its own {clock}. "
            "Copy or export the whole series again."
        )
    return sorted(((value[0], header) for value, header in found), key=lambda pair: pair[0])
