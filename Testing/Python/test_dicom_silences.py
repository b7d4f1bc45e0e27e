"""What the DICOM library would read without a word, and wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from enhanced import write_enhanced
from phantoms import asymmetric_volume, write_dicom_series
from pydicom import Dataset, dcmread
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.sequence_reading import read_scan

NAMES = [f"{k}.dcm" for k in range(10)]


def series(folder: Path, step: float = 2.5, **changes: Any) -> list[Path]:
    grid = Grid((10, 9, 11), (0.9, 0.9, step), (-10.0, 20.0, -30.0))
    return write_dicom_series(folder, asymmetric_volume(grid), NAMES, **changes)


def changed(path: Path, **values: Any) -> None:
    """Set attributes of a file by keyword; None removes one."""
    dataset = dcmread(path)
    for keyword, value in values.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)


@pytest.mark.parametrize("lost", [1, 4, 5, 8])
@pytest.mark.parametrize("step", [0.2, 0.3, 0.4])
def test_a_missing_thin_slice_is_no_rounding(tmp_path, step, lost):
    exact = -30 + step * np.arange(10)
    series(tmp_path, step, shift_mm=np.round(exact, 1) - exact, skip=[lost])
    with pytest.raises(InputError, match=r"Slices are missing|unevenly spaced"):
        read_volume(tmp_path)


@pytest.mark.parametrize("odd_step", [5.25, 10.5])
def test_a_change_of_spacing_with_an_odd_step_between_is_called_that(tmp_path, odd_step):
    steps = [3.5] * 4 + [odd_step] + [7.0] * 4
    shift = np.cumsum([0.0, *steps]) - 3.5 * np.arange(10)
    series(tmp_path, 3.5, shift_mm=list(shift))
    with pytest.raises(InputError, match=r"changes its slice spacing: 3.50 mm from .* and 7.00 mm from"):
        read_volume(tmp_path)


KINDS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "echoes in turns": ({"EchoTime": "10"}, {"EchoTime": "24.5"}, r"2 kinds: they differ in echo time \(10, 24.5\)"),
    "magnitudes and phases": (
        {"ImageType": ["ORIGINAL", "PRIMARY", "M"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "P"]},
        r"2 kinds: they differ in image type \(.*M, .*P\)",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_slices_of_two_kinds_on_one_grid_are_no_volume(tmp_path, kind):
    even, odd, sentence = KINDS[kind]
    for number, path in enumerate(series(tmp_path)):
        changed(path, **(odd if number % 2 else even))
    with pytest.raises(InputError, match=sentence):
        read_volume(tmp_path)


CONTRASTS = {
    "b-value": [{"DiffusionBValue": value} for value in (0.0, 500.0, 1000.0)],
    "inversion time": [{"InversionTime": value} for value in ("100", "180", "260")],
    "flip angle": [{"FlipAngle": value} for value in ("3", "9", "15")],
}


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_images_of_several_contrasts_are_no_scan_over_time(tmp_path, contrast):
    for number, values in enumerate(CONTRASTS[contrast]):
        grid = Grid((10, 9, 11), (0.9, 0.9, 2.5))
        names = [f"{number}-{name}" for name in NAMES]
        for path in write_dicom_series(tmp_path, asymmetric_volume(grid), names, echo=number):
            changed(path, **values)
    with pytest.raises(InputError, match=rf"3 volumes. They differ in {contrast}"):
        read_scan(tmp_path)


def test_echo_times_that_differ_by_rounding_and_other_words_of_the_type_are_one_kind(tmp_path):
    for number, path in enumerate(series(tmp_path)):
        made = "DERIVED" if number % 2 else "ORIGINAL"
        changed(path, EchoTime=f"{4.59 + 0.002 * number:.3f}", ImageType=[made, "PRIMARY", "M", "ND"])
    assert read_volume(tmp_path).grid.shape == (10, 9, 11)


FRAMES = {
    "echo time": {"echo_times": [10.0, 25.0] * 5},
    "frame type": {"frame_types": ["M"] * 5 + ["P"] * 5},
    "stack": {"stacks": list("aaaaabbbbb")},
}


@pytest.mark.parametrize("what", FRAMES)
def test_frames_of_two_kinds_on_one_grid_are_no_volume(tmp_path, what):
    volume = asymmetric_volume(Grid((10, 9, 11), (0.9, 0.9, 2.5)))
    path = write_enhanced(tmp_path / "a.dcm", volume, **FRAMES[what])
    with pytest.raises(InputError, match=f"2 kinds: they differ in {what}"):
        read_volume(path)


def test_a_part_of_a_split_multi_frame_object_is_not_taken_for_the_whole(tmp_path):
    volume = asymmetric_volume(Grid((10, 9, 11), (0.9, 0.9, 2.5)))
    parts = {"ConcatenationUID": "1.2.3", "InConcatenationNumber": 1, "InConcatenationTotalNumber": 2}
    path = write_enhanced(tmp_path / "a.dcm", volume, range(5), **parts)
    with pytest.raises(InputError, match="one part of an object that was split into several files"):
        read_volume(path)
    whole = write_enhanced(tmp_path / "b.dcm", volume, **{**parts, "InConcatenationTotalNumber": 1})
    assert np.array_equal(read_volume(whole).array, volume.array)


def table() -> list[Dataset]:
    item = Dataset()
    item.LUTDescriptor, item.ModalityLUTType, item.LUTData = [4, 0, 16], "US", bytes(8)
    item["LUTDescriptor"].VR = "US"
    return [item]


UNREAD = {
    "table": ({"ModalityLUTSequence": table()}, r"by a table \(ModalityLUTSequence\)"),
    "bits": ({"BitsStored": 12, "HighBit": 15}, "unusual bits"),
    "mosaic": ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]}, "is a mosaic"),
}


@pytest.mark.parametrize("kind", UNREAD)
def test_values_that_would_be_read_otherwise_than_they_are_meant_are_refused(tmp_path, kind):
    values, sentence = UNREAD[kind]
    for path in series(tmp_path):
        changed(path, **values)
    with pytest.raises(InputError, match=sentence):
        read_volume(tmp_path)


def test_the_size_of_pixels_on_a_detector_is_not_that_in_the_patient(tmp_path):
    for path in series(tmp_path):
        changed(path, PixelSpacing=None, ImagerPixelSpacing=[0.9, 0.9])
    assert "on the detector or film only" in read_volume(tmp_path).remarks[0]


@pytest.mark.parametrize("name", ["DICOMDIR", "dicomdir", "DICOMDIR.;1"])
def test_a_directory_of_a_medium_leads_to_what_lies_beside_it(tmp_path, name):
    series(tmp_path / "A" / "B")
    directory = Dataset()
    directory.file_meta = dcmread(tmp_path / "A" / "B" / "0.dcm").file_meta
    directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    directory.FileSetID, directory.DirectoryRecordSequence = "CD", []
    directory.save_as(tmp_path / name, enforce_file_format=True)
    for chosen in (tmp_path / name, tmp_path):
        assert read_volume(chosen).grid.shape == (10, 9, 11)
