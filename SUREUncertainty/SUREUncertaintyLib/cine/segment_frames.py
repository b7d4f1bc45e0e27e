"""Every frame of a scan over time through the model, and the two frames that matter as whole results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..analysis.ejection_fraction import (
    CavityVolume,
    Ejection,
    cavity_slices,
    ejection,
    end_slices,
    find_phases,
)
from ..analysis.verdict import DO_NOT_USE
from ..analysis.volume_range import MM3_PER_ML
from ..core.errors import InputError
from ..core.geometry import across_stack
from ..core.labels import Label
from ..core.progress import IsCancelled, Progress, never, part_of, silent
from ..core.roi import Roi
from ..core.volume_sequence import VolumeSequence
from ..inference.engine import Engine
from ..inference.result import SegmentationResult
from ..inference.segmenter import segment
from .cine_result import CineResult, FrameMeasure, require_one_region

if TYPE_CHECKING:
    from ..packages.package import Package

NOTHING_FOUND = "No ejection fraction is given: frame {frame} shows no {structure}."
NO_FACTOR = "No ejection fraction is given: this model brings nothing that its interval could be calibrated with."
NO_BOUND = "No ejection fraction is given: nothing of the {structure} is certain in frame {frame}."
APART = (
    "No ejection fraction is given: the {structure} of frame {first} and that of frame {second} do not lie in the same "
    "place, so that one of them must be something else. Look at both outlines."
)
SHARED = 0.5
"""Share of the smaller cavity that lies in the larger one at least: a cavity that contracts stays where it is."""

UNUSABLE = "No ejection fraction is given: frame {frame} should not be used. {reason}"


def segment_frames(
    sequence: VolumeSequence,
    package: Package,
    engine: Engine,
    rois: Sequence[Roi] = (),
    phases: tuple[int, int] | None = None,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> CineResult:
    """Segment every frame, follow the volume, and keep the whole results of end-diastole and end-systole.

    Args:
        rois: one box at most, the same in every frame.
        phases: numbers of end-diastole and end-systole where a person knows them; else the frames of the largest and
            the smallest volume are taken.

    Raises:
        InputError: several boxes, a frame that does not exist, or as ``segment``. Others: as ``segment``.
    """
    _check(sequence, rois, phases)
    structure = _followed(package, rois)
    count = len(sequence.frames)
    labels = np.zeros((count, *sequence.grid.shape), np.uint8)
    uncertainty = np.full(labels.shape, np.nan, np.float16)
    measures = []
    for number, frame in enumerate(sequence.frames):
        share = part_of(progress, number / (count + 2), (number + 1) / (count + 2), f"frame {number + 1} of {count}: ")
        try:
            result = segment(frame, package, engine, rois, progress=share, is_cancelled=is_cancelled, follow=False)
        except InputError as error:
            raise InputError(f"Frame {number + 1} of {count}: {error}") from error
        labels[number], uncertainty[number] = result.labels.array, result.uncertainty.array
        measures.append(_measure(number, sequence, result, structure))
    found = phases or find_phases([measure.volume.volume for measure in measures])
    ed, es = (
        segment(sequence.frames[number], package, engine, rois, is_cancelled=is_cancelled, follow=False)
        for number in found
    )
    progress(1.0, "measured")
    masks = [labels[number] == structure.value for number in found]
    fraction, why = _ejection(package, [measures[number] for number in found], masks, structure)
    return CineResult(sequence, structure, tuple(measures), labels, uncertainty, ed, es, found, fraction, why)


def cavity_volume(result: SegmentationResult, value: int) -> CavityVolume:
    """The volume of a label with its range and its end slices, ml."""
    row = next(row for row in result.structures if row.value == value)
    grid = result.labels.grid
    voxel_ml = grid.voxel_volume_mm3 / MM3_PER_ML
    ends = end_slices(cavity_slices(result.labels.array, value, 2 - across_stack(grid)))
    bounds = (row.volume_low_ml, row.volume_high_ml)
    low, high = (row.volume_ml if math.isnan(bound) else bound for bound in bounds)
    return CavityVolume(row.volume_ml, low, high, (ends[0] * voxel_ml, ends[1] * voxel_ml))


def _check(sequence: VolumeSequence, rois: Sequence[Roi], phases: tuple[int, int] | None) -> None:
    require_one_region(rois)
    for number in phases or ():
        if not 0 <= number < len(sequence.frames):
            raise InputError(f"There is no frame {number + 1}: the scan has {len(sequence.frames)} frames.")


def _followed(package: Package, rois: Sequence[Roi]) -> Label:
    """The label of the curve, named as results name it."""
    facts = package.metadata
    value = facts.cavity.value if facts.cavity is not None else facts.foreground[0].value
    label = next(label for label in facts.foreground if label.value == value)
    return replace(label, name=f"{rois[0].name} {label.name}") if rois else label


def _measure(number: int, sequence: VolumeSequence, result: SegmentationResult, structure: Label) -> FrameMeasure:
    time = sequence.times_ms[number] if sequence.times_ms else math.nan
    return FrameMeasure(number, time, cavity_volume(result, structure.value), result.verdict)


def _ejection(
    package: Package, frames: Sequence[FrameMeasure], masks: Sequence[NDArray[np.bool_]], structure: Label
) -> tuple[Ejection | None, str]:
    """The ejection fraction, or why there is none; nothing of both for models of no cavity."""
    cavity = package.metadata.cavity
    if cavity is None:
        return None, ""
    if math.isnan(cavity.outline_factor):
        return None, NO_FACTOR
    for frame in frames:
        words = {"frame": frame.number + 1, "structure": structure.name}
        if frame.volume.volume <= 0:
            return None, NOTHING_FOUND.format(**words)
        if frame.verdict.status == DO_NOT_USE:
            return None, UNUSABLE.format(reason=frame.verdict.reasons[0], **words)
        if frame.volume.low <= 0:
            return None, NO_BOUND.format(**words)
    if (masks[0] & masks[1]).sum() < SHARED * min(mask.sum() for mask in masks):
        first, second = (frame.number + 1 for frame in frames)
        return None, APART.format(structure=structure.name, first=first, second=second)
    return ejection(frames[0].volume, frames[1].volume, cavity.outline_factor), ""
