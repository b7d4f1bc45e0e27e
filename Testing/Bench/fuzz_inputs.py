"""Headers of every format that we read, whole ones and changed ones; the change knows what a header is made of."""

from __future__ import annotations

import gzip
import re
import struct
import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement

SHAPE = (3, 4, 5)  # k, j, i
VOXELS = np.arange(60, dtype="<i2").reshape(SHAPE) * 7 - 90
SPACING, ORIGIN = (0.9, 0.8, 2.5), (-10.5, 20.25, -30.0)
Random = np.random.Generator

_FLOATS = (0.0, 1.0, -1.0, 0.5, 2.2, 1e-30, 1e30, -1e9, 3.5e38, float("nan"), float("inf"), float("-inf"), 352.0)
_WHOLES = (0, 1, -1, 2, 3, 4, 5, 7, 8, 16, 64, 127, 128, 256, 300, 512, 768, 1024, 2304, 32767, -32768)
_WORDS = ("0", "1", "-1", "2.5", "1e30", "nan", "inf", "-inf", "1,5", "x", "", "99999999999", "0x10", "(1,0,0)", "none")
_NIFTI_FIELDS = {
    **dict.fromkeys((*range(40, 56, 2), 68, 70, 72, 74, 252, 254), "h"),
    **dict.fromkeys((*range(76, 120, 4), *range(256, 328, 4), 56, 60, 64, 124, 128), "f"),
    0: "i",
    36: "i",
    39: "b",
    123: "b",
    120: "h",
    344: "i",
}
_LINES = {
    "space": (
        "left-posterior-superior",
        "RAS",
        "LAS",
        "scanner-xyz",
        "3D-right-handed",
        "right-anterior-superior-time",
    ),
    "space directions": (
        "none (1,0,0) (0,1,0)",
        "(0,1,0) (1,0,0) (0,0,1)",
        "(1,0.2,0) (0,1,0) (0,0,1)",
        "(0,0,0) (0,1,0) (0,0,1)",
    ),
    "type": ("float", "double", "uchar", "int", "block", "unsigned short"),
    "encoding": ("raw", "gzip", "ascii", "hex", "bzip2"),
    "endian": ("big", "little"),
    "spacings": ("1 2 3", "nan 1 1", "-1 1 1", "0 1 1"),
    "space origin": ("(1,2,3)", "(nan,0,0)", "(1,2)"),
    "dimension": ("2", "3", "4", "17"),
    "kinds": ("domain domain domain", "vector domain domain", "domain domain list"),
    "TransformMatrix": ("0 1 0 1 0 0 0 0 1", "1 0.2 0 0 1 0 0 0 1", "0 0 0 0 0 0 0 0 0", "1 0 0 0 1 0"),
    "ElementSpacing": ("1 2 3", "0 1 1", "-1 1 1", "1 1"),
    "ElementType": ("MET_FLOAT", "MET_UCHAR", "MET_DOUBLE", "MET_LONG", "MET_OTHER"),
    "CompressedData": ("True", "False"),
    "BinaryDataByteOrderMSB": ("True", "False"),
    "ElementDataFile": ("LOCAL", "LIST", "none.raw", "%03d.raw 1 3 1"),
    "NDims": ("2", "3", "4"),
}


def make_input(number: int, seed: int, folder: Path) -> tuple[str, Path]:
    """Write input ``number`` of a seed into an empty folder; the format's name and what is to be read."""
    random = np.random.default_rng([seed, number])
    name = list(FORMATS)[number % len(FORMATS)]
    return name, FORMATS[name](random, folder)


def _nifti(packed: bool) -> Callable[[Random, Path], Path]:
    def make(random: Random, folder: Path) -> Path:
        raw = bytearray(_whole_nifti(bool(random.integers(4))))
        for _ in range(random.integers(1, 4)):
            at = int(random.choice(list(_NIFTI_FIELDS)))
            kind = _NIFTI_FIELDS[at]
            struct.pack_into("<" + kind, raw, at, _number(random, kind))
        path = folder / ("a.nii.gz" if packed else "a.nii")
        data = _byte_damage(random, bytes(raw), 0.15)
        path.write_bytes(_byte_damage(random, gzip.compress(data, 1), 0.1) if packed else data)
        return path

    return make


@cache
def _whole_nifti(with_forms: bool) -> bytes:
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *SHAPE[::-1], 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, *SPACING, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, 352, 1, 0)
    header[123] = 2
    if with_forms:
        struct.pack_into("<2h", header, 252, 1, 1)
        struct.pack_into("<3f", header, 268, *ORIGIN)
        for row in range(3):
            values = [SPACING[row] if row == column else 0.0 for column in range(3)]
            struct.pack_into("<4f", header, 280 + 16 * row, *values, ORIGIN[row])
    header[344:348] = b"n+1\0"
    return bytes(header) + VOXELS.tobytes()


