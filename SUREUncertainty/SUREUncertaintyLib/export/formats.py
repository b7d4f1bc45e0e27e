"""The formats that a result can be exported to."""

from __future__ import annotations

from enum import Enum

from ..core.errors import InputError


class ExportFormat(str, Enum):
    """Values are what a person types."""

    NRRD = "nrrd"
    NIFTI = "nifti"
    CSV = "csv"
    HTML = "html"
    DICOM_SEG = "dicom-seg"
    DICOM_MAP = "dicom-map"

    @property
    def needs_source(self) -> bool:
        """Whether it refers to the DICOM series that was segmented."""
        return self in (ExportFormat.DICOM_SEG, ExportFormat.DICOM_MAP)


FORMAT_NAMES = {
    ExportFormat.NRRD: "NRRD: segmentation with names and colours, maps",
    ExportFormat.NIFTI: "NIfTI: label map and maps",
    ExportFormat.CSV: "CSV: tables of structures and doubtful places",
    ExportFormat.HTML: "HTML: the report",
    ExportFormat.DICOM_SEG: "DICOM Segmentation",
    ExportFormat.DICOM_MAP: "DICOM Parametric Map of doubt",
}


def parse_format(text: str) -> ExportFormat:
    """Raises ``InputError`` for an unknown format."""
    try:
        return ExportFormat(text)
    except ValueError:
        known = ", ".join(item.value for item in ExportFormat)
        raise InputError(f"The format '{text}' is not known. Choose one of {known}.") from None
