"""Files in the form of public bug reports on other programs, made here: read rightly, or refused with a sentence."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.testing import assert_allclose
from phantoms import asymmetric_volume, write_dicom_series
from pydicom import dcmread
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.files.reading import read_volume

VOXELS = np.arange(60, dtype="<i2").reshape(3, 4, 5)
AFFINE = np.diag([0.9, 0.8, 2.5, 1.0])
NRRD = (
    "NRRD0005\ntype: short\ndimension: 3\nspace: {space}\nsizes: 5 4 3\n"
    "space directions: (0.9,0,0) (0,0.8,0) (0,0,2.5)\nspace origin: (1,2,3)\nendian: little\nencoding: raw\n"
)


def nifti(path: Path, **fields: tuple[str, int, float]) -> Path:
    """A NIfTI file with numbers of its header exchanged, each as (kind, offset, value)."""
    nibabel.Nifti1Image(VOXELS.T, AFFINE).to_filename(path)
    raw = bytearray(path.read_bytes())
    for kind, at, value in fields.values():
        struct.pack_into("<" + kind, raw, at, value)
    path.write_bytes(raw)
    return path


def test_las_is_one_of_the_spaces(tmp_path):
    """InsightSoftwareConsortium/ITK#5207: NRRD in the rare space LAS."""
    (tmp_path / "a.nrrd").write_bytes(NRRD.format(space="left-anterior-superior").encode() + b"\n" + VOXELS.tobytes())
    read = read_volume(tmp_path / "a.nrrd")
    assert_allclose(read.grid.ijk_to_lps, [[0.9, 0, 0, 1], [0, -0.8, 0, -2], [0, 0, 2.5, 3], [0, 0, 0, 1]])


@pytest.mark.parametrize("skip", [-1, 20])
def test_bytes_before_detached_voxels_are_skipped(tmp_path, skip):
    """mhe/pynrrd#70: byte skip of -1."""
    (tmp_path / "a.raw").write_bytes(b"junk" * 5 + VOXELS.tobytes())
    head = NRRD.format(space="left-posterior-superior")
    (tmp_path / "a.nhdr").write_text(f"{head}byte skip: {skip}\ndata file: a.raw\n")
    assert np.array_equal(read_volume(tmp_path / "a.nhdr").array, VOXELS)


def test_a_foreign_field_is_refused_without_the_librarys_stack(tmp_path):
    """PlusToolkit/PlusLib#574: a field of MetaImage in an NRRD header."""
    head = NRRD.format(space="left-posterior-superior")
    (tmp_path / "a.nrrd").write_bytes(f"{head}AnatomicalOrientation: RAI\n\n".encode() + VOXELS.tobytes())
    with pytest.raises(InputError, match=r"a.nrrd cannot be read: it is damaged, or of a kind"):
        read_volume(tmp_path / "a.nrrd")


@pytest.mark.parametrize("shear", [1e-5, 1e-4, 5e-4])
def test_axes_that_are_rounded_are_right_angled(tmp_path, shear):
    """SimpleITK/SimpleITK#1440: an sform that is not quite orthonormal."""
    read = read_volume(nifti(tmp_path / "a.nii", shear=("f", 284, shear), qform=("h", 252, 0)))
    assert_allclose(read.grid.ijk_to_ras, AFFINE, atol=2 * shear + 1e-6)
    cosines = np.reshape(read.grid.direction, (3, 3))
    assert_allclose(cosines.T @ cosines, np.eye(3), atol=2e-5)
    assert np.array_equal(read.array, VOXELS)
    assert read.placed


def test_axes_that_are_not_are_refused(tmp_path):
    with pytest.raises(InputError, match="not at right angles"):
        read_volume(nifti(tmp_path / "a.nii", shear=("f", 284, 0.1), qform=("h", 252, 0)))


def test_a_fourth_axis_of_length_zero_is_none(tmp_path):
    """scilus/fibernavigator#40: a 3D file whose number of bands is 0."""
    path = nifti(tmp_path / "a.nii", dimensions=("h", 40, 4), bands=("h", 48, 0))
    assert np.array_equal(read_volume(path).array, VOXELS)


def test_row_and_column_spacing_are_not_exchanged(tmp_path):
    """medical-physics-usz/z-rad#287."""
    volume = asymmetric_volume(Grid((6, 7, 8), (0.9, 0.5, 2.0)))
    write_dicom_series(tmp_path, volume, [f"{k}" for k in range(6)])
    assert_allclose(read_volume(tmp_path).grid.spacing, (0.9, 0.5, 2.0))


def test_the_distance_of_slices_is_not_their_thickness_and_numbers_may_be_missing(tmp_path):
    """BRAINSia/BRAINSTools#334: thickness 5, spacing 6; rordenlab/dcm2niix#341: no InstanceNumber."""
    volume = asymmetric_volume(Grid((6, 7, 8), (0.9, 0.8, 6.0)))
    for path in write_dicom_series(tmp_path, volume, [f"x{k}" for k in (5, 2, 0, 1, 4, 3)]):
        dataset = dcmread(path)
        dataset.SliceThickness = dataset.SpacingBetweenSlices = 5
        del dataset.InstanceNumber
        dataset.save_as(path)
    read = read_volume(tmp_path)
    assert np.array_equal(read.array, volume.array)
    assert read.grid.spacing[2] == pytest.approx(6)


def test_a_negative_is_refused(tmp_path):
    """Slicer/Slicer#6773: MONOCHROME1, whose values GDCM turns around."""
    for path in write_dicom_series(tmp_path, asymmetric_volume(Grid((6, 7, 8))), [f"{k}" for k in range(6)]):
        dataset = dcmread(path)
        dataset.PhotometricInterpretation = "MONOCHROME1"
        dataset.save_as(path)
    with pytest.raises(InputError, match="stored as a negative"):
        read_volume(tmp_path)


def test_packed_nrrd_is_called_packed(tmp_path):
    (tmp_path / "a.nrrd.gz").write_bytes(gzip.compress(b"NRRD0005\n"))
    with pytest.raises(InputError, match=r"is packed with gzip, as only NIfTI files may be. Unpack it first"):
        read_volume(tmp_path / "a.nrrd.gz")
