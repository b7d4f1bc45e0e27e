"""A DICOM Parametric Map (PS3.3 A.75) of uncertainty: float32, with what a value means as a coded quantity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..core.volume import Volume
from .content import ExportContent
from .dicom_attributes import making
from .dicom_codes import NO_UNITS, as_dicom, code_value, quantity_of, require_highdicom
from .dicom_object import common_arguments, save_object
from .dicom_series import DicomSeries
from .not_analysed import BACKGROUND, with_background


def write_dicom_map(content: ExportContent, kind: str, series: DicomSeries, path: Path, number: int) -> None:
    """Write one uncertainty map without loss.

    Voxels that were not analysed (NaN) hold the Float Pixel Padding Value (PS3.3 C.7.6.24).

    Args:
        kind: a key of ``content.maps``.
        number: of the object in this export, from 1.

    Raises:
        InputError: the map does not lie on the series. EngineError: no highdicom. OutputError.
    """
    require_highdicom()
    from highdicom import pm

    volume: Volume = content.maps[kind]
    values = with_background(np.ascontiguousarray(series.arrange(volume), np.float32))
    with making("parametric map"):
        made = pm.ParametricMap(
            pixel_array=values,
            contains_recognizable_visual_features=False,
            real_world_value_mappings=[_mapping(kind)],
            window_center=0.5,
            window_width=1.0,
            **common_arguments(content, series, number),
        )
    made.FloatPixelPaddingValue = BACKGROUND
    made.SeriesDescription = f"Uncertainty ({kind}) of {content.model[0]}"[:64]
    save_object(made, path)


def _mapping(kind: str) -> Any:
    """The stored value is the quantity itself, without a unit, in 0..1."""
    from highdicom import pm

    quantity = quantity_of(kind)
    return pm.RealWorldValueMapping(
        lut_label=code_value(kind),
        lut_explanation=quantity.meaning,
        unit=as_dicom(NO_UNITS),
        value_range=(0.0, 1.0),
        slope=1.0,
        intercept=0.0,
        quantity_definition=as_dicom(quantity),
    )
