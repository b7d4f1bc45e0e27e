"""A DICOM Segmentation (PS3.3 A.51) of a result, which refers to the images that were segmented."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.labels import Label
from .content import ExportContent
from .dicom_attributes import making
from .dicom_codes import TISSUE, as_dicom, require_highdicom
from .dicom_object import algorithm, common_arguments, save_object
from .dicom_series import DicomSeries

NOTHING = (
    "Nothing was segmented, and DICOM has no segmentation without a voxel. Check the region, or use NRRD or NIfTI."
)
PRIVATE_GROUP, PRIVATE_CREATOR = 0x0099, "SURE UNCERTAINTY"
FORECAST = ("predicted_dice", "predicted_dice_low", "predicted_dice_high")
LEFT_OUT = "Left out of the DICOM segmentation, because nothing of them was found: {names}."


def write_dicom_segmentation(content: ExportContent, series: DicomSeries, path: Path) -> tuple[str, ...]:
    """Write the structures as a binary DICOM Segmentation, segments numbered 1, 2, ... in the order of the labels.

    Returns:
        Sentences about what was left out.

    Raises:
        InputError: nothing was segmented, or the result does not lie on the series. EngineError: no highdicom.
        OutputError.
    """
    require_highdicom()
    from highdicom import seg

    labels = series.arrange(content.labels)
    found = set(np.unique(labels).tolist())
    kept = [label for label in content.label_set if label.value in found]
    if not kept:
        raise InputError(NOTHING)
    numbers = np.zeros(256, np.uint8)
    for number, label in enumerate(kept, 1):
        numbers[label.value] = number
    with making("segmentation"):
        made = seg.Segmentation(
            pixel_array=numbers[labels],
            segmentation_type=seg.SegmentationTypeValues.BINARY,
            segment_descriptions=_descriptions(content, kept),
            **common_arguments(content, series, 1),
        )
    made.SeriesDescription = f"Segmentation by {content.model[0]}"[:64]
    save_object(made, path)
    missing = [label.name for label in content.label_set if label not in kept]
    return (LEFT_OUT.format(names=", ".join(missing)),) if missing else ()


def _descriptions(content: ExportContent, kept: Sequence[Label]) -> list[Any]:
    return [_description(content, label, number) for number, label in enumerate(kept, 1)]


def _description(content: ExportContent, label: Label, number: int) -> Any:
    from highdicom import UID, seg
    from highdicom.color import CIELabColor

    types = seg.SegmentAlgorithmTypeValues
    red, green, blue = (round(255 * part) for part in label.color)
    made = seg.SegmentDescription(
        segment_number=number,
        segment_label=label.name[:64],
        segmented_property_category=as_dicom(label.category or TISSUE),
        segmented_property_type=as_dicom(label.type or TISSUE),
        algorithm_type=types.AUTOMATIC if content.is_automatic else types.SEMIAUTOMATIC,
        algorithm_identification=algorithm(content),
        tracking_uid=UID(),
        tracking_id=f"{content.model[0]}: {label.name}"[:64],
    )
    made.RecommendedDisplayCIELabValue = list(CIELabColor.from_rgb(red, green, blue).value)
    if label.modifier is not None:
        kind = made.SegmentedPropertyTypeCodeSequence[0]
        kind.SegmentedPropertyTypeModifierCodeSequence = [as_dicom(label.modifier)]
    _add_forecast(made, content, label)
    return made


def _add_forecast(made: Any, content: ExportContent, label: Label) -> None:
    """The predicted Dice as private elements of the segment: DICOM has no place for it in a segmentation.

    Group 0099, creator ``PRIVATE_CREATOR``: 01 predicted Dice, 02 and 03 its interval (90 %), all FD.
    """
    if content.is_edited:
        return  # the forecast is of the outline before a person changed it
    rows = [row for row in content.document.get("structures", ()) if row.get("value") == label.value]
    values = [rows[0].get(name) for name in FORECAST] if rows else []
    if any(value is None for value in values) or not values:
        return
    block = made.private_block(PRIVATE_GROUP, PRIVATE_CREATOR, create=True)
    for element, value in enumerate(values, 1):
        block.add_new(element, "FD", float(value))
