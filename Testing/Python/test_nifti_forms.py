"""qform and sform: one rule, a sentence where they differ, and both in what is exported."""

from __future__ import annotations

import gzip
from itertools import product
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.nifti_forms import forms_from_json
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.writing import write_volume

VOXELS = np.random.default_rng(0).integers(0, 99, (5, 6, 7)).astype("i2")
Q = np.diag([2.0, 2.0, 3.0, 1.0])
Q[:3, 3] = (10, 20, 30)
SHIFTED = Q + np.array([[0, 0, 0, 30.0], [0] * 4, [0] * 4, [0] * 4])
TURNED = np.eye(4)
TURNED[:3, :3] = Rotation.from_euler("xyz", [10, -25, 40], degrees=True).as_matrix()
SHEARED = Q + np.array([[0, 0.6, 0, 0], [0] * 4, [0] * 4, [0] * 4])
STRETCHED = Q * np.array([1.1, 1, 1, 1])


def written(folder: Path, q: NDArray[np.float64], s: NDArray[np.float64], codes: tuple[int, int]) -> Path:
    image = nibabel.Nifti1Image(VOXELS, np.eye(4))
    image.set_qform(q, codes[0])
    image.set_sform(s, codes[1])
    path = folder / "a.nii.gz"
    image.to_filename(path)
    return path


@pytest.mark.parametrize("codes", product(range(5), range(5)), ids=str)
def test_the_rule_is_that_of_itk_for_every_pair_of_codes(tmp_path, codes):
    for sform in (SHIFTED, TURNED @ Q):
        path = written(tmp_path, Q, sform, codes)
        read, image = read_volume(path), sitk.ReadImage(str(path))
        assert read.placed == any(codes)
        assert_allclose(read.grid.origin, image.GetOrigin(), atol=1e-3)
        assert_allclose(read.grid.direction, image.GetDirection(), atol=1e-5)
        assert bool(read.remarks) == all(codes)
        used = sform if codes[1] == 1 or (codes[1] and not codes[0]) else Q
        if any(codes):
            assert_allclose(read.grid.ijk_to_ras, used, atol=1e-4)


def test_both_places_and_their_distance_are_named(tmp_path):
    (remark,) = read_volume(written(tmp_path, Q, SHIFTED, (1, 4))).remarks
    assert "30.0 mm apart: its qform (scanner, code 1) and its sform (MNI152, code 4). The qform is used" in remark
    assert read_volume(written(tmp_path, Q, Q, (1, 4))).remarks == ()


@pytest.mark.parametrize("sform", [SHEARED, STRETCHED], ids=["sheared", "stretched"])
def test_an_sform_that_is_no_rigid_place_gives_way_to_the_qform(tmp_path, sform):
    read = read_volume(written(tmp_path, Q, sform, (2, 1)))
    assert_allclose(read.grid.ijk_to_ras, Q, atol=1e-4)
    assert "The qform is used" in read.remarks[0]


def test_an_sform_that_knows_no_sizes_leaves_the_place_open_and_the_spacing_to_the_header(tmp_path):
    """As in the files of a well-known cardiac challenge: unit axes, and 2 x 2 x 3 mm in the header."""
    read = read_volume(written(tmp_path, Q, np.diag([-1.0, -1.0, 1.0, 1.0]), (0, 2)))
    assert_allclose(read.grid.spacing, (2, 2, 3))
    assert not read.placed


def test_an_sform_of_other_lengths_alone_is_refused(tmp_path):
    path = written(tmp_path, Q, STRETCHED, (0, 1))
    with pytest.raises(InputError, match=r"2 x 2 x 3 mm by their spacing, but 2.2 x 2 x 3 mm by its sform"):
        read_volume(path)


@pytest.mark.parametrize(
    ("codes", "at", "values", "sentence"),
    [
        ((1, 0), 256, [np.nan], "its qform holds numbers that are none"),
        ((1, 0), 256, [0.9, 0.9], "or are no rotation"),
        ((1, 0), 268, [np.inf], "its qform holds numbers that are none"),
        ((0, 2), 280, [np.nan], "its sform holds numbers that are none"),
    ],
)
def test_a_place_that_is_no_number_is_refused(tmp_path, codes, at, values, sentence):
    raw = bytearray(gzip.decompress(written(tmp_path, Q, Q, codes).read_bytes()))
    raw[at : at + 4 * len(values)] = np.array(values, "<f4").tobytes()
    (tmp_path / "b.nii").write_bytes(raw)
    with pytest.raises(InputError, match=sentence):
        read_volume(tmp_path / "b.nii")


