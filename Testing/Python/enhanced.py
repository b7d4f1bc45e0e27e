"""Enhanced multi-frame DICOM files as scanners write them, and as they should not be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from SUREUncertaintyLib.core.volume import Volume

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


def frame_positions(volume: Volume) -> NDArray[np.float64]:
    """LPS mm of the first pixel of each slice."""
    matrix = volume.grid.ijk_to_lps
    return np.array([matrix[:3, 2] * k + matrix[:3, 3] for k in range(volume.grid.shape[0])])


def write_enhanced(
    path: Path,
    volume: Volume,
    order: Sequence[int] | None = None,
    positions: NDArray[np.float64] | None = None,
    rescales: Sequence[tuple[float, float]] | None = None,
    frame_types: Sequence[str] | None = None,
    echo_times: Sequence[float] | None = None,
    stacks: Sequence[str] | None = None,
    turned: Sequence[int] = (),
    syntax: str = ExplicitVRLittleEndian,
    **attributes: Any,
) -> Path:
    """Write slices ``order`` of a volume of int16 as frames; all other sequences run along the frames of the file.

    Args:
        turned: frames whose rows run the other way.
        attributes: of the data set, by keyword.
    """
    order = range(volume.grid.shape[0]) if order is None else order
    places = (frame_positions(volume) if positions is None else positions)[list(order)]
    dataset = _common(volume, len(order))
    dataset.SharedFunctionalGroupsSequence = [_shared(volume, rescales is None)]
    dataset.PerFrameFunctionalGroupsSequence = [_item(FrameContentSequence=_item()) for _ in order]
    cosines = np.reshape(volume.grid.direction, (3, 3)).T[:2].ravel()
    for n, item in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        item.PlanePositionSequence = [_item(ImagePositionPatient=_decimals(places[n]))]
        if n in turned:
            item.PlaneOrientationSequence = [_item(ImageOrientationPatient=_decimals([*-cosines[:3], *cosines[3:]]))]
        if rescales is not None:
            item.PixelValueTransformationSequence = [_rescale(*rescales[n])]
        if frame_types is not None:
            item.MRImageFrameTypeSequence = [_item(FrameType=["ORIGINAL", "PRIMARY", frame_types[n], "NONE"])]
        if echo_times is not None:
            item.MREchoSequence = [_item(EffectiveEchoTime=echo_times[n])]
        if stacks is not None:
            item.FrameContentSequence[0].StackID = stacks[n]
    dataset.PixelData = np.ascontiguousarray(volume.array[list(order)], "<i2").tobytes()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    if syntax != ExplicitVRLittleEndian:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)
    return path


def _common(volume: Volume, count: int) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = ENHANCED_MR, generate_uid()
    dataset.Modality, dataset.SeriesDescription, dataset.SeriesNumber = "MR", "T1 frames", 5
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = (generate_uid() for _ in "abc")
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = count, *volume.grid.shape[1:]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    return dataset


def _shared(volume: Volume, with_rescale: bool) -> Dataset:
    x, y, z = volume.grid.spacing
    cosines = np.reshape(volume.grid.direction, (3, 3)).T[:2].ravel()
    shared = _item(
        PlaneOrientationSequence=_item(ImageOrientationPatient=_decimals(cosines)),
        PixelMeasuresSequence=_item(PixelSpacing=[y, x], SliceThickness=z, SpacingBetweenSlices=z),
    )
    if with_rescale:
        shared.PixelValueTransformationSequence = [_rescale(1, 0)]
    return shared


def _rescale(slope: float, intercept: float) -> Dataset:
    return _item(RescaleSlope=slope, RescaleIntercept=intercept, RescaleType="US")


def _decimals(values: Any) -> list[str]:
    return [f"{value:.9f}"[:16] for value in values]


def _item(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, [value] if isinstance(value, Dataset) else value)
    return item
