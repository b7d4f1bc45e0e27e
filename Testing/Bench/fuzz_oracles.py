"""Where other readers see the voxels of a file: nibabel, pynrrd and pydicom, and the text of a MetaImage."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TO_LPS = {
    "left": (1, 0),
    "right": (-1, 0),
    "posterior": (1, 1),
    "anterior": (-1, 1),
    "superior": (1, 2),
    "inferior": (-1, 2),
}
_NEAR_MM = {"nifti": 0.1, "nrrd": 1e-3, "metaimage": 1e-3, "dicom": 1e-2}
"""For NIfTI the distance of the two forms from which on a person is told."""

_SHORT = {"l": "left", "r": "right", "p": "posterior", "a": "anterior", "s": "superior", "i": "inferior"}


@dataclass(frozen=True)
class Seen:
    """``matrix`` 4 x 4, (i, j, k) to LPS mm; ``array`` (k, j, i), None where it cannot be compared."""

    shape: tuple[int, ...]
    matrix: NDArray[np.float64]
    array: NDArray[Any] | None = None


_PLACED_BY = ("space", "space dimension", "space directions", "space origin", "spacings", "axis mins", "sizes")


def see(name: str, path: Path) -> Seen | None:
    """What the other reader sees; None where it reads nothing."""
    try:
        return _READERS[name.split()[0]](path)
    except Exception:  # whatever the other reader stumbles over is its own affair
        return None


def differs(name: str, volume: Any, seen: Seen) -> str:
    """In words, how a scan that was read without a notice differs from what the other reader sees; empty if not."""
    if tuple(volume.grid.shape) != seen.shape:
        return f"shape {volume.grid.shape} against {seen.shape}"
    matrix = volume.grid.ijk_to_lps
    far = np.array([*(np.array(seen.shape[::-1]) - 1), 1.0])
    for corner in (np.array([0, 0, 0, 1.0]), far):
        apart = np.abs((matrix - seen.matrix) @ corner).max()
        if not apart <= _NEAR_MM[name.split()[0]] + 1e-4 * np.abs(seen.matrix).max():
            return f"place {apart:.4g} mm apart: {matrix.round(3).tolist()} against {seen.matrix.round(3).tolist()}"
    if seen.array is None or not np.isfinite(volume.array).all():  # what is not finite is refused before analysis
        return ""
    same = np.isclose(volume.array, seen.array, rtol=1e-4, atol=1e-3)
    return "" if same.all() else f"voxels, {np.count_nonzero(~same)} of them"


def _see_nifti(path: Path) -> Seen:
    import nibabel

    image = nibabel.load(path)
    header = image.header
    shape = tuple(image.shape) + (1,) * (3 - len(image.shape))
    unit = {1: 1000.0, 3: 0.001}.get(int(header["xyzt_units"]) & 7, 1.0)
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(image.affine)
    matrix[:3] *= unit
    array = np.asarray(image.dataobj).reshape(shape)
    while array.ndim > 3:
        array = array[..., 0]
    return Seen(tuple(shape[2::-1]), matrix, array.T if np.isrealobj(array) else None)


def _see_nrrd(path: Path) -> Seen | None:
    """None for names of fields in capitals, which the format allows and pynrrd does not know."""
    import nrrd

    array, header = nrrd.read(str(path))
    if any(name != name.lower() and name.lower() in _PLACED_BY for name in header):
        return None
    space = str(header["space"]).lower().replace(" ", "-").removesuffix("-time").removesuffix("t")
    words = space.split("-") if "-" in space else [_SHORT[letter] for letter in space]
    directions, origin = (
        np.asarray(header["space directions"], float),
        np.asarray(header.get("space origin", (0, 0, 0)), float),
    )
    to_lps = np.zeros((3, 3))
    for n, word in enumerate(words):
        sign, axis = _TO_LPS[word]
        to_lps[axis, n] = sign
    matrix = np.eye(4)
    matrix[:3, :3] = to_lps @ directions.T
    matrix[:3, 3] = to_lps @ origin
    return Seen(array.shape[::-1], matrix, array.T)


def _see_metaimage(path: Path) -> Seen:
    head, found, data = path.read_bytes().partition(b"ElementDataFile = LOCAL")
    if not found:
        raise ValueError("another file")
    fields = dict(re.findall(r"^\s*(\w+)\s*=\s*(.*?)\s*$", head.decode("latin-1"), re.MULTILINE))
    size = [int(part) for part in fields["DimSize"].split()]
    matrix = np.eye(4)
    rotation = np.reshape([float(part) for part in fields["TransformMatrix"].split()], (3, 3)).T
    spacing = fields.get("ElementSpacing") or fields["ElementSize"]
    matrix[:3, :3] = rotation * [float(part) for part in spacing.split()]
    place = fields.get("Offset") or fields.get("Position") or "0 0 0"
    matrix[:3, 3] = [float(part) for part in place.split()]
    raw = data.partition(b"\n")[2]
    if fields.get("CompressedData", "False").lower() in ("true", "1"):
        raw = zlib.decompress(raw)
    kinds = {"MET_SHORT": "i2", "MET_FLOAT": "f4", "MET_UCHAR": "u1", "MET_DOUBLE": "f8", "MET_USHORT": "u2"}
    order = ">" if fields.get("BinaryDataByteOrderMSB", "False").lower() == "true" else "<"
    kind = kinds.get(fields["ElementType"])
    array = np.frombuffer(raw, order + kind, int(np.prod(size))).reshape(size[::-1]) if kind else None
    return Seen(tuple(size[::-1]), matrix, array)


def _see_dicom(path: Path) -> Seen:
    from pydicom import dcmread

    files = [path] if path.is_file() else sorted(path.iterdir())
    datasets = [dcmread(file, force=True) for file in files if file.name.endswith(".dcm")]
    if path.is_file() and len(list(path.parent.iterdir())) > 1:
        siblings = [dcmread(file, force=True) for file in sorted(path.parent.iterdir()) if file != path]
        series = datasets[0].get("SeriesInstanceUID")
        datasets += [other for other in siblings if other.get("SeriesInstanceUID") == series]
    frames = [frame for dataset in datasets if "PixelData" in dataset for frame in _frames(dataset)]
    rows = np.array(frames[0][1][:3], float)
    columns = np.array(frames[0][1][3:], float)
    rows, columns = rows / np.linalg.norm(rows), columns / np.linalg.norm(columns)
    normal = np.cross(rows, columns)
    frames.sort(key=lambda frame: float(normal @ np.array(frame[0], float)))
    first, last = (np.array(frame[0], float) for frame in (frames[0], frames[-1]))
    if len(frames) == 1:
        raise ValueError("one slice has no distance to the next")
    step = normal @ (last - first) / (len(frames) - 1)
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack([rows * float(frames[0][2][1]), columns * float(frames[0][2][0]), normal * step])
    matrix[:3, 3] = first
    array = np.stack([frame[3] for frame in frames])
    return Seen(array.shape, matrix, array)


def _frames(dataset: Any) -> list[tuple[Any, Any, Any, NDArray[np.float64]]]:
    """Position, orientation, spacing and real values of each image of a file."""
    pixels = dataset.pixel_array.astype(float)
    if "PerFrameFunctionalGroupsSequence" not in dataset:
        values = pixels * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
        return [(dataset.ImagePositionPatient, dataset.ImageOrientationPatient, dataset.PixelSpacing, values)]
    shared = dataset.SharedFunctionalGroupsSequence[0]
    found = []
    for n, own in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        group = {key: (own if key in own else shared)[key].value[0] for key in _GROUPS if key in own or key in shared}
        scale = group.get("PixelValueTransformationSequence", {})
        slope, intercept = float(scale.get("RescaleSlope", 1)), float(scale.get("RescaleIntercept", 0))
        values = np.reshape(pixels, (-1, *pixels.shape[-2:]))[n] * slope + intercept
        place = group["PlanePositionSequence"].ImagePositionPatient
        found.append(
            (
                place,
                group["PlaneOrientationSequence"].ImageOrientationPatient,
                group["PixelMeasuresSequence"].PixelSpacing,
                values,
            )
        )
    return found


_GROUPS = (
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
)
_READERS: dict[str, Callable[[Path], Seen]] = {
    "nifti": _see_nifti,
    "nrrd": _see_nrrd,
    "metaimage": _see_metaimage,
    "dicom": _see_dicom,
}
