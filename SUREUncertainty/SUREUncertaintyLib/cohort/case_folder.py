"""Where the results of a cohort lie: one folder a case, and the tables beside them.

A case is finished when its folder is there: folders appear whole or not at all, so that whatever is killed, nothing is
lost and nothing is done twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError, OutputError
from ..core.safe_names import file_name
from ..evaluation.cases import Case
from ..evaluation.progress_file import ProgressFile
from ..files.output_errors import output_error
from ..files.writing import write_text

SCHEMA = "sure-cohort/1"
SETTINGS, CASES, RECORD, LOCK = "cohort.json", "cases", "case.json", ".running"
DIGITS = 8


@dataclass(frozen=True)
class CohortFolder:
    """The folder of a cohort; ``path`` is absolute."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> CohortFolder:
        """The folder that a user named."""
        return cls(Path(path).expanduser().absolute())

    @property
    def cases(self) -> Path:
        """The folder of the results."""
        return self.path / CASES

    def settings(self) -> dict[str, Any] | None:
        """What the results were made with; None for a new folder. Raises InputError for a folder of something else."""
        file = self.path / SETTINGS
        if not file.is_file():
            others = sorted(p.name for p in self.path.iterdir() if p.name != LOCK) if self.path.is_dir() else []
            if others:
                raise InputError(
                    f"The folder {self.path} holds files that are no cohort ({others[0]}). Choose a new folder."
                )
            return None
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            document = None
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise InputError(f"The file {file} is damaged or of another version. Choose a new folder.")
        return document

    def begin(self, settings: dict[str, Any]) -> None:
        """Claim the folder for results that were made with these settings.

        Raises:
            InputError: it holds results of another model or other settings. OutputError: it cannot be written.
        """
        earlier = self.settings()
        wanted = {"schema": SCHEMA, **settings}
        if earlier is None:
            try:
                self.cases.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise output_error(error, self.path) from error
            write_text(self.path / SETTINGS, json.dumps(wanted, indent=1, ensure_ascii=False) + "\n")
        elif earlier != wanted:
            raise InputError(_differs(earlier, wanted, self.path, len(self.finished())))

    def finished(self) -> dict[str, dict[str, Any]]:
        """The records of the finished cases by the name of their folder."""
        found = {}
        for file in sorted(self.cases.glob(f"*/{RECORD}")):
            try:
                found[file.parent.name] = json.loads(file.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue  # it is run again
        return found

    def clear_halves(self) -> None:
        """Remove what a killed run left half done."""
        for part in self.cases.glob(".*.partial-*"):
            shutil.rmtree(part, ignore_errors=True)


class Lock:
    """Keeps a second command out of the same folder while one runs; that of a dead process is taken over."""

    def __init__(self, folder: CohortFolder) -> None:
        self._file = folder.path / LOCK

    def __enter__(self) -> Lock:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                handle = os.open(self._file, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
            except FileExistsError:
                self._take_over()
                continue
            except OSError as error:
                raise output_error(error, self._file.parent) from error
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(f"{_host()} {os.getpid()}")
            return self

    def __exit__(self, *_: object) -> None:
        self._file.unlink(missing_ok=True)

    def _take_over(self) -> None:
        try:
            host, number = self._file.read_text(encoding="utf-8").rsplit(" ", 1)
            lives = host != _host() or _is_alive(int(number))
        except (OSError, ValueError):
            lives = False
        if lives:
            raise OutputError(
                f"Another command is working in {self._file.parent} (process {number} on {host}). Wait for it; if it "
                f"is gone, delete the file {LOCK} there."
            )
        self._file.unlink(missing_ok=True)


def folder_names(cases: Sequence[Case]) -> list[str]:
    """A folder name for every case, the same in every run; where two ids would share one, a digest tells them apart."""
    plain = [file_name(case.id) for case in cases]
    counts = Counter(name.casefold() for name in plain)
    return [
        name if counts[name.casefold()] == 1 else f"{name}-{hashlib.sha256(case.id.encode()).hexdigest()[:DIGITS]}"
        for name, case in zip(plain, cases, strict=True)
    ]


def unfinished(cases: Sequence[Case], names: Sequence[str], records: dict[str, dict[str, Any]]) -> list[int]:
    """Numbers of the cases that have no result, or one of a file that has changed since."""
    return [
        number
        for number, (case, name) in enumerate(zip(cases, names, strict=True))
        if records.get(name, {}).get("key") != ProgressFile.key(case)
    ]


def vanished(names: Iterable[str], records: dict[str, dict[str, Any]]) -> list[str]:
    """Ids of results whose case is no longer on the list."""
    return sorted(str(record.get("id", name)) for name, record in records.items() if name not in set(names))


def _differs(earlier: dict[str, Any], wanted: dict[str, Any], path: Path, count: int) -> str:
    one, other = (f"{s['model']} {s['version']}" for s in (earlier, wanted))
    if earlier.get("fingerprint") != wanted.get("fingerprint"):
        updated = " (it was updated in between)" if earlier["model"] == wanted["model"] else ""
        what = f"the model {one}, and now it is {other}{updated}"
    else:
        what = "other settings of the estimator or its seed"
    return (
        f"The folder {path} holds {count} results that were made with {what}. Results of two models are never mixed "
        "in one list: choose another folder, or move this one away."
    )


def _host() -> str:
    import platform

    return platform.node().replace(" ", "-") or "here"


def _is_alive(number: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(number)) and number != os.getpid()


def is_cohort(path: Path) -> bool:
    """Whether ``sure cohort`` wrote this folder. Raises ``InputError`` for a damaged one."""
    return (path / SETTINGS).is_file() and CohortFolder.at(path).settings() is not None
