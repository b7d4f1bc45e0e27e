"""Scans over time: every frame at its place with its own voxels, in the order of time, or a sentence why not."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.core.volume_sequence import VolumeSequence
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.sequence_reading import read_scan, read_sequence

SHAPE = (3, 5, 6)
FRAMES = 4
AFFINE = np.array([[-1.4, 0, 0, 20], [0, 0, -8, 5], [0, 1.5, 0, -40], [0, 0, 0, 1.0]])
"""An array of (i, j, k) to RAS mm: slices across the front-back axis."""


def voxels() -> np.ndarray:
    """(t, k, j, i) int16, every voxel another value."""
    return np.arange(FRAMES * np.prod(SHAPE), dtype=np.int16).reshape(FRAMES, *SHAPE)


def write_nifti(path: Path, step: float = 40.0, unit: str = "msec", slope: float | None = None) -> Path:
    image = nibabel.Nifti1Image(voxels().T, AFFINE)
    image.header.set_xyzt_units("mm", unit)
    image.header["pixdim"][4] = step
    if slope is not None:
        image.header.set_slope_inter(slope, 3.0)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("name", ["cine.nii", "cine.nii.gz"])
def test_4d_nifti_has_every_frame_where_it_lies_and_its_times(tmp_path: Path, name: str) -> None:
    found = read_scan(write_nifti(tmp_path / name))
    assert isinstance(found, VolumeSequence)
    assert found.times_ms == (0.0, 40.0, 80.0, 120.0)
    for frame, expected in zip(found.frames, voxels(), strict=True):
        assert np.array_equal(frame.array, expected)
    assert found.grid.ijk_to_ras == pytest.approx(AFFINE, abs=1e-4)


def test_a_scaled_4d_nifti_is_scaled_in_every_frame(tmp_path: Path) -> None:
    nibabel.save(image := nibabel.Nifti1Image(voxels().T, AFFINE), tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[112:120] = np.array([2.0, 3.0], "<f4").tobytes()
    (tmp_path / "a.nii").write_bytes(raw)
    found = read_sequence(tmp_path / "a.nii")
    assert np.array_equal(found.frames[2].array, 2.0 * voxels()[2] + 3.0)
    assert image.shape[3] == FRAMES


@pytest.mark.parametrize(("step", "unit", "times"), [(0.04, "sec", 40.0), (0.0, "msec", None), (40.0, "unknown", None)])
def test_times_are_said_only_where_the_header_has_them(tmp_path: Path, step: float, unit: str, times) -> None:
    found = read_sequence(write_nifti(tmp_path / "a.nii", step, unit))
    assert found.times_ms[1:2] == (() if times is None else pytest.approx((times,)))


def test_a_4d_nrrd_and_a_sequence_of_slicer_give_the_same_frames(tmp_path: Path) -> None:
    image = sitk.JoinSeries([sitk.GetImageFromArray(frame) for frame in voxels()])
    sitk.WriteImage(image, str(tmp_path / "four.nrrd"))
    header = (
        "NRRD0004\ntype: short\ndimension: 4\nspace: left-posterior-superior\n"
        f"sizes: {FRAMES} {SHAPE[2]} {SHAPE[1]} {SHAPE[0]}\n"
        "space directions: none (1.4,0,0) (0,1.4,0) (0,0,8)\nkinds: list domain domain domain\n"
        "endian: little\nencoding: raw\nspace origin: (1,2,3)\n\n"
    )
    (tmp_path / "list.seq.nrrd").write_bytes(header.encode() + np.moveaxis(voxels(), 0, -1).tobytes())
    for name in ("four.nrrd", "list.seq.nrrd"):
        found = read_sequence(tmp_path / name)
        assert np.array_equal([frame.array for frame in found.frames], voxels()), name
    assert found.grid.spacing == (1.4, 1.4, 8.0)
    assert found.grid.origin == (1.0, 2.0, 3.0)


def test_colours_and_vectors_are_no_frames(tmp_path: Path) -> None:
    image = sitk.JoinSeries([sitk.GetImageFromArray(frame) for frame in voxels()])
    vectors = sitk.Compose([image[:, :, :, n] for n in range(3)])
    sitk.WriteImage(vectors, str(tmp_path / "field.nrrd"))
    with pytest.raises(InputError, match="3 numbers a voxel"):
        read_scan(tmp_path / "field.nrrd")


def test_one_volume_is_read_as_ever_and_is_no_sequence(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(voxels()[0].T, AFFINE), tmp_path / "one.nii.gz")
    found = read_scan(tmp_path / "one.nii.gz")
    assert isinstance(found, Volume)
    assert np.array_equal(found.array, read_volume(tmp_path / "one.nii.gz").array)
    with pytest.raises(InputError, match="one volume"):
        read_sequence(tmp_path / "one.nii.gz")


def test_a_4d_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "cut.nii")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="incomplete"):
        read_scan(path)


def test_frames_of_a_sequence_lie_on_one_grid() -> None:
    one = Volume(np.zeros(SHAPE), Grid(SHAPE))
    with pytest.raises(ValueError, match="one grid"):
        VolumeSequence((one, Volume(np.zeros(SHAPE), Grid(SHAPE, (2.0, 1.0, 1.0)))), "a")
    with pytest.raises(ValueError, match="at least two"):
        VolumeSequence((one,), "a")
