"""Which image or frame each slice of a result belongs to, and the dates of the objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from enhanced import frame_positions, write_enhanced
from phantoms import asymmetric_volume, tilted_grid, write_dicom_series
from results import result_on, write_result_folder
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.export.dicom_series import DicomSeries
from SUREUncertaintyLib.export.export_result import ExportJob, export_result
from SUREUncertaintyLib.export.formats import ExportFormat
from SUREUncertaintyLib.files.dicom_header import DicomSlice, read_header
from SUREUncertaintyLib.files.reading import read_volume

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed: pip install '.[export]'")
pytest.importorskip("highdicom", reason="highdicom is not installed: pip install '.[export]'")

ORDER = [3, 0, 4, 1, 2]
"""Frame n of the file shows slice ``ORDER[n]``; no order is its own reverse or inverse."""
GRIDS = [Grid((5, 6, 7), (0.9, 0.8, 2.5), (-10.0, 20.0, -30.0)), tilted_grid((5, 6, 7))]


def multiframe(folder: Path, grid: Grid, order: list[int], moved_mm: float = 0.0) -> DicomSeries:
    """A series whose one file holds its slices as frames in this order; slice 2 is moved along its row."""
    scan = asymmetric_volume(grid)
    places = frame_positions(scan)
    places[2] += moved_mm * np.reshape(grid.direction, (3, 3))[:, 0]
    path = write_enhanced(folder / "frames.dcm", scan.with_array(scan.array.astype(np.int16)), order, places)
    header = read_header(path)
    assert isinstance(header, DicomSlice)
    return DicomSeries((header,), scan)


@pytest.mark.parametrize("grid", GRIDS, ids=["straight", "oblique"])
def test_frames_of_one_file_get_the_slices_that_they_show(tmp_path: Path, grid: Grid) -> None:
    series = multiframe(tmp_path, grid, ORDER)
    assert series.frames.tolist() == ORDER
    volume = Volume(np.arange(np.prod(grid.shape)).reshape(grid.shape), grid, "numbers")
    assert np.array_equal(series.arrange(volume), volume.array[ORDER])


@pytest.mark.parametrize(("order", "moved_mm"), [([0, 1, 2, 3, 3], 0.0), (ORDER, 0.6), (ORDER, -0.6)])
def test_frames_that_are_no_stack_are_refused(tmp_path: Path, order: list[int], moved_mm: float) -> None:
    with pytest.raises(InputError, match="DICOM series"):
        _ = multiframe(tmp_path, GRIDS[0], order, moved_mm).frames


def test_frames_may_lie_off_by_the_rounding_of_a_header(tmp_path: Path) -> None:
    assert multiframe(tmp_path, GRIDS[0], ORDER, 0.04).frames.tolist() == ORDER


def test_a_series_of_files_is_in_order_already(tmp_path: Path) -> None:
    scan = asymmetric_volume(GRIDS[0])
    headers = [read_header(path) for path in write_dicom_series(tmp_path, scan, ["e", "a", "c", "b", "d"])]
    series = DicomSeries(tuple(header for header in headers if header is not None), scan)
    assert series.frames.tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(series.arrange(scan), scan.array)


def test_an_object_has_the_day_of_its_making_and_the_study_its_own(tmp_path: Path) -> None:
    paths = write_dicom_series(tmp_path / "series", asymmetric_volume(GRIDS[0]), ["a", "b", "c", "d", "e"])
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.StudyDate, dataset.StudyTime = "20010203", "040506"
        dataset.SeriesDate, dataset.SeriesTime = "20020304", "050607"
        dataset.save_as(path)
    folder = write_result_folder(result_on(read_volume(tmp_path / "series")), tmp_path / "result")
    formats = (ExportFormat.DICOM_SEG, ExportFormat.DICOM_MAP)
    export_result(ExportJob(folder, tmp_path / "out", formats, (tmp_path / "series",)))
    written = sorted((tmp_path / "out").glob("*.dcm"))
    assert len(written) == 3
    for path in written:
        made = pydicom.dcmread(path, stop_before_pixels=True)
        assert (made.StudyDate, made.StudyTime) == ("20010203", "040506")
        assert (made.SeriesDate, made.SeriesTime) == (made.ContentDate, made.ContentTime)
        assert made.SeriesDate > "20020304"
