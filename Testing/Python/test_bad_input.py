"""Every bad input gets a sentence that says what is wrong and what to do, and is left as it was."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from phantoms import asymmetric_volume, write_dicom_series
from SUREUncertaintyLib.core.checks import check_modality, check_scan
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.resampling import to_itk
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_volume

SCAN = asymmetric_volume(Grid((6, 7, 8)))
Maker = Callable[[Path], Path]


def saved(image: sitk.Image, name: str) -> Maker:
    def make(folder: Path) -> Path:
        sitk.WriteImage(image, str(folder / name), useCompression=True)
        return folder / name

    return make


def cut(name: str, share: float, compress: bool = False) -> Maker:
    """A scan of which only the first part was copied."""

    def make(folder: Path) -> Path:
        sitk.WriteImage(to_itk(SCAN), str(folder / name), useCompression=compress)
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])
        return folder / name

    return make


def content(name: str, data: bytes) -> Maker:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def nifti_spacing(value: float) -> Maker:
    """A NIfTI file whose header gives this spacing along i, which SimpleITK would silently replace."""

    def make(folder: Path) -> Path:
        sitk.WriteImage(to_itk(SCAN), str(folder / "a.nii"))
        data = bytearray((folder / "a.nii").read_bytes())
        struct.pack_into("<f", data, 80, value)
        (folder / "a.nii").write_bytes(data)
        return folder / "a.nii"

    return make


def sheared_nifti(folder: Path) -> Path:
    sitk.WriteImage(to_itk(SCAN), str(folder / "a.nii"))
    data = bytearray((folder / "a.nii").read_bytes())
    struct.pack_into("<h", data, 252, 0)
    struct.pack_into("<4f", data, 280, 1.0, 0.2, 0.0, 0.0)
    (folder / "a.nii").write_bytes(data)
    return folder / "a.nii"


def nrrd(fields: str) -> Maker:
    head = f"NRRD0004\ntype: short\ndimension: 3\nsizes: 2 2 2\n{fields}\nendian: little\nencoding: raw\n\n"
    return content("a.nrrd", head.encode() + b"\1" * 16)


def metaimage(spacing: str) -> Maker:
    head = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nDimSize = 2 2 2\n"
        f"ElementSpacing = {spacing}\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    return content("a.mha", head.encode() + b"\1" * 16)


def dicom(**options: object) -> Maker:
    """A folder with a DICOM series."""

    def make(folder: Path) -> Path:
        names = [f"{k}.dcm" for k in range(6)]
        write_dicom_series(folder, SCAN, names, **options)  # type: ignore[arg-type]
        return folder

    return make


def two_series(folder: Path) -> Path:
    dicom(series="1", description="T1")(folder)
    write_dicom_series(folder, SCAN, [f"b{k}" for k in range(6)], series="2", description="T2", number=9)
    return folder


def spoiled_nifti(name: str, value: float, dtype: str) -> Maker:
    """A NIfTI whose voxels are partly no numbers; SimpleITK reads them as zero."""
    array = SCAN.array.astype(dtype)
    array[1, 2, 3] = array[5, 6, 7] = value
    return saved(sitk.GetImageFromArray(array), name)


def spoiled_pair(name: str) -> Maker:
    """A NIfTI pair whose voxels are partly no numbers, chosen by one of its halves."""

    def make(folder: Path) -> Path:
        spoiled_nifti("a.img" if not name.endswith(".gz") else "a.img.gz", float("nan"), "float32")(folder)
        return folder / name

    return make


def half_of_a_pair(name: str) -> Maker:
    """One half of a NIfTI pair without the other."""

    def make(folder: Path) -> Path:
        sitk.WriteImage(to_itk(SCAN), str(folder / "a.img"))
        (folder / ("a.hdr" if name == "a.img" else "a.img")).unlink()
        return folder / name

    return make


def cut_pair(folder: Path) -> Path:
    """A NIfTI pair of which the voxels were copied in part."""
    sitk.WriteImage(to_itk(SCAN), str(folder / "a.img"))
    data = (folder / "a.img").read_bytes()
    (folder / "a.img").write_bytes(data[:-20])
    return folder / "a.hdr"


def analyze(folder: Path) -> Path:
    """A pair in the format that NIfTI replaced: the same header without the word that says so."""
    sitk.WriteImage(to_itk(SCAN), str(folder / "a.img"))
    data = bytearray((folder / "a.hdr").read_bytes())
    data[344:348] = bytes(4)
    (folder / "a.hdr").write_bytes(data)
    return folder / "a.img"


def odd_name(name: str) -> Maker:
    """A file whose name is no UTF-8, as old archives hold them; the folder is given for DICOM."""

    def make(folder: Path) -> Path:
        path = folder / name
        if path.suffix == ".dcm":
            write_dicom_series(folder, SCAN, [f"{k}.dcm" for k in range(6)])
            (folder / "3.dcm").rename(path)
            return folder
        sitk.WriteImage(to_itk(SCAN), str(folder / "a.nii"))
        return (folder / "a.nii").rename(path)

    return make


def direction(values: str) -> str:
    return f"space: left-posterior-superior\nspace directions: {values}\nspace origin: (0,0,0)"


VECTOR = sitk.GetImageFromArray(np.zeros((5, 6, 7, 3), np.float32), isVector=True)
RGB = sitk.GetImageFromArray(np.zeros((5, 6, 3), np.uint8), isVector=True)
SERIES_OF_VOLUMES = sitk.JoinSeries([to_itk(SCAN)] * 3)
NOT_RIGHT_ANGLES = "not at right angles.*Resample the scan"
IMPOSSIBLE = "spacing .*above zero"
INCOMPLETE = "is incomplete: it ends before its last voxel. Copy or export"
NO_IMAGE = "not an image that can be read, or it is damaged. Expected is NRRD"

FILES: dict[str, tuple[Maker, str]] = {
    "4D NRRD": (saved(SERIES_OF_VOLUMES, "a.nrrd"), r"holds 3 volumes .*8 x 7 x 6 x 3.*save a single volume"),
    "4D NIfTI": (saved(SERIES_OF_VOLUMES, "a.nii.gz"), r"holds 3 volumes .*8 x 7 x 6 x 3.*save a single volume"),
    "vector field": (saved(VECTOR, "a.nrrd"), "holds 3 numbers a voxel.*choose the scan"),
    "vector NIfTI": (saved(VECTOR, "a.nii.gz"), "holds 3 numbers a voxel.*choose the scan"),
    "RGB picture": (saved(RGB, "a.png"), "holds 3 numbers a voxel.*colour picture"),
    "complex numbers": (saved(sitk.Image(4, 4, 4, sitk.sitkComplexFloat32), "a.nrrd"), "complex numbers.*magnitude"),
    "zero NIfTI spacing": (nifti_spacing(0.0), IMPOSSIBLE),
    "negative NIfTI spacing": (nifti_spacing(-2.0), IMPOSSIBLE),
    "NaN NIfTI spacing": (nifti_spacing(float("nan")), IMPOSSIBLE),
    "zero NRRD spacing": (nrrd("spacings: 0 1 1"), IMPOSSIBLE),
    "negative NRRD spacing": (nrrd("spacings: 1 -1 1"), IMPOSSIBLE),
    "NaN NRRD spacing": (nrrd("spacings: nan 1 1"), IMPOSSIBLE),
    "zero NRRD direction": (nrrd(direction("(0,0,0) (0,1,0) (0,0,1)")), "spacing that is zero"),
    "NaN NRRD direction": (nrrd(direction("(nan,0,0) (0,1,0) (0,0,1)")), "holds nan, which is no number of mm"),
    "zero MetaImage spacing": (metaimage("0 1 1"), IMPOSSIBLE),
    "negative MetaImage spacing": (metaimage("1 1 -3"), IMPOSSIBLE),
    "sheared NRRD": (nrrd(direction("(1,0.3,0) (0,1,0) (0,0,1)")), NOT_RIGHT_ANGLES),
    "sheared NIfTI": (sheared_nifti, NOT_RIGHT_ANGLES),
    "truncated NRRD": (cut("a.nrrd", 0.7), INCOMPLETE),
    "truncated compressed NRRD": (cut("a.nrrd", 0.9, True), INCOMPLETE),
    "truncated NIfTI": (cut("a.nii", 0.99), INCOMPLETE),
    "truncated compressed NIfTI": (cut("a.nii.gz", 0.9), INCOMPLETE),
    "compressed NIfTI without its end": (cut("a.nii.gz", 0.995), INCOMPLETE),
    "hardly begun NIfTI": (cut("a.nii.gz", 0.1), INCOMPLETE),
    "truncated MetaImage": (cut("a.mha", 0.8), INCOMPLETE),
    "truncated compressed MetaImage": (cut("a.mha", 0.9, True), INCOMPLETE),
    "NaN in a NIfTI": (spoiled_nifti("a.nii.gz", float("nan"), "float32"), "has 2 voxels without a usable value"),
    "infinity in a NIfTI": (spoiled_nifti("a.nii", float("inf"), "float64"), "has 2 voxels without a usable value"),
    "NaN in a NIfTI pair": (spoiled_pair("a.img"), "has 2 voxels without a usable value"),
    "NaN in a NIfTI pair, chosen by its header": (spoiled_pair("a.hdr"), "has 2 voxels without a usable value"),
    "NaN in a compressed NIfTI pair": (spoiled_pair("a.img.gz"), "has 2 voxels without a usable value"),
    "NIfTI header without voxels": (half_of_a_pair("a.hdr"), "one half of a pair; a.img is missing beside it"),
    "NIfTI voxels without header": (half_of_a_pair("a.img"), NO_IMAGE),
    "truncated NIfTI pair": (cut_pair, INCOMPLETE),
    "NIfTI-2": (content("a.nii", struct.pack("<i", 540) + b"n+2\0\r\n\x1a\n" + bytes(600)), "NIfTI-2.*Save .*NIfTI-1"),
    "Analyze": (analyze, "Analyze format, which does not say which side is left. Export"),
    "name in another encoding": (odd_name("t\udce9te.nii"), "t\\?te.nii holds characters that are no valid text"),
    "DICOM name in another encoding": (odd_name("t\udce9te.dcm"), "holds characters that are no valid text"),
    "empty file": (content("a.nii.gz", b""), NO_IMAGE),
    "text file": (content("notes.txt", b"hello"), NO_IMAGE),
    "text called NRRD": (content("a.nrrd", b"hello"), NO_IMAGE),
    "broken DICOM file": (content("a.dcm", b"\0" * 128 + b"DICM" + b"garbage" * 9), "a.dcm is damaged or incomplete"),
    "missing file": (lambda folder: folder / "none.nrrd", "does not exist. Check the path"),
    "empty folder": (lambda folder: folder, "holds no DICOM files.*Choose a folder with one series"),
    "two series": (two_series, r"holds 2 series: 3 'T1' \(6 images\) and 9 'T2' \(6 images\)"),
    "missing slices": (dicom(skip=(2, 3)), r"Slices are missing .*2 slices between 1.0 and 4.0 mm"),
    "DICOM segmentation": (dicom(modality="SEG"), r"hold no scan but: segmentation \(SEG\)"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_bad_file_gets_its_sentence_and_stays_as_it_was(tmp_path, kind):
    make, sentence = FILES[kind]
    path = make(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(InputError, match=sentence) as caught:
        read_volume(path)
    assert "Traceback" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def scan(array: object, **grid: object) -> Volume:
    voxels = np.asarray(array)
    return Volume(voxels, Grid(voxels.shape, **grid), "head")  # type: ignore[arg-type]


def spoiled(value: float, dtype: str = "float32") -> Volume:
    array = SCAN.array.astype(dtype)
    array[1, 2, 3] = array[5, 6, 7] = value
    return scan(array)


VOLUMES: dict[str, tuple[Volume, str]] = {
    "no voxel": (scan(np.zeros((0, 4, 4))), "'head' has no voxels. Choose a scan"),
    "one voxel": (scan(np.ones((1, 1, 1))), "'head' has a single voxel. Choose a scan"),
    "single slice": (scan(SCAN.array[:1]), r"single slice \(8 x 7 x 1 voxels\).*whole series"),
    "single sagittal slice": (scan(SCAN.array[:, :, :1]), r"single slice \(1 x 7 x 6 voxels\)"),
    "constant": (scan(np.full((4, 5, 6), 7)), r"same value \(7\).*right scan was chosen"),
    "NaN": (spoiled(float("nan")), r"2 voxels without a usable value \(NaN, infinite or beyond 3e38\). Replace them"),
    "infinite": (spoiled(float("inf"), "float64"), "2 voxels without a usable value"),
    "infinite in float32": (spoiled(-1.7e308, "float64"), "2 voxels without a usable value"),
    "minus infinite": (spoiled(float("-inf")), "2 voxels without a usable value"),
    "zero spacing": (scan(SCAN.array, spacing=(1.0, 0.0, 1.0)), "spacing of 'head' is 1 x 0 x 1 mm.*above zero"),
    "negative spacing": (scan(SCAN.array, spacing=(1.0, 1.0, -2.0)), "1 x 1 x -2 mm.*above zero"),
    "NaN spacing": (scan(SCAN.array, spacing=(float("nan"), 1.0, 1.0)), "nan x 1 x 1 mm"),
    "flat axes": (scan(SCAN.array, direction=(1, 1, 0, 0, 0, 0, 0, 0, 1)), "axes of 'head' are not usable"),
    "NaN origin": (scan(SCAN.array, origin=(float("nan"), 0.0, 0.0)), "position or the axes of 'head' are not usable"),
}


@pytest.mark.parametrize("kind", VOLUMES)
def test_a_volume_that_cannot_be_segmented_gets_its_sentence(kind):
    volume, sentence = VOLUMES[kind]
    with pytest.raises(InputError, match=sentence):
        check_scan(volume, needs_3d=True)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float32", "float64"])
def test_a_good_scan_passes(dtype):
    check_scan(scan((SCAN.array / 4).astype(dtype)), needs_3d=True)


def test_a_single_slice_is_enough_for_a_model_of_slices():
    check_scan(scan(SCAN.array[:1]), needs_3d=False)


@pytest.mark.parametrize(
    ("found", "expected"), [("CT", "MR"), ("CT", "MRI"), ("MR", "CT"), ("PT", "MR"), ("US", "T1 MRI"), ("NM", "CT")]
)
def test_another_modality_is_refused(found, expected):
    with pytest.raises(InputError, match=rf"'head' is a.? {found} scan, but this model was made for {expected}"):
        check_modality("head", found, expected)


@pytest.mark.parametrize(
    ("found", "expected"), [("MR", "MR"), ("MR", "MRI"), ("mr", "T1 MRI"), ("", "MR"), ("CT", ""), ("CT", "CT, MR")]
)
def test_the_same_or_an_unknown_modality_passes(found, expected):
    check_modality("head", found, expected)
