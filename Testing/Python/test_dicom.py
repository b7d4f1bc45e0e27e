"""A DICOM series is sorted by place, and what is not one whole series is named."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose
from phantoms import asymmetric_volume, tilted_grid, write_dicom_series
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.files.reading import read_volume

SHUFFLED = ["z.dcm", "IM 7", "a.dcm", "é.dcm", "m.dcm", "IM2", "0.dcm"]
STRAIGHT = Grid((7, 9, 11), (0.9, 0.9, 2.5), (-10.0, 20.0, -30.0))


@pytest.mark.parametrize("grid", [STRAIGHT, tilted_grid((7, 9, 11))], ids=["straight", "oblique"])
def test_a_folder_with_shuffled_names_is_sorted_by_position(tmp_path, grid):
    volume = asymmetric_volume(grid)
    write_dicom_series(tmp_path / "Série 1", volume, SHUFFLED)
    read = read_volume(tmp_path / "Série 1")
    assert np.array_equal(read.array, volume.array)
    assert_allclose(read.grid.ijk_to_ras, grid.ijk_to_ras, atol=1e-5)
    assert (read.name, read.modality) == ("T1 axial", "MR")
    assert read.array.dtype == np.int16


def test_any_file_of_the_series_gives_the_whole_series(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    for path in write_dicom_series(tmp_path, volume, SHUFFLED):
        assert np.array_equal(read_volume(path).array, volume.array)


def test_other_files_in_the_folder_do_no_harm(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    write_dicom_series(tmp_path, volume, SHUFFLED)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    report = b"\0" * 128 + b"DICM" + b"1.2.840.10008.5.1.4.1.1.88.11"
    (tmp_path / "report.dcm").write_bytes(report)
    assert np.array_equal(read_volume(tmp_path).array, volume.array)


def test_slope_and_intercept_are_applied(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    write_dicom_series(tmp_path, volume, SHUFFLED, modality="CT", rescale=(1, -1024))
    read = read_volume(tmp_path)
    raw = sitk.ImageFileReader()
    raw.SetFileName(str(tmp_path / SHUFFLED[0]))
    raw.ReadImageInformation()
    assert raw.GetMetaData("0028|1052").strip() == "-1024"
    assert read.array.dtype.kind == "i"
    assert np.array_equal(read.array, volume.array)


def test_two_series_in_a_folder_are_named_and_one_file_chooses(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    other = volume.with_array(volume.array[:, ::-1] + 7)
    write_dicom_series(tmp_path, volume, SHUFFLED, "1", "T1 axial", number=3)
    second = write_dicom_series(tmp_path, other, [f"t2-{k}" for k in range(7)], "2", "T2 flair", number=12)
    with pytest.raises(InputError) as caught:
        read_volume(tmp_path)
    text = str(caught.value)
    assert "holds 2 series: 3 'T1 axial' (7 images) and 12 'T2 flair' (7 images)" in text
    assert "one of its files" in text
    assert np.array_equal(read_volume(second[4]).array, other.array)


@pytest.mark.parametrize(
    ("skip", "sentence"),
    [
        ((3,), "1 slice between -25.0 and -20.0 mm"),
        ((2, 3), "2 slices between -27.5 and -20.0 mm"),
        ((1, 4), r"1 slice between -30.0 and -25.0 mm and 1 slice between -22.5 and -17.5 mm"),
    ],
)
def test_missing_slices_are_named_by_position(tmp_path, skip, sentence):
    write_dicom_series(tmp_path, asymmetric_volume(STRAIGHT), SHUFFLED, skip=skip)
    with pytest.raises(InputError, match=rf"Slices are missing in the DICOM series 3 'T1 axial'.*{sentence}"):
        read_volume(tmp_path)


def test_uneven_spacing_is_refused(tmp_path):
    shift = [0, 0, 0, 0.5, 0, 0, 0]
    write_dicom_series(tmp_path, asymmetric_volume(STRAIGHT), SHUFFLED, shift_mm=shift)
    with pytest.raises(InputError, match=r"unevenly spaced \(2.00 to 3.00 mm\)"):
        read_volume(tmp_path)


def test_rounded_positions_are_accepted(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    write_dicom_series(tmp_path, volume, SHUFFLED, shift_mm=np.random.default_rng(2).uniform(-0.02, 0.02, 7))
    assert np.array_equal(read_volume(tmp_path).array, volume.array)


def test_two_images_at_each_position_are_a_scan_over_time(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    write_dicom_series(tmp_path, volume, SHUFFLED)
    write_dicom_series(tmp_path, volume, [f"second-{name}" for name in SHUFFLED], echo=1)
    with pytest.raises(InputError, match="several images at the same position"):
        read_volume(tmp_path)


def test_a_localizer_in_the_series_is_refused(tmp_path):
    write_dicom_series(tmp_path, asymmetric_volume(STRAIGHT), SHUFFLED)
    write_dicom_series(tmp_path, asymmetric_volume(tilted_grid((1, 9, 11), (0.9, 0.9, 2.5))), ["scout"], echo=1)
    with pytest.raises(InputError, match="differ in direction, size or pixel spacing"):
        read_volume(tmp_path)


def test_a_tilted_gantry_is_refused(tmp_path):
    for k in range(7):
        part = asymmetric_volume(Grid((7, 9, 11), (0.9, 0.9, 2.5), (0.0, 0.4 * k, 0.0)))
        write_dicom_series(tmp_path, part, SHUFFLED, skip=[n for n in range(7) if n != k])
    with pytest.raises(InputError, match="gantry tilt"):
        read_volume(tmp_path)


def test_a_truncated_slice_is_named(tmp_path):
    paths = write_dicom_series(tmp_path, asymmetric_volume(STRAIGHT), SHUFFLED)
    data = paths[2].read_bytes()
    for keep in (len(data) - 60, 200):
        paths[2].write_bytes(data[:keep])
        for chosen in (tmp_path, paths[5]):
            with pytest.raises(InputError, match=r"a\.dcm is damaged or incomplete"):
                read_volume(chosen)


def test_a_single_slice_is_one_slice_with_its_thickness(tmp_path):
    volume = asymmetric_volume(Grid((1, 9, 11), (0.9, 0.9, 2.5)))
    path = write_dicom_series(tmp_path, volume, ["only.dcm"])[0]
    read = read_volume(path)
    assert read.grid.shape == (1, 9, 11)
    assert read.grid.spacing == (0.9, 0.9, 2.5)
    assert np.array_equal(read.array, volume.array)


def test_a_folder_of_folders_says_where_the_series_lie(tmp_path):
    write_dicom_series(tmp_path / "S1", asymmetric_volume(STRAIGHT), SHUFFLED)
    with pytest.raises(InputError, match=r"holds no DICOM files.*folders S1: choose one"):
        read_volume(tmp_path)


@pytest.mark.data
def test_a_real_oblique_series_has_its_slices_in_anatomical_order(data_root):
    folder = next((data_root / "sunnybrook_lv").glob("dicom_*"))
    volume = read_volume(folder)
    assert volume.grid.shape == (9, 256, 256)
    assert volume.grid.spacing[2] == pytest.approx(10.0, abs=1e-3)
    for path in sorted(folder.iterdir()):
        image = sitk.ReadImage(str(path))
        ijk = np.linalg.solve(volume.grid.ijk_to_lps, [*image.GetOrigin(), 1])
        assert_allclose(ijk[:3], [0, 0, round(ijk[2])], atol=2e-3)
        assert np.array_equal(volume.array[round(ijk[2])], sitk.GetArrayViewFromImage(image)[0])


@pytest.mark.data
def test_a_real_ct_whose_names_run_against_its_positions_is_sorted(data_root):
    folder = data_root / "ood_io" / "dcmqi_dicom_seg" / "ct-3slice"
    volume = read_volume(folder / "01.dcm")
    assert volume.modality == "CT"
    assert volume.grid.origin[2] == pytest.approx(-128.69, abs=1e-3)
    last = sitk.ReadImage(str(folder / "01.dcm"))
    assert np.array_equal(volume.array[2], sitk.GetArrayViewFromImage(last)[0])
    assert -150 < np.median(volume.array[volume.array > -500]) < 150  # soft tissue in HU


@pytest.mark.data
def test_a_real_multiframe_file_equals_its_single_slices(data_root):
    folder = data_root / "ood_io" / "dcmqi_dicom_seg" / "24x38x3"
    slices, frames = read_volume(folder / "image"), read_volume(folder / "multiframe" / "mf.dcm")
    assert frames.grid.matches(slices.grid)
    assert np.array_equal(frames.array, slices.array)


@pytest.mark.data
@pytest.mark.parametrize("name", ["liver.dcm", "."])
def test_a_real_dicom_segmentation_is_no_scan(data_root, name):
    with pytest.raises(InputError, match=r"hold(s)? no scan.*SEG"):
        read_volume(data_root / "ood_io" / "dcmqi_dicom_seg" / name)


def set_slope(path: Path, slope: str) -> None:
    """Replace the rescale slope in a file, which SimpleITK's writer only takes as a whole number."""
    data = path.read_bytes()
    tag = b"\x28\x00\x53\x10"
    start = data.index(tag) + len(tag)
    length = int.from_bytes(data[start : start + 4], "little")
    value = slope.encode().ljust(len(slope) + len(slope) % 2)
    path.write_bytes(data[:start] + len(value).to_bytes(4, "little") + value + data[start + 4 + length :])


def test_slices_scaled_each_in_their_own_way_keep_their_values(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    slopes = [1, 0.25, 0.5, 1.75, 1, 0.125, 2]
    paths = write_dicom_series(tmp_path, volume, SHUFFLED, modality="CT", rescale=(1, -8))
    for path, slope in zip(paths, slopes, strict=True):
        set_slope(path, str(slope))
    read = read_volume(tmp_path)
    assert read.array.dtype == np.float32
    assert_allclose(read.array, (volume.array + 8.0) * np.reshape(slopes, (7, 1, 1)) - 8, atol=1e-4)
