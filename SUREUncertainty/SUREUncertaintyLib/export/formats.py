"""The formats that a result can be exported to."""

from __future__ import annotations

from enum import StrEnum

from ..core.errors import InputError


class ExportFormat(StrEnum):
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


CHOICES: dict[str, tuple[ExportFormat, ...]] = {
    "dicom": (ExportFormat.DICOM_SEG, ExportFormat.DICOM_MAP),
    "nrrd": (ExportFormat.NRRD,),
    "nifti": (ExportFormat.NIFTI,),
    "csv": (ExportFormat.CSV,),
    "html": (ExportFormat.HTML,),
}
"""What panels offer; their names are in ``presenters.texts``."""


def parse_format(text: str) -> ExportFormat:
    """Raises ``InputError`` for an unknown format."""
    try:
        return ExportFormat(text)
    except ValueError:
        known = ", ".join(item.value for item in ExportFormat)
        raise InputError(f"The format '{text}' is not known. Choose one of {known}.") from None
