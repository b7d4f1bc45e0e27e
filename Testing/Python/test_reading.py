"""Image files of every kind give the voxels and the place that they hold."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from phantoms import asymmetric_volume, tilted_grid
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.resampling import to_itk
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_labels, read_volume, scan_name
from SUREUncertaintyLib.files.writing import write_volume


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii.gz", "a.nii", "a.mha", "Kopf é 海 (1).nrrd", "b c.nii.gz"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
def test_voxels_dtype_and_place_come_back(tmp_path, name, dtype):
    phantom = asymmetric_volume(tilted_grid())
    volume = phantom.with_array((phantom.array / 4).astype(dtype))
    folder = tmp_path / "Ordner mit ü"
    folder.mkdir()
    write_volume(volume, folder / name)
    read = read_volume(folder / name)
    assert np.array_equal(read.array, volume.array)
    assert read.array.dtype == dtype
    assert read.grid.matches(volume.grid, 1e-5)
    assert read.name == name.split(".")[0]


@pytest.mark.parametrize("name", ["a.img", "a.img.gz"])
def test_a_nifti_pair_is_read_by_either_half(tmp_path, name):
    volume = asymmetric_volume(tilted_grid())
    sitk.WriteImage(to_itk(volume.with_array(volume.array.astype("float32"))), str(tmp_path / name))
    for half in (name, name.replace(".img", ".hdr")):
        read = read_volume(tmp_path / half)
        assert np.array_equal(read.array, volume.array)
        assert read.grid.matches(volume.grid, 1e-4)
        assert (read.name, read.placed) == ("a", True)


def test_a_nifti_file_that_does_not_say_how_the_scan_lies_is_marked(tmp_path):
    write_volume(asymmetric_volume(Grid((4, 5, 6))), tmp_path / "a.nii")
    assert read_volume(tmp_path / "a.nii").placed
    data = bytearray((tmp_path / "a.nii").read_bytes())
    data[252:256] = bytes(4)
    (tmp_path / "a.nii").write_bytes(data)
    read = read_volume(tmp_path / "a.nii")
    assert not read.placed
    assert not read.with_array(read.array).placed


def test_reading_says_nothing_on_the_console(tmp_path, capfd):
    write_volume(asymmetric_volume(tilted_grid(left_handed=True)), tmp_path / "a.nii.gz")
    read_volume(tmp_path / "a.nii.gz")
    read_volume(str(tmp_path / "a.nii.gz"))  # type: ignore[arg-type]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["slice.png", "slice.nrrd", "slice.nii.gz", "slice.tif"])
def test_a_2d_image_is_one_slice(tmp_path, name):
    pixels = np.arange(30, dtype=np.uint8).reshape(5, 6)
    sitk.WriteImage(sitk.GetImageFromArray(pixels), str(tmp_path / name))
    volume = read_volume(tmp_path / name)
    assert volume.grid.shape == (1, 5, 6)
    assert np.array_equal(volume.array[0], pixels)


def test_a_fourth_axis_of_one_is_no_second_volume(tmp_path):
    volume = asymmetric_volume(Grid((4, 5, 6), (1.0, 2.0, 3.0)))
    sitk.WriteImage(sitk.JoinSeries([to_itk(volume)]), str(tmp_path / "a.nrrd"))
    read = read_volume(tmp_path / "a.nrrd")
    assert np.array_equal(read.array, volume.array)
    assert read.grid.spacing == (1.0, 2.0, 3.0)


def test_a_complete_gzip_with_a_foreign_tail_is_still_read(tmp_path):
    volume = asymmetric_volume(Grid((4, 5, 6)))
    write_volume(volume, tmp_path / "a.nii")
    raw = (tmp_path / "a.nii").read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(raw[:400]) + gzip.compress(raw[400:]))
    assert np.array_equal(read_volume(tmp_path / "b.nii.gz").array, volume.array)


def test_labels_stored_as_floats_become_whole_numbers(tmp_path):
    labels = np.random.default_rng(1).integers(0, 3, (4, 5, 6))
    write_volume(Volume(labels.astype(np.float32), Grid((4, 5, 6))), tmp_path / "a.nii.gz")
    read = read_labels(tmp_path / "a.nii.gz")
    assert read.array.dtype == np.uint8
    assert np.array_equal(read.array, labels)


@pytest.mark.parametrize(("largest", "dtype"), [(255, "uint8"), (256, "uint16"), (70000, "int32")])
def test_labels_take_the_smallest_type_that_holds_them(tmp_path, largest, dtype):
    labels = np.zeros((4, 5, 6), np.int32)
    labels[1, 2, 3] = largest
    write_volume(Volume(labels, Grid((4, 5, 6))), tmp_path / "a.nrrd")
    read = read_labels(tmp_path / "a.nrrd")
    assert read.array.dtype == dtype
    assert read.array[1, 2, 3] == largest


@pytest.mark.parametrize("value", [0.5, -1.0, float("nan"), float("inf")])
def test_a_scan_is_no_label_map(tmp_path, value):
    array = np.ones((4, 5, 6), np.float32)
    array[0, 0, 0] = value
    write_volume(Volume(array, Grid((4, 5, 6))), tmp_path / "scan.nrrd")
    with pytest.raises(InputError, match=r"scan\.nrrd is not a label map"):
        read_labels(tmp_path / "scan.nrrd")


@pytest.mark.parametrize(
    ("file", "name"), [("a.nii.gz", "a"), ("b.c.nrrd", "b.c"), ("d.seg.nrrd", "d"), ("e", "e"), (".nrrd", ".nrrd")]
)
def test_the_scans_name_is_the_files_without_its_suffix(file, name):
    assert scan_name(Path(file)) == name


def test_reading_does_not_change_the_file(tmp_path):
    write_volume(asymmetric_volume(tilted_grid()), tmp_path / "a.nii.gz")
    before = (tmp_path / "a.nii.gz").read_bytes()
    read_volume(tmp_path / "a.nii.gz")
    assert (tmp_path / "a.nii.gz").read_bytes() == before


@pytest.mark.data
def test_real_scans_agree_with_simpleitk(data_root):
    for path in sorted((data_root / "sunnybrook_lv" / "volumes").glob("*_ED.nii.gz")):
        volume, image = read_volume(path), sitk.ReadImage(str(path))
        assert np.array_equal(volume.array, sitk.GetArrayViewFromImage(image))
        assert volume.grid.direction == image.GetDirection()


@pytest.mark.data
def test_real_label_maps_are_whole_numbers(data_root):
    found = [read_labels(path) for path in sorted((data_root / "msd_hippocampus" / "labels").glob("*.nii.gz"))]
    assert len(found) == 212
    assert all(labels.array.dtype == np.uint8 and set(np.unique(labels.array)) == {0, 1, 2} for labels in found)
