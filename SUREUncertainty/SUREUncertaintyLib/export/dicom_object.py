"""What DICOM objects of ours have in common: who made them, names, references, and the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .. import __version__
from ..core.wording import DISCLAIMER
from ..files.output_errors import output_error
from ..files.writing import discard
from .content import ExportContent
from .dicom_attributes import quiet_dicom
from .dicom_codes import CONSENSUS, SCHEME, as_dicom, label_text
from .dicom_series import DicomSeries

MANUFACTURER = "SURE Uncertainty developers"
PRODUCT = "SURE Uncertainty"
_SERIES_STEP = 100


def common_arguments(content: ExportContent, series: DicomSeries, number: int) -> dict[str, Any]:
    """Arguments that highdicom's classes share; every object is a series of its own in the scan's study.

    Args:
        number: of the object in this export, from 1.
    """
    from highdicom import UID

    name, version, fingerprint = content.model
    first = series.datasets[0]
    return {
        "source_images": series.datasets,
        "series_instance_uid": UID(),
        "series_number": (int(first.get("SeriesNumber") or 0) + 1) * _SERIES_STEP + number,
        "sop_instance_uid": UID(),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": PRODUCT,
        "software_versions": [f"{PRODUCT} {__version__}"[:64], f"{name} {version}"[:64]],
        "device_serial_number": fingerprint[:64],
        "content_description": DISCLAIMER,
        "content_label": label_text(name),
    }


def algorithm(content: ExportContent) -> Any:
    """The network that drew the segments, or the votes of outlines that did."""
    from highdicom import AlgorithmIdentificationSequence
    from pydicom.sr.codedict import codes

    name, version, fingerprint = content.model
    return AlgorithmIdentificationSequence(
        name=name[:64],
        family=as_dicom(CONSENSUS) if content.is_consensus else codes.DCM.ArtificialIntelligence,
        version=version[:64],
        source=PRODUCT,
        parameters={"fingerprint": fingerprint},
    )


def save_object(dataset: Any, path: Path) -> None:
    """Write a DICOM object; whole or not at all. Raises ``OutputError``."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    dataset.CodingSchemeIdentificationSequence = [_own_codes()]
    dataset.SeriesDate, dataset.SeriesTime = dataset.ContentDate, dataset.ContentTime
    if "ContentCreatorName" not in dataset:
        dataset.ContentCreatorName = ""  # has to be there; nobody's name is known
    try:
        with quiet_dicom():
            dataset.save_as(partial)
        partial.replace(path)
    except OSError as error:
        discard(partial)
        raise output_error(error, path) from error


def _own_codes() -> Any:
    """Names the scheme of our own codes, as DICOM asks of private ones."""
    from pydicom import Dataset

    item = Dataset()
    item.CodingSchemeDesignator = SCHEME
    item.CodingSchemeName = f"{PRODUCT}: kinds of uncertainty"
    item.CodingSchemeResponsibleOrganization = MANUFACTURER
    return item