def _text_header(suffix: str, packed: bool) -> Callable[[Random, Path], Path]:
    separator = ":" if suffix == "nrrd" else " ="

    def make(random: Random, folder: Path) -> Path:
        data = VOXELS.tobytes()
        if packed:
            data = gzip.compress(data, 1) if suffix == "nrrd" else zlib.compress(data)
        lines = _nrrd_lines(packed) if suffix == "nrrd" else _metaimage_lines(packed, len(data))
        for _ in range(random.integers(1, 4)):
            _change_line(random, lines, separator)
        end = b"\n\n" if suffix == "nrrd" else b"\n"
        newline = b"\r\n" if random.random() < 0.05 else b"\n"
        head = "\n".join(lines).encode("latin-1", "replace").replace(b"\n", newline)
        path = folder / f"a.{suffix}"
        path.write_bytes(_byte_damage(random, head + end.replace(b"\n", newline) + data, 0.1))
        return path

    return make


def _nrrd_lines(packed: bool) -> list[str]:
    directions = " ".join(f"({','.join(str(s if n == m else 0) for m in range(3))})" for n, s in enumerate(SPACING))
    return [
        *("NRRD0005", "type: short", "dimension: 3", "space: left-posterior-superior", "sizes: 5 4 3"),
        *(f"space directions: {directions}", "kinds: domain domain domain", "endian: little"),
        *(f"encoding: {'gzip' if packed else 'raw'}", f"space origin: ({','.join(map(str, ORIGIN))})"),
    ]


def _metaimage_lines(packed: bool, size: int) -> list[str]:
    return [
        *("ObjectType = Image", "NDims = 3", "BinaryData = True", "BinaryDataByteOrderMSB = False"),
        *(f"CompressedData = {packed}", *([f"CompressedDataSize = {size}"] if packed else [])),
        *("TransformMatrix = 1 0 0 0 1 0 0 0 1", f"Offset = {' '.join(map(str, ORIGIN))}"),
        *(f"ElementSpacing = {' '.join(map(str, SPACING))}", "DimSize = 5 4 3", "ElementType = MET_SHORT"),
        "ElementDataFile = LOCAL",
    ]


def _change_line(random: Random, lines: list[str], separator: str) -> None:
    """Drop, double or move a line, or change its value: to another known one, one number of it, or nonsense."""
    at = int(random.integers(len(lines)))
    key = lines[at].partition(separator)[0].strip()
    what = random.random()
    if what < 0.15:
        lines.pop(at)
        lines += ["x"] if not lines else []
    elif what < 0.2:
        lines.insert(int(random.integers(len(lines))), lines[at])
    elif what < 0.6 and key in _LINES:
        lines[at] = f"{key}{separator} {random.choice(_LINES[key])}"
    elif what < 0.9:
        numbers = list(re.finditer(r"-?\d+(\.\d+)?", lines[at]))
        if numbers:
            found = numbers[int(random.integers(len(numbers)))]
            lines[at] = lines[at][: found.start()] + str(random.choice(_WORDS)) + lines[at][found.end() :]
    else:
        key = str(random.choice(list(_LINES)))
        lines.insert(int(random.integers(1, len(lines) + 1)), f"{key}{separator} {random.choice(_LINES[key])}")


def _series(random: Random, folder: Path) -> Path:
    """Three slices; one of them is changed, or all of them in the same way."""
    state = int(random.integers(2**31))
    changed = {int(random.integers(3))} if random.random() < 0.6 else {0, 1, 2}
    for k in range(3):
        dataset = _slice(k)
        if k in changed:
            same = np.random.default_rng(state)
            for _ in range(same.integers(1, 3)):
                _change_element(same, dataset)
        (folder / f"{k}.dcm").write_bytes(_saved(dataset))
    victim = folder / f"{int(random.integers(3))}.dcm"
    victim.write_bytes(_byte_damage(random, victim.read_bytes(), 0.15))
    return folder if random.random() < 0.8 else victim


def _multi_frame(random: Random, folder: Path) -> Path:
    dataset = _enhanced()
    for _ in range(random.integers(1, 3)):
        _change_element(random, dataset)
    path = folder / "a.dcm"
    path.write_bytes(_byte_damage(random, _saved(dataset), 0.15))
    return path


def _change_element(random: Random, dataset: Dataset) -> None:
    """Delete an element somewhere in the data set, or give it an odd value; sometimes reorder or drop items."""
    holders = [dataset, *(item for element in dataset for item in _items(element))]
    holder = holders[int(random.integers(len(holders)))]
    if not len(holder):
        return
    element = list(holder)[int(random.integers(len(holder)))]
    if element.VR == "SQ" and len(element.value) > 1:
        items = list(element.value)
        order = random.permutation(len(items))[: len(items) - int(random.integers(2))]
        holder[element.tag].value = [items[n] for n in order]
    elif random.random() < 0.3:
        del holder[element.tag]
    else:
        _set_odd(random, holder, element)


