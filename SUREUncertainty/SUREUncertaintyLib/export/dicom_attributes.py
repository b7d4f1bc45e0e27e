"""Other people's DICOM headers, made fit to be repeated in an object that refers to them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..core.errors import InputError

_REQUIRED = {"FrameOfReferenceUID": "frame of reference", "StudyInstanceUID": "study", "SOPInstanceUID": "image number"}
_MAY_BE_EMPTY = ("PatientID", "PatientName", "PatientSex", "StudyID", "AccessionNumber", "ReferringPhysicianName")
"""DICOM asks for these in every object but lets them be empty; anonymised files often lack them altogether."""

_DATES = ("PatientBirthDate", "StudyDate")
_TIMES = ("StudyTime",)


def complete(dataset: Any, step_mm: float) -> None:
    """Give a header (in memory) what an object that refers to it must repeat; impossible dates become unknown ones.

    Args:
        step_mm: between slices; stands in for a thickness that the header does not give.

    Raises:
        InputError: an attribute is missing that nothing can stand in for.
    """
    for keyword in _MAY_BE_EMPTY:
        if keyword not in dataset:
            setattr(dataset, keyword, "")
    for keyword in (*_DATES, *_TIMES):
        if not _is_moment(keyword, str(dataset.get(keyword) or "")):
            setattr(dataset, keyword, "")
    if not dataset.get("SliceThickness") and "PerFrameFunctionalGroupsSequence" not in dataset:
        dataset.SliceThickness = f"{step_mm:.6g}"
    _use_one_character_set(dataset)
    for keyword, meaning in _REQUIRED.items():
        if not dataset.get(keyword):
            raise InputError(
                f"The DICOM series does not name its {meaning} ({keyword}), which every object that refers to it "
                "must repeat. Export as NRRD or NIfTI, or get the series again from the archive."
            )


def _use_one_character_set(dataset: Any) -> None:
    """Texts of several sets (Japanese, Korean, ...) become UTF-8: highdicom repeats them, but knows no such list."""
    found = dataset.get("SpecificCharacterSet")
    if not found:
        dataset.pop("SpecificCharacterSet", None)
    elif not isinstance(found, str):
        dataset.decode()
        for element in dataset:
            if element.VR == "PN" and element.value:
                element.value = str(element.value)
        dataset.SpecificCharacterSet = "ISO_IR 192"


def require_one_frame_of_reference(datasets: Sequence[Any]) -> None:
    """Refuse images that DICOM does not let one object refer to. Raises ``InputError``."""
    if len({dataset.StudyInstanceUID for dataset in datasets}) > 1:
        raise InputError("The images of the DICOM series name several studies. Get the series again from the archive.")
    if len({dataset.FrameOfReferenceUID for dataset in datasets}) > 1:
        raise InputError(
            "Each image of the DICOM series has a frame of reference of its own (they were acquired separately), so "
            "that no single DICOM object may refer to all of them. Export as NRRD or NIfTI."
        )


@contextmanager
def making(what: str) -> Iterator[None]:
    """Turn the complaints of highdicom about a source series into a sentence; pydicom keeps quiet.

    Raises:
        InputError: the series cannot be referred to.
    """
    with quiet_dicom():
        try:
            yield
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise InputError(
                f"The DICOM {what} cannot be made, because the headers of the series do not allow it ({error}). "
                "Export as NRRD or NIfTI, or get the series again from the archive."
            ) from error


@contextmanager
def quiet_dicom() -> Iterator[None]:
    """Keep pydicom's remarks about other people's files away: dates like 20120000 are common and harm nobody."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _is_moment(keyword: str, text: str) -> bool:
    """Whether the text is a date or time that exists."""
    from pydicom.valuerep import DA, TM

    try:
        (DA if keyword in _DATES else TM)(text)
    except ValueError:
        return False
    return bool(text)
