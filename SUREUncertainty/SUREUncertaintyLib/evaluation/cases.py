"""The list of cases: ``image,label,id,group,split,roi``, all but ``image`` optional.

Further images of a case, for models that take several, stand in columns ``image_NAME``.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.roi import Roi, read_rois, split_file
from ..core.safe_names import from_table_cell
from ..files.reading import channel_files
from ..location.choice import AUTO

COLUMNS = ("image", "label", "id", "group", "split", "roi")
"""``roi`` last: lists without boxes are written without it."""
CHANNEL = "image_"
SUFFIXES = (".nii.gz", ".seg.nrrd", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm")


@dataclass(frozen=True)
class Case:
    """One scan to evaluate.

    Attributes:
        image, label: absolute paths; ``label`` is None for a scan without reference.
        id: unique name of the case.
        group: what is independent of the other groups, usually the subject; the id when none is given.
        split: for instance ``"val"``; empty when none is given.
        roi: the box to analyse, as the option ``--roi`` writes it, ``auto`` included; empty for the whole scan.
        refused: why there is no box, where one was searched and the search failed; empty otherwise.
        turn: rotation of the pose in which a search found it, RAS, nine numbers row by row; empty otherwise.
        channels: further images by name, absolute paths.
    """

    image: Path
    label: Path | None
    id: str
    group: str
    split: str = ""
    roi: str = ""
    refused: str = ""
    turn: tuple[float, ...] = ()
    channels: tuple[tuple[str, Path], ...] = ()

    @property
    def region(self) -> Roi | None:
        """The box, None for the whole scan. Raises InputError when it cannot be read, or was searched in vain."""
        if self.refused:
            raise InputError(self.refused)
        return read_rois((self.roi,))[0] if self.roi else None

    @property
    def is_searched(self) -> bool:
        """Whether ``auto`` stands in the place of the box."""
        return self.roi.strip().lower() == AUTO

    @property
    def pose(self) -> NDArray[np.float64] | None:
        """``turn`` as ``plan_regions`` takes it, (3, 3)."""
        return np.reshape(self.turn, (3, 3)) if self.turn else None

    @property
    def roi_file(self) -> Path | None:
        """The file that the box stands in, where it is one."""
        file = split_file(self.roi)
        return None if file is None else file[1]


def read_cases(path: Path, split: str | None = None) -> tuple[Case, ...]:
    """Read a case list; relative paths are relative to the list's own folder.

    ``split`` keeps the cases of that split only. Raises InputError with a sentence for an unreadable or empty list,
    unknown or missing columns, a row without image, an id that stands twice and a split that no case has. Whether the
    files exist is found out when a case is evaluated, so that one missing file does not stop the others.
    """
    rows = _rows(path)
    cases = tuple(_case(row, line, path) for line, row in rows)
    if not cases:
        raise InputError(f"The case list {path} holds no case. Add one line per scan below the heading.")
    cases = _with_unique_ids(cases, path)
    return cases if split is None else _of_split(cases, split, path)


def single_case(image: Path, label: Path | None = None, roi: str = "", channels: Sequence[str] = ()) -> Case:
    """A list of one, named after its file, as a case list without ids would name it.

    ``channels``: further images as ``NAME=FILE``. Raises ``InputError`` for one that is not written so.
    """
    found = Path(image).expanduser().absolute()
    others = tuple((name, path.absolute()) for name, path in channel_files(channels).items())
    reference = None if label is None else Path(label).expanduser().absolute()
    return Case(found, reference, _stem(found), _stem(found), roi=roi, channels=others)


def boxes_of(cases: Iterable[Case]) -> dict[str, dict[str, Any]]:
    """``{"rois": {id: box}, "turns": {id: turn}}`` of the cases that have one, for the record of a run."""
    listed = tuple(cases)
    found: dict[str, dict[str, Any]] = {
        "rois": {case.id: case.roi for case in listed if case.roi},
        "turns": {case.id: list(case.turn) for case in listed if case.turn},
    }
    return {name: entries for name, entries in found.items() if entries}


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:  # the csv module itself knows what ends a line
            text = stream.read()
    except FileNotFoundError as error:
        raise InputError(f"The case list {path} does not exist. Check the path.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The case list {path} cannot be read as a UTF-8 text file.") from error
    heading = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = ";" if ";" in heading and "," not in heading else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    _check_columns([name.strip() for name in reader.fieldnames or ()], path)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    try:
        return [(reader.line_num, _stripped(row, reader.line_num, path)) for row in reader if _says_something(row)]
    except csv.Error:
        raise InputError(
            f"Line {reader.line_num} of the case list {path} is no line of a table; perhaps a quotation mark is open."
        ) from None


def _says_something(row: dict[Any, Any]) -> bool:
    """Whether a line holds more than the commas that spreadsheets leave behind; superfluous fields stand under None."""
    return any(value for values in row.values() for value in (values if isinstance(values, list) else [values or ""]))


def _check_columns(names: list[str], path: Path) -> None:
    wanted = "Expected are " + ", ".join(COLUMNS) + f" and {CHANNEL}NAME for further images; only image is required."
    if "image" not in names:
        raise InputError(f"The case list {path} has no column named image. {wanted}")
    unknown = [name for name in names if name not in COLUMNS and not _is_channel(name)]
    if unknown:
        raise InputError(f"The case list {path} has unknown columns: {', '.join(unknown)}. {wanted}")
    if len(set(names)) < len(names):
        raise InputError(f"The case list {path} names a column twice. {wanted}")


def _is_channel(name: str) -> bool:
    return name.startswith(CHANNEL) and len(name) > len(CHANNEL)


def _stripped(row: dict[str, str], line: int, path: Path) -> dict[str, str]:
    if any(row.pop(None, ())):  # type: ignore[call-overload]
        raise InputError(f"Line {line} of the case list {path} has more fields than the heading has columns.")
    return {name: from_table_cell((value or "").strip()) for name, value in row.items()}


def _case(row: dict[str, str], line: int, path: Path) -> Case:
    if any("\0" in value for value in row.values()):
        raise InputError(f"Line {line} of the case list {path} holds a character (NUL) that no name has.")
    if not row["image"]:
        raise InputError(f"Line {line} of the case list {path} names no image.")
    folder = path.resolve().parent
    identity = row.get("id") or ""
    label = row.get("label")
    return Case(
        image=_file(folder, row["image"]),
        label=_file(folder, label) if label else None,
        id=identity,
        group=row.get("group") or "",
        split=row.get("split") or "",
        roi=_placed(row.get("roi") or "", folder),
        channels=tuple(
            (name.removeprefix(CHANNEL), _file(folder, text))
            for name, text in row.items()
            if name.startswith(CHANNEL) and text
        ),
    )


def _file(folder: Path, text: str) -> Path:
    """A path of the list: absolute, in the home folder of a person (``~``), or relative to the list's own."""
    try:
        return folder / Path(text).expanduser()
    except RuntimeError:  # a name that begins with ~, of no known person
        return folder / text