@pytest.mark.parametrize(
    ("handedness", "way"), [(1.0, 1), (0.0, 1), (4.0, 1), (np.nan, 1), (-1.0, -1), (-0.5, None), (-1e9, None)]
)
def test_the_way_that_slices_run_by_the_qform_is_refused_where_readers_differ(tmp_path, handedness, way):
    raw = bytearray(gzip.decompress(written(tmp_path, Q, Q, (1, 0)).read_bytes()))
    raw[76:80] = np.array([handedness], "<f4").tobytes()
    (tmp_path / "b.nii").write_bytes(raw)
    if way is None:
        with pytest.raises(InputError, match="does not say which way its slices run"):
            read_volume(tmp_path / "b.nii")
    else:
        direction = np.reshape(read_volume(tmp_path / "b.nii").grid.direction, (3, 3))
        assert np.linalg.det(direction) == pytest.approx(way)


@pytest.mark.parametrize(("unit", "factor"), [("unknown", 1), ("mm", 1), ("meter", 1000), ("micron", 0.001)])
def test_units_of_length_are_heeded(tmp_path, unit, factor):
    image = nibabel.Nifti1Image(VOXELS, Q)
    image.header.set_xyzt_units(unit)
    image.to_filename(tmp_path / "a.nii")
    read = read_volume(tmp_path / "a.nii")
    assert_allclose(read.grid.spacing, np.multiply((2, 2, 3), factor), rtol=1e-5)
    assert_allclose(read.grid.ijk_to_ras[:3, 3], np.multiply((10, 20, 30), factor), rtol=1e-5)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("qform", [Q, TURNED @ Q, TURNED @ Q * [1, 1, -1, 1]], ids=["straight", "turned", "left"])
def test_what_is_written_for_the_scan_carries_both_places(tmp_path, qform, suffix):
    scan = read_volume(written(tmp_path, qform, SHIFTED, (1, 4)))
    mask = scan.with_array((scan.array > 50).astype("u1"))
    write_volume(mask, tmp_path / f"mask{suffix}")
    header = nibabel.load(tmp_path / f"mask{suffix}").header
    for found, code, wanted, wanted_code in (
        (*header.get_qform(coded=True), qform, 1),
        (*header.get_sform(coded=True), SHIFTED, 4),
    ):
        assert code == wanted_code
        assert_allclose(found, wanted, atol=1e-4)
    again = read_volume(tmp_path / f"mask{suffix}")
    assert np.array_equal(again.array, mask.array)
    assert again.grid.matches(scan.grid)


def test_both_places_survive_a_report(tmp_path):
    forms = read_volume(written(tmp_path, TURNED @ Q, SHIFTED, (2, 3))).forms
    again = forms_from_json(forms.to_json())
    assert (again.qform.code, again.sform.code) == (2, 3)
    assert_allclose(again.qform.matrix, forms.qform.matrix)
    assert again.chosen is again.qform


@pytest.mark.parametrize(
    ("slope", "intercept", "expected"),
    [(0, 5, VOXELS), (np.nan, 5, VOXELS), (np.inf, 0, VOXELS), (0, np.nan, VOXELS), (2, 5, VOXELS * 2.0 + 5)],
)
def test_a_slope_of_zero_or_no_number_means_stored_values(tmp_path, slope, intercept, expected):
    image = nibabel.Nifti1Image(VOXELS, Q)
    image.to_filename(tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[112:120] = np.array([slope, intercept], "<f4").tobytes()
    (tmp_path / "a.nii").write_bytes(raw)
    read = read_volume(tmp_path / "a.nii")
    assert np.array_equal(read.array, expected.T)
    assert read.array.dtype.kind == ("f" if slope == 2 else "i")


@pytest.mark.parametrize(("slope", "intercept"), [(1e-30, 0), (5e-20, 0), (2e-16, 0), (2, np.nan), (1, np.inf)])
def test_a_scale_that_cannot_be_right_is_refused(tmp_path, slope, intercept):
    raw = bytearray(gzip.decompress(written(tmp_path, Q, Q, (1, 1)).read_bytes()))
    raw[112:120] = np.array([slope, intercept], "<f4").tobytes()
    (tmp_path / "b.nii").write_bytes(raw)
    with pytest.raises(InputError, match="scales its voxels by numbers that cannot be right"):
        read_volume(tmp_path / "b.nii")


@pytest.mark.parametrize("codes", [(256, 0), (0, 7), (1, -1)])
def test_a_code_that_means_nothing_is_refused(tmp_path, codes):
    raw = bytearray(gzip.decompress(written(tmp_path, Q, Q, (1, 1)).read_bytes()))
    raw[252:256] = np.array(codes, "<i2").tobytes()
    (tmp_path / "b.nii").write_bytes(raw)
    with pytest.raises(InputError, match="which means nothing"):
        read_volume(tmp_path / "b.nii")


@pytest.mark.parametrize(("at", "value"), [(0, 540), (0, 0), (40, 0), (40, 9), (42, -1), (108, 0)])
def test_a_header_that_is_none_is_refused(tmp_path, at, value):
    raw = bytearray(gzip.decompress(written(tmp_path, Q, Q, (1, 1)).read_bytes()))
    raw[at : at + 4] = np.array([value], "<f4" if at == 108 else "<i4").tobytes()
    (tmp_path / "b.nii").write_bytes(raw)
    with pytest.raises(InputError):
        read_volume(tmp_path / "b.nii")
