"""The DICOM files of a folder: which of them are scans, of which series, and what else lies there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from .dicom_header import DicomObject, DicomSlice, is_dicom, read_header

_MOST_FILES = 20_000
"""Files below a folder that are looked at before a person is asked to choose a smaller one."""


@dataclass(frozen=True)
class DicomFolder:
    """What a folder holds: headers of scans in the order of the files' names, and the other objects."""

    folder: Path
    scans: tuple[DicomSlice, ...]
    others: tuple[DicomObject, ...]

    @property
    def series(self) -> dict[str, list[DicomSlice]]:
        """The scans by series, in the order of the series' numbers."""
        found: dict[str, list[DicomSlice]] = {}
        for header in self.scans:
            found.setdefault(header.series, []).append(header)
        return dict(sorted(found.items(), key=lambda item: (len(item[1][0].number), item[1][0].number)))


def find_in_folder(folder: Path) -> DicomFolder:
    """The objects in a folder; where no scan lies in it, those in the folders below, as on a CD.

    Raises ``InputError`` for a damaged file, and where there are too many files.
    """
    found = find_objects(folder)
    if found.scans:
        return found
    deeper = _headers(folder, _below(folder))
    return DicomFolder(folder, deeper.scans, (*found.others, *deeper.others))


def find_objects(folder: Path, but: Path | None = None) -> DicomFolder:
    """The objects in a folder itself, without the file ``but``. Raises ``InputError`` for a damaged file."""
    files = (f for f in folder.iterdir() if f.is_file() and (but is None or not f.samefile(but)))
    return _headers(folder, sorted(f for f in files if _may_be(f)))


def require_one_series(found: DicomFolder) -> None:
    """Raise ``InputError`` unless the scans in a folder are one series."""
    if not found.scans and not found.others:
        raise InputError(f"The folder {found.folder} holds no DICOM files. Choose a folder with one series.")
    if not found.scans:
        kinds = listed(sorted({f"{o.kind} ({o.modality})" if o.modality else o.kind for o in found.others}))
        raise InputError(f"The DICOM files in {found.folder} hold no scan but: {kinds}. Choose the folder of the scan.")
    series = found.series
    if len(series) > 1:
        titles = [series_title(group) + _place(group, found.folder) for group in series.values()]
        raise InputError(
            f"The folder {found.folder} holds {len(series)} series: {listed(titles)}. "
            "Choose one of them by giving one of its files, or move it to a folder of its own."
        )


def series_title(group: Sequence[DicomSlice]) -> str:
    """A series as people know it: number, description, count."""
    first, count = group[0], len(group)
    description = f"'{first.description}'" if first.description else "without description"
    return f"{first.number or '?'} {description} ({count} image{'s' if count > 1 else ''})"


def listed(parts: Sequence[str]) -> str:
    """Words in one phrase."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _below(folder: Path) -> list[Path]:
    files: list[Path] = []
    for file in folder.rglob("*"):
        if file.parent == folder or not file.is_file() or not _may_be(file):
            continue
        files.append(file)
        if len(files) > _MOST_FILES:
            raise InputError(
                f"The folders in {folder} hold more than {_MOST_FILES} DICOM files. Choose the folder of one series."
            )
    return sorted(files)


def is_directory(file: Path) -> bool:
    """Whether a name is that of a medium's directory; some systems add a version, as in ``DICOMDIR.;1``."""
    return file.name.upper().startswith("DICOMDIR")


def _may_be(file: Path) -> bool:
    return not is_directory(file) and not file.name.startswith(".") and is_dicom(file)


def _headers(folder: Path, files: Iterable[Path]) -> DicomFolder:
    found = [read_header(file) for file in files]
    scans = tuple(header for header in found if isinstance(header, DicomSlice))
    return DicomFolder(folder, scans, tuple(header for header in found if isinstance(header, DicomObject)))


def _place(group: Sequence[DicomSlice], folder: Path) -> str:
    """Where a series lies, if not in the folder itself."""
    first = min(header.path for header in group)
    return "" if first.parent == folder else f" in {first.parent.relative_to(folder).as_posix()}"
