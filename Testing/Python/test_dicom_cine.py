"""Cine DICOM: images of one position in the order of the heart's cycle, whatever files are called."""

from pathlib import Path

import numpy as np
import pytest
from phantoms import write_dicom_series
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.core.volume_sequence import VolumeSequence
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.sequence_reading import read_scan

FRAMES = 4
COSINES = np.linalg.qr(np.array([[0.7, 0.2, 0.6], [0.1, 0.9, -0.64], [-0.7, 0.3, 0.48]]))[0]
COSINES[:, 2] = np.cross(COSINES[:, 0], COSINES[:, 1])
GRID = Grid((3, 5, 6), (1.4, 1.4, 8.0), (10.0, -30.0, 4.0), tuple(float(v) for v in COSINES.ravel()))


def frame(number: int) -> np.ndarray:
    return (np.arange(90, dtype=np.int16).reshape(GRID.shape) + 100 * number).astype(np.int16)


def write_cine(folder: Path, trigger: bool = True, one_series_a_position: bool = False, skip: tuple = ()) -> None:
    """Frames written from last to first, each position's files named against the order of time."""
    for number in range(FRAMES):
        for k in range(GRID.shape[0]):
            if (number, k) in skip:
                continue
            write_dicom_series(
                folder,
                Volume(frame(number), GRID),
                [f"{k}_{FRAMES - number}.dcm" if n == k else "" for n in range(3)],
                series=str(k + 1) if one_series_a_position else "1",
                number=k + 4 if one_series_a_position else 4,
                skip=[n for n in range(3) if n != k],
                echo=number,
                description="SAX cine",
                more={"0018|1060": str(33.5 * number + 5)} if trigger else {"0020|0013": str(10 * k + number + 1)},
            )


@pytest.mark.parametrize("one_series_a_position", [False, True], ids=["one-series", "a-series-a-position"])
def test_every_frame_has_its_own_voxels_in_the_order_of_trigger_times(tmp_path, one_series_a_position):
    write_cine(tmp_path, one_series_a_position=one_series_a_position)
    found = read_scan(tmp_path)
    assert isinstance(found, VolumeSequence)
    assert found.name == "SAX cine"
    assert np.array_equal([f.array for f in found.frames], [frame(n) for n in range(FRAMES)])
    assert found.times_ms == pytest.approx((0.0, 33.5, 67.0, 100.5))
    assert found.grid.matches(GRID)


def test_without_trigger_times_the_instance_number_tells_the_order_and_no_time_is_said(tmp_path):
    write_cine(tmp_path, trigger=False)
    found = read_scan(tmp_path)
    assert np.array_equal(found.frames[3].array, frame(3))
    assert found.times_ms == ()


def test_one_file_stands_for_its_folder(tmp_path):
    write_cine(tmp_path)
    assert len(read_scan(tmp_path / "1_2.dcm").frames) == FRAMES


def test_a_missing_image_is_named_with_the_counts(tmp_path):
    write_cine(tmp_path, skip=((2, 1),))
    with pytest.raises(InputError, match=r"3 to 4 images at its 3 positions"):
        read_scan(tmp_path)


def test_images_that_nothing_orders_are_refused(tmp_path):
    for number in range(FRAMES):
        names = [f"{k}_{number}.dcm" for k in range(3)]
        write_dicom_series(tmp_path, Volume(frame(number), GRID), names, echo=number, more={"0020|0013": "7"})
    with pytest.raises(InputError, match="neither"):
        read_scan(tmp_path)


def test_several_echoes_are_no_points_in_time(tmp_path):
    for number in range(FRAMES):
        names = [f"{k}_{number}.dcm" for k in range(3)]
        more = {"0018|0081": str(2.3 * (number + 1)), "0020|0013": str(number + 1)}
        write_dicom_series(tmp_path, Volume(frame(number), GRID), names, echo=number, more=more)
    with pytest.raises(InputError, match="echo time"):
        read_scan(tmp_path)


def test_an_ordinary_series_is_one_volume(tmp_path):
    write_dicom_series(tmp_path, Volume(frame(0), GRID), ["a.dcm", "b.dcm", "c.dcm"])
    found = read_scan(tmp_path)
    assert isinstance(found, Volume)
    assert np.array_equal(found.array, read_volume(tmp_path).array)
