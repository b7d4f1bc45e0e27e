"""Results between two processes: their arrays as .npy files in the private folder, the rest as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cine.cine_codec import decode_cine, encode_cine
from ..cine.cine_result import CineResult
from ..core.dataclass_json import Arrays, from_json, to_json
from ..core.errors import InputError
from ..core.volume import Volume
from ..core.volume_sequence import VolumeSequence
from ..inference.result import SegmentationResult
from ..inference.result_codec import IMAGE, decode_result, encode_result

UNREADABLE = "The worker's answer cannot be read: {error}. Run again."


def write_array(array: NDArray[Any], folder: Path, name: str) -> str:
    """Save an array (never pickled) in the private folder and give its file's name."""
    np.save(folder / name, array, allow_pickle=False)
    return name


def read_array(folder: Path, name: str) -> NDArray[Any]:
    """Read an array of the private folder.

    Raises:
        InputError: the name is not one of a .npy file directly inside the folder, or the file is damaged.
    """
    if Path(name).name != name or not name.endswith(".npy"):
        raise InputError(f"'{name}' is not the name of a .npy file in the shared folder.")
    try:
        return np.asarray(np.load(folder / name, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"The array {name} cannot be read: {error}") from error


def write_result(result: SegmentationResult, folder: Path, stem: str) -> dict[str, Any]:
    """Save the arrays as ``STEM-0.npy`` ... and describe the whole result as JSON."""
    return _written(*encode_result(result), folder, stem)


def read_result(document: dict[str, Any], folder: Path, image: Volume) -> SegmentationResult:
    """The result that ``write_result`` described, on the grid of ``image``; its files are removed.

    Raises:
        InputError: a file is missing or damaged, or the description is.
    """
    arrays = _taken(document["files"], folder)
    try:
        return decode_result(document["result"], arrays, image)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(UNREADABLE.format(error=error)) from error


def write_cine(result: CineResult, folder: Path, stem: str) -> dict[str, Any]:
    """As ``write_result``, for a scan over time."""
    return _written(*encode_cine(result), folder, stem)


def read_cine(document: dict[str, Any], folder: Path, sequence: VolumeSequence) -> CineResult:
    """The result that ``write_cine`` described, on the frames of ``sequence``; its files are removed. Raises as
    ``read_result``."""
    arrays = _taken(document["files"], folder)
    try:
        return decode_cine(document["result"], arrays, sequence)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise InputError(UNREADABLE.format(error=error)) from error


def write_with_scan(result: SegmentationResult, folder: Path) -> dict[str, Any]:
    """As ``write_result``, with the scan, for a process that has never seen it."""
    arrays: dict[str, NDArray[Any]] = {}
    scan = to_json(result.image, arrays, IMAGE)
    files = {
        name: write_array(array, folder, f"scan-{number}.npy") for number, (name, array) in enumerate(arrays.items())
    }
    return {"scan": scan, "scan_files": files, **write_result(result, folder, "result")}


def read_with_scan(document: dict[str, Any], folder: Path) -> SegmentationResult:
    """The result that ``write_with_scan`` described; its files are removed. Raises as ``read_result``."""
    arrays = _taken(document["scan_files"], folder)
    return read_result(document, folder, from_json(Volume, document["scan"], arrays))


def _written(document: dict[str, Any], arrays: Arrays, folder: Path, stem: str) -> dict[str, Any]:
    files = {name: f"{stem}-{number}.npy" for number, name in enumerate(arrays)}
    for name, file in files.items():
        write_array(arrays[name], folder, file)
    return {"result": document, "files": files}


def _taken(files: Mapping[str, str], folder: Path) -> Arrays:
    """The arrays of files by name; the files are removed."""
    arrays = {name: read_array(folder, file) for name, file in files.items()}
    for file in files.values():
        (folder / file).unlink(missing_ok=True)
    return arrays
