"""Days as DICOM writes them."""

from __future__ import annotations

from datetime import datetime


def day_of_dicom(text: str) -> str:
    """A DICOM date or date with time (YYYYMMDD...) as YYYY-MM-DD; empty for what is no date."""
    try:
        return datetime.strptime(f"{text[:8]:>8}", "%Y%m%d").date().isoformat()
    except ValueError:
        return ""
