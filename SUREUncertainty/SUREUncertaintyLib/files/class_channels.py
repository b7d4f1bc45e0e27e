"""Files with several values a voxel: the .npz that nnU-Net saves, and NIfTI, NRRD or MetaImage with four axes.

Nothing in an .npz is ever unpickled, and the .pkl that nnU-Net writes beside it is not opened.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.resampling import itk_grid
from ..core.volume import Grid
from .headers import check_header, check_numbers, check_streams, require_text_name

EXPECTED = "Expected is an .npz with one array, or a NIfTI, NRRD or MetaImage file with one volume a class."
Header = tuple[tuple[int, ...], bool, np.dtype[Any]]
"""Shape, whether in Fortran order, and type of an array."""

MOST_CHANNELS = 256
"""A label map of bytes holds no more classes."""

_DAMAGED = (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class Channels:
    """``array`` (C, k, j, i) as stored; ``grid`` is None where the file does not say where the voxels lie (.npz)."""

    array: NDArray[Any]
    grid: Grid | None


def read_class_channels(path: Path, shapes: Sequence[tuple[int, int, int]]) -> Channels:
    """Read every channel of a file; a file with one volume has one channel.

    Args:
        shapes: (k, j, i) of which an .npz must have one; they are compared before any voxel is unpacked.

    Raises:
        InputError: nothing is there, the file is damaged, holds other than one array, holds Python objects, or its
            .npz has other voxel counts.
    """
    require_text_name(path)
    if not path.is_file():
        raise InputError(f"The file {path} does not exist. Check the path.")
    if path.suffix.lower() in (".pkl", ".pickle", ".npy"):
        raise InputError(f"The file {path.name} is not read, since such files can run programs. {EXPECTED}")
    return _read_npz(path, shapes) if path.suffix.lower() == ".npz" else _read_image(path)


def _read_npz(path: Path, shapes: Sequence[tuple[int, int, int]]) -> Channels:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_only_array(path, archive)) as stream:
            _check_array(path, _header(stream), shapes)
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as stream:
            array = np.lib.format.read_array(stream, allow_pickle=False)
    except _DAMAGED:
        raise InputError(f"The file {path.name} is damaged or no .npz file. Save it again. {EXPECTED}") from None
    return Channels(array, None)


def _only_array(path: Path, archive: zipfile.ZipFile) -> str:
    names = archive.namelist()
    if len(names) == 1:
        return names[0]
    found = ", ".join(name.removesuffix(".npy") for name in names[:5]) or "none"
    raise InputError(
        f"The file {path.name} holds {len(names)} arrays ({found}), so it is not clear which are the probabilities. "
        "Save that one alone, with one volume a class."
    )


def _header(stream: Any) -> Header:
    """The header of an array, without its voxels."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    return np.lib.format.read_array_header_2_0(stream)


def _check_array(
    path: Path, header: tuple[tuple[int, ...], bool, np.dtype[Any]], shapes: Sequence[tuple[int, int, int]]
) -> None:
    found, _, kind = header
    if kind.hasobject:
        raise InputError(
            f"The file {path.name} holds Python objects instead of numbers. They are not opened, since they can run "
            f"programs. {EXPECTED}"
        )
    if found and found[0] > MOST_CHANNELS and len(found) == 4:
        raise InputError(f"The file {path.name} holds {found[0]} classes; up to {MOST_CHANNELS} can be read.")
    shape = shapes[0]
    if len(found) != 4 or found[1:] not in shapes:
        turned = " Its axes seem to be in another order." if sorted(found[1:]) == sorted(shape) else ""
        raise InputError(
            f"The file {path.name} holds an array of {_times(found)}, but the scan has {_times(shape)} voxels "
            f"(slices, rows, columns), so that {_times(('classes', *shape))} is expected.{turned} Give the scan that "
            "the network was run on."
        )


def _read_image(path: Path) -> Channels:
    check_header(path)
    check_streams(path)
    check_numbers(path)
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError:
        raise InputError(f"The file {path.name} cannot be read. {EXPECTED}") from None
    array = sitk.GetArrayViewFromImage(image)
    several = image.GetNumberOfComponentsPerPixel() > 1
    if image.GetDimension() == 4 and not several:
        return Channels(array.copy(), itk_grid(image[:, :, :, 0]))
    if image.GetDimension() == 3:
        return Channels(np.moveaxis(array, -1, 0).copy() if several else array[np.newaxis].copy(), itk_grid(image))
    raise InputError(f"The file {path.name} has {image.GetDimension()} axes. {EXPECTED}")


def _times(sizes: tuple[Any, ...]) -> str:
    return " x ".join(map(str, sizes))
