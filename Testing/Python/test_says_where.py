"""Files that leave open how a scan lies or how large it is are read with a sentence, those that contradict refused."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.sequence_reading import read_scan

VOXELS = np.arange(24, dtype="<i2")
RAS = "space: right-anterior-superior\nspace directions: (1,0,0) (0,1,0) (0,0,2)\nspace origin: (1,2,3)"
NAMED = "space: right-anterior-superior"
SPACED = "spacings: 1 1 2"


def nrrd(folder: Path, fields: str) -> Path:
    head = f"NRRD0005\ntype: short\ndimension: 3\nsizes: 2 3 4\n{fields}\nendian: little\nencoding: raw\n\n"
    (folder / "a.nrrd").write_bytes(head.encode("latin-1") + VOXELS.tobytes())
    return folder / "a.nrrd"


def metaimage(folder: Path, fields: str) -> Path:
    start = "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False"
    head = f"{start}\n{fields}\nDimSize = 2 3 4\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    (folder / "a.mha").write_bytes(head.encode("latin-1") + VOXELS.tobytes())
    return folder / "a.mha"


MATRIX = "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0"
SIZE = "ElementSpacing = 1 1 2"
WHERE = {
    "NRRD in RAS": (nrrd, RAS, True, True),
    "NRRD in LPS": (nrrd, RAS.replace("right-anterior", "left-posterior"), True, True),
    "NRRD, short name of the space": (nrrd, RAS.replace("right-anterior-superior", "LPS"), True, True),
    "NRRD without space": (nrrd, SPACED, False, True),
    "NRRD with axis mins": (nrrd, f"{SPACED}\naxis mins: -4 -5 -6", False, True),
    "NRRD with only a dimension of space": (nrrd, RAS.replace(NAMED, "space dimension: 3"), False, True),
    "NRRD in a scanner's own axes": (nrrd, RAS.replace("right-anterior-superior", "scanner-xyz"), False, True),
    "NRRD without any size": (nrrd, "content: a", False, False),
    "MetaImage": (metaimage, f"{MATRIX}\n{SIZE}", True, True),
    "MetaImage with the older word": (metaimage, f"Rotation = 1 0 0 0 1 0 0 0 1\n{SIZE}", True, True),
    "MetaImage without a matrix": (metaimage, SIZE, False, True),
    "MetaImage without a spacing": (metaimage, MATRIX, True, False),
    "MetaImage without both": (metaimage, "Comment = a", False, False),
    "NRRD without origin": (nrrd, RAS.partition("\nspace origin")[0], True, True),
    "MetaImage without offset": (metaimage, MATRIX.partition("\n")[0] + f"\n{SIZE}", True, True),
}


@pytest.mark.parametrize("kind", WHERE)
def test_what_a_file_leaves_open_is_said(tmp_path, kind):
    make, fields, placed, sized = WHERE[kind]
    read = read_volume(make(tmp_path, fields))
    assert read.placed == placed
    assert any("how large its voxels are" in remark for remark in read.remarks) == (not sized)
    assert np.array_equal(np.sort(read.array.ravel()), VOXELS)


@pytest.mark.parametrize("kind", WHERE)
def test_an_origin_that_is_not_given_is_said(tmp_path, kind):
    make, fields, placed, _ = WHERE[kind]
    told = any(
        "first voxel is taken for the origin" in remark for remark in read_volume(make(tmp_path, fields)).remarks
    )
    assert told == (placed and not any(word in fields for word in ("origin", "Offset")))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_picture_says_neither(tmp_path, suffix):
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(12, dtype=np.uint8).reshape(3, 4)), str(tmp_path / f"a.{suffix}"))
    read = read_volume(tmp_path / f"a.{suffix}")
    assert not read.placed
    assert "A picture does not say" in read.remarks[0]


NO_BREAK = "\N{NO-BREAK SPACE}"
NO_IMAGE = "not an image that can be read, or it is damaged"
REFUSED = {
    "NRRD, NaN in an origin": (nrrd, RAS.replace("(1,2,3)", "(1,nan,3)"), "'space origin' holds nan"),
    "NRRD, NaN for a whole direction": (nrrd, RAS.replace("(0,0,2)", "(nan,nan,nan)"), "'space directions' holds nan"),
    "NRRD, a blank that is none": (nrrd, RAS.replace("(1,2,3)", f"(1,{NO_BREAK}2,3)"), NO_IMAGE),
    "NRRD, an origin beyond the town": (nrrd, RAS.replace("(1,2,3)", "(1,1e30,3)"), "does not say where the scan lies"),
    "NRRD, infinity in a direction": (nrrd, RAS.replace("(0,0,2)", "(0,0,inf)"), "'space directions' holds inf"),
    "NRRD, a word in a direction": (nrrd, RAS.replace("(0,0,2)", "(0,0,two)"), "'space directions' holds two"),
    "NRRD in micrometres": (nrrd, f'{RAS}\nspace units: "um" "um" "um"', "lengths in um. Millimetres are expected"),
    "MetaImage, NaN in its matrix": (metaimage, MATRIX.replace("1 0 0 0", "nan 0 0 0"), "its transformmatrix is"),
    "MetaImage, a word in its place": (metaimage, MATRIX.replace("Offset = 0", "Offset = x"), "its offset is"),
    "NRRD, a field twice": (nrrd, f"{RAS}\nspace origin: (1,2,4)", "gives 'space origin' twice"),
    "MetaImage, a field twice": (metaimage, f"{MATRIX}\n{SIZE}\nElementSpacing = 1 1", "gives elementspacing twice"),
    "MetaImage, two numbers for three axes": (metaimage, f"{MATRIX}\nElementSpacing = 1 1", NO_IMAGE),
    "MetaImage, compressed by an odd word": (metaimage, f"{MATRIX}\n{SIZE}\nCompressedData = Truu", NO_IMAGE),
    "MetaImage, compressed into no bytes": (
        metaimage,
        f"{MATRIX}\n{SIZE}\nCompressedData = True\nCompressedDataSize = 0",
        "how long its compressed voxels are",
    ),
    "NRRD, none in the place of a direction": (nrrd, RAS.replace("(1,0,0)", "none"), "one is expected for each axis"),
    "NRRD, a direction of next to nothing": (
        nrrd,
        RAS.replace("(1,0,0)", "(1e-30,0,0)"),
        "spacing of 1e-30 x 1 x 2 mm",
    ),
    "NRRD, axes in centimetres": (nrrd, f'{SPACED}\nunits: "cm" "cm" "cm"', "lengths in cm. Millimetres are expected"),
    "MetaImage, matrix and rotation differ": (
        metaimage,
        f"{MATRIX}\nRotation = 0 1 0 1 0 0 0 0 1\n{SIZE}",
        "transformmatrix and rotation differ",
    ),
    "MetaImage, a spacing of next to nothing": (metaimage, f"{MATRIX}\nElementSpacing = 1e-30 1 2", "1e-30 x 1 x 2 mm"),
    "MetaImage, a scale of its values": (
        metaimage,
        f"ElementToIntensityFunctionSlope = 2\n{SIZE}",
        "scales its values",
    ),
    "MetaImage, a header of eight bytes more": (metaimage, f"HeaderSize = 8\n{SIZE}", NO_IMAGE),
    "MetaImage, a line without =": (
        metaimage,
        f"{MATRIX.replace('Offset = 0', 'Offset 9')}\n{SIZE}",
        "a line of it is 'Offset 9 0 0'",
    ),
    "MetaImage, a blank that is none": (
        metaimage,
        f"{MATRIX.replace('Offset =', 'Offset' + NO_BREAK + '=')}\n{SIZE}",
        "The header of a.mha is damaged",
    ),
    "MetaImage, a blank that is none between numbers": (
        metaimage,
        f"{MATRIX.replace('Offset = 0 0', 'Offset = 0' + NO_BREAK + '0')}\n{SIZE}",
        "its offset is|not an image",
    ),
    "MetaImage in micrometres": (metaimage, f"DistanceUnits = um\n{MATRIX}\n{SIZE}", "lengths in um. Millimetres"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_numbers_that_are_none_and_other_units_are_refused(tmp_path, kind):
    make, fields, sentence = REFUSED[kind]
    with pytest.raises(InputError, match=sentence):
        read_volume(make(tmp_path, fields))


@pytest.mark.parametrize("name", ["a.nii", "a.nrrd", "a.mha", "a.dcm", "a.png"])
def test_a_file_that_is_packed_under_another_name_is_called_that(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"x" * 999))
    with pytest.raises(InputError, match=rf"{name} is a gzip file named {path.suffix}. Rename it to {name}\.gz"):
        read_volume(path)
    path.write_bytes(b"PK\x03\x04" + bytes(200))
    with pytest.raises(InputError, match=r"is a ZIP archive. Unpack it"):
        read_volume(path)
    path.write_bytes(b"\n<!DOCTYPE html><html>please log in</html>")
    with pytest.raises(InputError, match="is a web page, perhaps that of a failed download"):
        read_volume(path)


PACKED = {"bzip2": bz2.compress, "xz": lzma.compress, "zstd": lambda _: b"\x28\xb5\x2f\xfd" + bytes(99)}


@pytest.mark.parametrize("packer", PACKED)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd"])
def test_a_file_of_another_packer_is_called_that(tmp_path, name, packer):
    (tmp_path / name).write_bytes(PACKED[packer](b"x" * 999))
    with pytest.raises(InputError, match=f"{name} is packed with {packer}"):
        read_volume(tmp_path / name)


def test_nrrd_voxels_in_bzip2_are_called_that(tmp_path):
    path = nrrd(tmp_path, RAS)
    head = path.read_bytes().partition(b"\n\n")[0].replace(b"encoding: raw", b"encoding: bzip2")
    path.write_bytes(head + b"\n\n" + bz2.compress(VOXELS.tobytes()))
    with pytest.raises(InputError, match="packed with bzip2, which cannot be read here"):
        read_volume(path)


@pytest.mark.parametrize("axes", ["99999999999", "1e30", "0", "-3", "5", "x"])
def test_a_number_of_axes_that_ends_the_library_does_not_end_us(tmp_path, axes):
    path = metaimage(tmp_path, f"{MATRIX}\n{SIZE}")
    path.write_bytes(path.read_bytes().replace(b"NDims = 3", f"NDims = {axes}".encode()))
    with pytest.raises(InputError, match=NO_IMAGE):
        read_volume(path)


def test_a_scan_of_freesurfer_is_called_that(tmp_path):
    (tmp_path / "T1.mgz").write_bytes(gzip.compress(bytes(999)))
    with pytest.raises(InputError, match=r"FreeSurfer's format.*mri_convert T1\.mgz T1\.nii\.gz"):
        read_volume(tmp_path / "T1.mgz")


def test_a_pipe_does_not_hang_and_a_name_beyond_all_length_is_a_sentence(tmp_path):
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "a.nrrd")
        with pytest.raises(InputError, match="neither a file nor a folder"):
            read_volume(tmp_path / "a.nrrd")
    for read in (read_volume, read_scan):
        with pytest.raises(InputError, match="longer than names can be"):
            read(tmp_path / ("é" * 130 + ".nrrd"))