def _placed(roi: str, folder: Path) -> str:
    """A region with the path of its file, where it is one, made absolute; its name stays in front."""
    file = split_file(roi)
    if file is None:
        return roi
    name, path = file
    placed = _file(folder, str(path))
    return f"{name}={placed}" if name else str(placed)


def _with_unique_ids(cases: tuple[Case, ...], path: Path) -> tuple[Case, ...]:
    """Fill missing ids from the file names, missing groups from the ids, and refuse an id that stands twice."""
    stems = Counter(_stem(case.image) for case in cases if not case.id)
    named = []
    for case in cases:
        stem = _stem(case.image)
        identity = case.id or (stem if stems[stem] == 1 else f"{case.image.parent.name}/{stem}")
        named.append(replace(case, id=identity, group=case.group or identity))
    for identity, count in Counter(case.id for case in named).items():
        if count > 1:
            advice = "Give every case its own id in the column id."
            raise InputError(f"The case list {path} holds the id {identity} {count} times. {advice}")
    return tuple(named)


def _stem(path: Path) -> str:
    """File name without an image suffix; dots inside the name stay."""
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.name


def _of_split(cases: tuple[Case, ...], split: str, path: Path) -> tuple[Case, ...]:
    chosen = tuple(case for case in cases if case.split == split)
    if not chosen:
        known = ", ".join(sorted({case.split for case in cases if case.split})) or "none"
        raise InputError(f"No case of {path} belongs to the split {split}. Splits in the list: {known}.")
    return chosen
