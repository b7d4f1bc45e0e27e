"""Small files that were misread once, each as its folder's README says it must be read now."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.evaluation.cases import read_cases
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.writing import write_volume

pytestmark = pytest.mark.data

REFUSED = {
    "enhanced/e_missing_frames.dcm": "Slices are missing .*2 slices between",
    "enhanced/h_two_volumes.dcm": "2 volumes.*export the one volume",
    "enhanced/k_tilt.dcm": "gantry tilt",
    "enhanced/l_uneven.dcm": "changes its slice spacing: 1.00 mm .* and 1.50 mm",
    "nifti/15_vox_offset0.nii": "first 352 bytes",
    "nifti/16_gz_named.nii": "gzip file named .nii",
    "metaimage/flip.mha": "damaged",
    "metaimage/flip.mhd": "damaged",
    "nrrd/11b_nan_dir.nrrd": "no number",
    "dicom/19_no_pixelspacing": "PixelSpacing",
}
PLACE_UNKNOWN = ["nrrd/05_no_space.nrrd", "nrrd/15_axis_mins.nrrd", "metaimage/20c_no_spacing.mha"]
EQUAL = ["enhanced/a_ordered.dcm", "enhanced/c_shuffled.dcm", "dicom/10_dicomdir", "dicom/10_dicomdir/DICOMDIR"]
NAMES = {
    "dicom/desc_amp": "SAG T1 & Gd",
    "dicom/09b_charset_latin1": "Schädel größe",
    "dicom/09c_charset_jp": "頭部",
}


@pytest.fixture
def base(cases_root: Path) -> Volume:
    """The crop that most are made from."""
    return read_volume(cases_root / "nifti" / "00_base.nii.gz")


def in_ras(volume: Volume) -> np.ndarray:
    """Voxels of a straight volume with axes that run to S, A, R."""
    matrix = volume.grid.ijk_to_ras
    flips = tuple(slice(None, None, int(np.sign(matrix[axis, axis]))) for axis in (2, 1, 0))
    return volume.array[flips]


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_rightly_is_refused(cases_root: Path, name: str) -> None:
    with pytest.raises(InputError, match=REFUSED[name]):
        read_volume(cases_root / name)


@pytest.mark.parametrize("name", PLACE_UNKNOWN)
def test_what_does_not_say_how_it_lies_is_marked(cases_root: Path, name: str) -> None:
    assert not read_volume(cases_root / name).placed


@pytest.mark.parametrize("name", EQUAL)
def test_frames_and_media_give_the_crop(cases_root: Path, base: Volume, name: str) -> None:
    read = read_volume(cases_root / name)
    assert np.array_equal(in_ras(read), np.rint(in_ras(base)))


def test_each_frame_has_its_own_scale(cases_root: Path, base: Volume) -> None:
    read = read_volume(cases_root / "enhanced" / "f_slopes.dcm")
    slopes = 1 + 0.05 * np.arange(43)
    expected = np.rint(in_ras(base)) * slopes[:, None, None] - np.arange(43)[:, None, None]
    np.testing.assert_allclose(in_ras(read), expected, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_descriptions_are_decoded(cases_root: Path, name: str) -> None:
    assert read_volume(cases_root / name).name == NAMES[name]


def test_an_object_beside_the_scan_is_skipped_and_named(cases_root: Path) -> None:
    read = read_volume(cases_root / "dicom" / "study_csa")
    assert read.grid.shape[0] == 43
    assert "99.dcm" in read.remarks[0]


def test_a_slope_of_zero_leaves_the_stored_values(cases_root: Path, base: Volume) -> None:
    assert np.array_equal(read_volume(cases_root / "nifti" / "07b_slope0_inter5.nii").array, base.array)


def test_two_places_are_named_and_written(cases_root: Path, tmp_path: Path) -> None:
    read = read_volume(cases_root / "nifti" / "01_sform4_shifted.nii.gz")
    assert "30.0 mm apart" in read.remarks[0]
    write_volume(read, tmp_path / "mask.nii.gz")
    header = nibabel.load(tmp_path / "mask.nii.gz").header
    assert (header["qform_code"], header["sform_code"]) == (1, 4)
    assert np.linalg.norm(header.get_qform()[:3, 3] - header.get_sform()[:3, 3]) == pytest.approx(30)


def test_a_compressed_metaimage_without_its_length_is_refused(cases_root: Path) -> None:
    with pytest.raises(InputError, match="CompressedDataSize"):
        read_volume(cases_root / "metaimage" / "20b_compressed.mha")


LISTS = {"nel": "a\x85b.nii.gz", "newline_in_field": "a\nb.nii.gz", "tilde": str(Path.home() / "a.nii.gz")}


@pytest.mark.parametrize("name", LISTS)
def test_case_lists_are_read_as_the_csv_module_does(cases_root: Path, name: str) -> None:
    path = cases_root / "csv" / f"{name}.csv"
    (case,) = read_cases(path)
    assert case.image == path.parent / LISTS[name]
