"""Compressed voxels of which a bit was flipped or bytes were lost are never read as if nothing had happened."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from phantoms import asymmetric_volume
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.resampling import to_itk
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.files.reading import read_volume

NOISE = np.random.default_rng(1).integers(0, 60, (12, 13, 14)).astype(np.int16)
SCAN = asymmetric_volume(Grid(NOISE.shape, (0.9, 0.8, 2.0))).with_array(NOISE)
FORMATS = {"a.nrrd": "a.nrrd", "a.nii.gz": "a.nii.gz", "a.mha": "a.mha", "a.mhd": "a.zraw", "a.nhdr": "a.raw.gz"}


def written(folder: Path, name: str) -> Path:
    sitk.WriteImage(to_itk(SCAN), str(folder / name), useCompression=True)
    return folder / FORMATS[name]


def stream_start(data: bytes, name: str) -> int:
    """Where the compressed bytes begin."""
    ends = {"a.nrrd": b"\n\n", "a.mha": b"LOCAL\n"}
    return data.index(ends[name]) + len(ends[name]) if name in ends else 0


@pytest.mark.parametrize("name", FORMATS)
def test_no_flipped_bit_goes_unnoticed(tmp_path, name):
    data_file = written(tmp_path, name)
    data = data_file.read_bytes()
    first = stream_start(data, name) + 12  # behind what names and dates the stream
    random = np.random.default_rng(2)
    for at in random.integers(first, len(data) - 4, 60):
        spoiled = bytearray(data)
        spoiled[at] ^= 1 << int(random.integers(8))
        data_file.write_bytes(spoiled)
        with pytest.raises(InputError):
            read_volume(tmp_path / name)
    data_file.write_bytes(data)
    assert np.array_equal(read_volume(tmp_path / name).array, NOISE)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("lost", [1, 9, 200])
def test_lost_bytes_are_noticed(tmp_path, name, lost):
    data_file = written(tmp_path, name)
    data_file.write_bytes(data_file.read_bytes()[:-lost])
    with pytest.raises(InputError, match="incomplete"):
        read_volume(tmp_path / name)


def test_a_stream_in_several_parts_and_bytes_behind_it_are_read(tmp_path):
    sitk.WriteImage(to_itk(SCAN), str(tmp_path / "a.nii"))
    data = (tmp_path / "a.nii").read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(data[:900]) + gzip.compress(data[900:]) + bytes(64))
    assert np.array_equal(read_volume(tmp_path / "b.nii.gz").array, NOISE)


def test_a_compressed_metaimage_that_does_not_say_its_length_is_refused(tmp_path):
    path = written(tmp_path, "a.mha")
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(line for line in lines if not line.startswith(b"CompressedDataSize")))
    with pytest.raises(InputError, match=r"CompressedDataSize.*without compression"):
        read_volume(path)


RAW = {"a.mha": "a.mha", "a.mhd": "a.raw", "a.nrrd": "a.nrrd", "a.nhdr": "a.raw"}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", RAW)
def test_more_voxels_than_the_header_says_are_refused(tmp_path, name, packed):
    """Read all the same they are noise: the header names shorter numbers or fewer voxels than were written."""
    sitk.WriteImage(to_itk(SCAN), str(tmp_path / name), useCompression=packed)
    header = tmp_path / name
    text = header.read_bytes().replace(b"MET_SHORT", b"MET_UCHAR").replace(b"type: short", b"type: uchar")
    header.write_bytes(text)
    with pytest.raises(InputError, match="has 4368 bytes of voxels, but 2184 by its header"):
        read_volume(header)


@pytest.mark.parametrize("name", ["a.mhd", "a.nhdr"])
def test_a_header_without_its_voxels_is_called_that(tmp_path, name):
    written(tmp_path, name).unlink()
    with pytest.raises(InputError, match=r"is a header only; its voxels lie in a\.(z?raw|raw\.gz), which is missing"):
        read_volume(tmp_path / name)


@pytest.mark.parametrize("packed", [False, True])
def test_more_voxels_than_a_nifti_header_says_are_told(tmp_path, packed):
    path = tmp_path / ("a.nii.gz" if packed else "a.nii")
    sitk.WriteImage(to_itk(SCAN), str(tmp_path / "b.nii"))
    data = (tmp_path / "b.nii").read_bytes() + bytes(500)
    path.write_bytes(gzip.compress(data) if packed else data)
    read = read_volume(path)
    assert np.array_equal(read.array, NOISE)
    assert "holds 500 bytes more than its header says" in read.remarks[0]


def test_a_wrong_number_of_bits_hides_no_lost_voxels(tmp_path):
    sitk.WriteImage(to_itk(SCAN), str(tmp_path / "a.nii"))
    data = bytearray((tmp_path / "a.nii").read_bytes())
    data[72:74] = (8).to_bytes(2, "little")
    (tmp_path / "a.nii").write_bytes(data[:-1000])
    with pytest.raises(InputError, match="incomplete"):
        read_volume(tmp_path / "a.nii")
