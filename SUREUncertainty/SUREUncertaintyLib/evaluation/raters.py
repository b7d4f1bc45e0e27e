"""Slices that several readers marked: one npz with images and one bit a reader and pixel, one csv that tells whose."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError

ARRAYS = ("images", "rater_bits")
COLUMNS = ("row", "patient", "nodule", "slice", "split")


@dataclass(frozen=True)
class RaterSlice:
    """One slice: its row in the arrays, and whose it is. Nodule names repeat between patients."""

    row: int
    patient: str
    nodule: str
    slice: int
    split: str

    @property
    def id(self) -> str:
        """A unique name."""
        return f"{self.patient}/{self.nodule}/{self.slice}"

    @property
    def lesion(self) -> tuple[str, str]:
        """The nodule that the slice cuts, unique over all patients."""
        return self.patient, self.nodule


@dataclass(frozen=True, eq=False)
class RaterArrays:
    """``images`` (N, H, W) uint8 and ``bits`` (N, H, W): bit k is set where reader k marked the pixel."""

    images: NDArray[np.uint8]
    bits: NDArray[np.uint8]
    raters: int

    def masks(self, row: int) -> NDArray[np.uint8]:
        """(raters, H, W) of 0 and 1."""
        shifts = np.arange(self.raters, dtype=np.uint8)[:, None, None]
        return (self.bits[row][None] >> shifts) & np.uint8(1)


def majority(masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels that at least half of the readers marked, (H, W)."""
    return (2 * masks.sum(axis=0, dtype=np.int64) >= len(masks)).astype(np.uint8)


def read_rater_arrays(path: Path) -> RaterArrays:
    """Read the npz file.

    Raises:
        InputError: it is missing, unreadable, or lacks an array.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}. Expected is an npz file with the arrays {' and '.join(ARRAYS)}.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            images, bits = (np.asarray(archive[name]) for name in ARRAYS)
    except KeyError as error:
        raise InputError(f"The file {path} lacks an array: {error}. Expected are {' and '.join(ARRAYS)}.") from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"The file {path} cannot be read as an npz file of plain numbers: {error}") from error
    if images.ndim != 3 or images.shape != bits.shape or not np.issubdtype(bits.dtype, np.integer):
        raise InputError(
            f"images {images.shape} and rater_bits {bits.shape} in {path} must both be (slices, rows, columns)."
        )
    raters = int(np.bitwise_or.reduce(bits, axis=None)).bit_length()
    if raters < 2:
        raise InputError(f"The file {path} holds the marks of {raters} reader. At least two readers are needed.")
    return RaterArrays(images, bits.astype(np.uint8), raters)


def read_rater_table(path: Path, rows: int, split: str | None = None) -> tuple[RaterSlice, ...]:
    """Read the csv file; ``rows`` is the length of the arrays, ``split`` keeps that split only.

    Raises:
        InputError: a column is missing, a row does not exist or stands twice, or no slice belongs to the split.
    """
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(
                f"The table {path} lacks {', '.join(missing)}. Expected are the columns {', '.join(COLUMNS)}."
            )
        slices = tuple(_slice(entry, reader.line_num, path) for entry in reader)
    listed = [entry.row for entry in slices]
    if len(set(listed)) < len(listed) or (listed and not 0 <= min(listed) <= max(listed) < rows):
        raise InputError(f"The column row of {path} must name each of the {rows} slices at most once, from 0.")
    return _of_split(slices, split, path)


def find_rater_files(folder: Path) -> tuple[Path, Path]:
    """The npz and the csv file of a folder, one each.

    Raises:
        InputError: the folder holds none or several of them.
    """
    found = [sorted(folder.glob(f"*{suffix}")) for suffix in (".npz", ".csv")]
    if any(len(files) != 1 for files in found):
        raise InputError(f"The folder {folder} must hold exactly one .npz and one .csv file of readers' marks.")
    return found[0][0], found[1][0]


def _slice(entry: dict[str, str], line: int, path: Path) -> RaterSlice:
    try:
        return RaterSlice(
            int(entry["row"]), entry["patient"], entry["nodule"], int(entry["slice"]), entry["split"] or ""
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"Line {line} of {path}: row and slice must be whole numbers.") from error


def _of_split(slices: Iterable[RaterSlice], split: str | None, path: Path) -> tuple[RaterSlice, ...]:
    listed = tuple(slices)
    chosen = tuple(entry for entry in listed if split is None or entry.split == split)
    if not chosen:
        known = ", ".join(sorted({entry.split for entry in listed})) or "none"
        raise InputError(f"No slice of {path} belongs to the split '{split or 'any'}'. Splits in the table: {known}.")
    return chosen