def _items(element: DataElement) -> list[Dataset]:
    if element.VR != "SQ":
        return []
    return [nested for item in element.value for nested in (item, *(n for inner in item for n in _items(inner)))]


def _set_odd(random: Random, holder: Dataset, element: DataElement) -> None:
    if element.VR in ("DS", "IS", "CS", "LO", "UI", "SH", "PN"):
        words = [str(random.choice(("0", "1", "-1", "2.5", "1e10", "", "x", "7", "0.30000001")))]
        values = element.value if element.VM > 1 else [element.value]
        new = [*map(str, values)]
        new[int(random.integers(len(new)))] = words[0]
        raw = "\\".join(new).encode()
        from pydicom.dataelem import RawDataElement

        holder._dict[element.tag] = RawDataElement(
            element.tag, element.VR, len(raw) + len(raw) % 2, raw + b" " * (len(raw) % 2), 0, False, True
        )
    elif element.VR == "US":
        element.value = int(random.choice((0, 1, 2, 4, 5, 8, 12, 16, 32, 65535)))
    elif element.VR == "FD":
        element.value = float(random.choice(_FLOATS))


@cache
def _slice_bytes(k: int) -> bytes:
    dataset = _common(1, "1.2.840.10008.5.1.4.1.1.4", f"1.2.3.{k + 1}")
    dataset.ImagePositionPatient = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + SPACING[2] * k]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing, dataset.SliceThickness = [SPACING[1], SPACING[0]], SPACING[2]
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
    dataset.PixelData = VOXELS[k].tobytes()
    return _saved(dataset)


def _slice(k: int) -> Dataset:
    return dcmread(BytesIO(_slice_bytes(k)))


@cache
def _enhanced_bytes() -> bytes:
    dataset = _common(3, "1.2.840.10008.5.1.4.1.1.4.1", "1.2.3.1")
    shared = Dataset()
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]
    shared.PixelMeasuresSequence = [_item(PixelSpacing=[SPACING[1], SPACING[0]], SliceThickness=SPACING[2])]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = []
    for k in range(3):
        place = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + SPACING[2] * k]
        dataset.PerFrameFunctionalGroupsSequence.append(
            _item(
                FrameContentSequence=[_item(StackID="1", InStackPositionNumber=k + 1)],
                PlanePositionSequence=[_item(ImagePositionPatient=place)],
                PixelValueTransformationSequence=[_item(RescaleSlope=1 + k, RescaleIntercept=0, RescaleType="US")],
                MREchoSequence=[_item(EffectiveEchoTime=10.0)],
            )
        )
    dataset.PixelData = VOXELS.tobytes()
    return _saved(dataset)


def _enhanced() -> Dataset:
    return dcmread(BytesIO(_enhanced_bytes()))


def _item(**values: object) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def _common(frames: int, storage: str, instance: str) -> Dataset:
    from pydicom import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = storage, instance
    dataset.Modality, dataset.SeriesInstanceUID, dataset.SeriesNumber = "MR", "1.2.3", 1
    dataset.SpecificCharacterSet, dataset.SeriesDescription = "ISO_IR 100", "T1 ä"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = SHAPE[1:]
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    return dataset


def _saved(dataset: Dataset) -> bytes:
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _byte_damage(random: Random, data: bytes, share: float) -> bytes:
    """In a share of the inputs: a flipped bit, lost bytes, or bytes that are too many."""
    if random.random() >= share or len(data) < 8:
        return data
    at, what = int(random.integers(len(data))), int(random.integers(4))
    if what == 0:
        return data[:at] + bytes([data[at] ^ 1 << int(random.integers(8))]) + data[at + 1 :]
    if what == 1:
        return data[:at]
    if what == 2:
        return data[:at] + bytes(random.integers(256, size=4, dtype=np.uint8)) + data[at:]
    return data[:at] + bytes(random.integers(256, size=4, dtype=np.uint8)) + data[at + 4 :]


def _number(random: Random, kind: str) -> float | int:
    if kind == "f":
        value = float(random.choice(_FLOATS)) if random.random() < 0.7 else float(random.normal(0, 3))
        return float(np.clip(value, -3.4e38, 3.4e38)) if np.isfinite(value) else value
    value = int(random.choice(_WHOLES)) if random.random() < 0.8 else int(random.integers(-(2**15), 2**15))
    return max(-128, min(127, value)) if kind == "b" else value


FORMATS: dict[str, Callable[[Random, Path], Path]] = {
    "nifti": _nifti(False),
    "nifti gzip": _nifti(True),
    "nrrd": _text_header("nrrd", False),
    "nrrd gzip": _text_header("nrrd", True),
    "metaimage": _text_header("mha", False),
    "metaimage zlib": _text_header("mha", True),
    "dicom series": _series,
    "dicom multi-frame": _multi_frame,
}
