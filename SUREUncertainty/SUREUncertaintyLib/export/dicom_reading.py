"""Reads the voxels of DICOM segmentations and parametric maps back, for checks and for tools without an importer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.volume import Grid, Volume
from .dicom_attributes import quiet_dicom

_STEP_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class DicomSegments:
    """Binary segments of one DICOM Segmentation; they may overlap.

    Attributes:
        masks: bool by segment number, all on one grid that the frames span.
        names: SegmentLabel by segment number.
    """

    masks: dict[int, Volume]
    names: dict[int, str]


def read_dicom_segments(path: Path) -> DicomSegments:
    """Read a binary DICOM Segmentation.

    Raises:
        InputError: another object, another kind of segmentation, or frames that are no even stack.
    """
    dataset = _read(path, "SEG", "segmentation")
    if dataset.SegmentationType != "BINARY":
        raise InputError(f"The DICOM segmentation {path.name} is {dataset.SegmentationType}; a binary one is expected.")
    grid, numbers = _stack(dataset)
    pixels = np.atleast_3d(dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns))
    segments = [_segment_of(dataset, frame) for frame in range(len(pixels))]
    names = {int(item.SegmentNumber): str(item.SegmentLabel) for item in dataset.SegmentSequence}
    masks = {}
    for number in names:
        array = np.zeros(grid.shape, bool)
        for frame, slice_number in enumerate(numbers):
            if segments[frame] == number:
                array[slice_number] |= pixels[frame] != 0
        masks[number] = Volume(array, grid, names[number])
    return DicomSegments(masks, names)


def read_dicom_map(path: Path) -> Volume:
    """Read a float DICOM Parametric Map, real-world values applied. Raises ``InputError`` as above."""
    dataset = _read(path, "", "parametric map")
    grid, numbers = _stack(dataset)
    pixels = np.frombuffer(dataset.get("FloatPixelData", b""), "<f4")
    if pixels.size != np.prod(grid.shape):
        raise InputError(f"The DICOM parametric map {path.name} does not hold float values, which are expected.")
    mapping = _group(dataset, 0, "RealWorldValueMappingSequence")
    slope, intercept = float(mapping.RealWorldValueSlope), float(mapping.RealWorldValueIntercept)
    array = np.empty(grid.shape, np.float32)
    array[numbers] = pixels.reshape(-1, dataset.Rows, dataset.Columns) * np.float32(slope) + np.float32(intercept)
    return Volume(array, grid, str(dataset.get("SeriesDescription", path.stem)))


def _read(path: Path, modality: str, what: str) -> Any:
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        with quiet_dicom():
            dataset = dcmread(path)
    except (OSError, InvalidDicomError):
        raise InputError(f"The file {path.name} cannot be read as DICOM. Choose a DICOM {what}.") from None
    if (modality and dataset.get("Modality") != modality) or "PerFrameFunctionalGroupsSequence" not in dataset:
        raise InputError(f"The DICOM file {path.name} is no {what} ({dataset.get('Modality', 'unknown')}).")
    return dataset


def _group(dataset: Any, frame: int, keyword: str) -> Any:
    """A functional group of a frame, from where it is shared or from the frame's own."""
    own = dataset.PerFrameFunctionalGroupsSequence[frame]
    shared = dataset.SharedFunctionalGroupsSequence[0]
    return (own if keyword in own else shared)[keyword][0]


def _segment_of(dataset: Any, frame: int) -> int:
    return int(_group(dataset, frame, "SegmentIdentificationSequence").ReferencedSegmentNumber)


def _stack(dataset: Any) -> tuple[Grid, NDArray[np.intp]]:
    """The grid that the frames span (gaps are slices without a frame), and the slice of each frame."""
    count = int(dataset.NumberOfFrames)
    places = [_group(dataset, frame, "PlanePositionSequence").ImagePositionPatient for frame in range(count)]
    positions = np.array(places, float)
    cosines = np.array(_group(dataset, 0, "PlaneOrientationSequence").ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(*cosines)
    measures = _group(dataset, 0, "PixelMeasuresSequence")
    depths = positions @ normal
    step = _step(depths, measures)
    numbers = np.rint((depths - depths.min()) / step).astype(int)
    if np.abs(depths - depths.min() - numbers * step).max() > _STEP_TOLERANCE * step:
        raise InputError("The frames of the DICOM object are unevenly spaced, so that they form no volume.")
    rows, columns = (float(value) for value in measures.PixelSpacing)
    x, y, z = positions[int(depths.argmin())].tolist()
    direction = np.column_stack([*cosines, normal])
    shape = (int(numbers.max()) + 1, int(dataset.Rows), int(dataset.Columns))
    return Grid(shape, (columns, rows, step), (x, y, z), tuple(direction.ravel().tolist())), numbers


def _step(depths: NDArray[np.float64], measures: Any) -> float:
    """Distance between neighbouring slices, mm."""
    steps = np.diff(np.unique(np.round(depths, 4)))
    if steps.size:
        return float(steps.min())
    return float(measures.get("SpacingBetweenSlices") or measures.SliceThickness)
