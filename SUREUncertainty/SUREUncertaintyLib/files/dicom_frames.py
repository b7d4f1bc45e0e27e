"""The frames of an enhanced multi-frame DICOM file: where each lies and how its values are scaled (PS3.3 C.7.6.16)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import dicom_elements as tags
from .dicom_elements import Elements, damaged, read_elements
from .dicom_header import DicomSlice, direction_of, rescale_of, spacing_of

_CONTENT, _PLANE_POSITION, _PLANE_ORIENTATION, _MEASURES, _VALUES = (
    *(0x00209111, 0x00209113, 0x00209116),
    *(0x00289110, 0x00289145),
)
_KINDS = {
    "frame type": ((0x00189226, 0x00089007, ""), (0x00189329, 0x00089007, "")),
    "component": ((0x00189226, 0x00089208, ""),),
    "echo time": ((0x00189114, 0x00189082, "d"),),
    "b-value": ((0x00189117, 0x00189087, "d"),),
    "heart phase": ((0x00189118, 0x00209153, "d"),),
    "stack": ((_CONTENT, 0x00209056, ""),),
    "time point": ((_CONTENT, 0x00209128, "I"),),
}
"""What tells frames at the same position apart: functional group, its attribute, and how a number is stored."""


def has_frame_groups(elements: Elements) -> bool:
    """Whether a file says for each of its frames where it lies."""
    return tags.PER_FRAME in elements


def read_frames(header: DicomSlice) -> tuple[DicomSlice, ...]:
    """Every frame of an enhanced multi-frame file as a slice, in the order of the file.

    Raises ``InputError`` where the file describes another number of frames than it holds.
    """
    elements = read_elements(header.path)
    own = elements.items(tags.PER_FRAME)
    shared = next(iter(elements.items(tags.SHARED)), Elements({}, elements.order))
    if len(own) != header.size[2]:
        raise damaged(header.path)
    return tuple(_frame(header, number, item, shared) for number, item in enumerate(own))


def _frame(header: DicomSlice, number: int, own: Elements, shared: Elements) -> DicomSlice:
    measures, values = _group(own, shared, _MEASURES), _group(own, shared, _VALUES)
    position = _group(own, shared, _PLANE_POSITION).numbers(tags.POSITION)
    direction = direction_of(_group(own, shared, _PLANE_ORIENTATION).numbers(tags.ORIENTATION))
    spacing = spacing_of(measures.numbers(tags.PIXEL_SPACING))
    thickness = [v for tag in (tags.BETWEEN_SLICES, 0x00180050) for v in measures.numbers(tag) if v > 0]
    i, j = spacing or (1.0, 1.0)
    return replace(
        header,
        position=np.array(position) if len(position) == 3 else None,
        direction=np.eye(3) if direction is None else direction,
        spacing=(i, j, thickness[0] if thickness else 1.0),
        size=(*header.size[:2], 1),
        rescale=rescale_of(values) if values.values else header.rescale,
        oriented=direction is not None,
        sized=spacing is not None,
        thick=bool(thickness),
        kind=tuple((name, _kind(own, shared, places)) for name, places in _KINDS.items()),
        frame=number,
    )


def _group(own: Elements, shared: Elements, tag: int) -> Elements:
    """A functional group of a frame, from its own or from where it is shared; empty where there is none."""
    return next(iter(own.items(tag) or shared.items(tag)), Elements({}, own.order))


def _kind(own: Elements, shared: Elements, places: tuple[tuple[int, int, str], ...]) -> str:
    for group, tag, stored in places:
        found = _group(own, shared, group)
        if tag in found:
            return f"{found.binary(tag, stored):g}" if stored else found.text(tag)
    return ""
