"""Finished cases of a running job over a case list, kept beside the output so that a stopped run goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from ..files.output_errors import output_error
from .cases import Case


class Storable(Protocol):
    """A result that can be written as JSON."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        ...


class Fallible(Storable, Protocol):
    """A result that may be a failure."""

    @property
    def error(self) -> str:
        """The sentence of a case that failed; empty otherwise."""
        ...


Result = TypeVar("Result", bound=Storable)
Outcome = TypeVar("Outcome", bound=Fallible)


class ProgressFile(Generic[Result]):
    """JSON lines: what the run depends on, then one finished case a line.

    Results of another model, seed or setting, and of files that have changed since, are not taken up.
    """

    def __init__(self, output: Path, run: dict[str, Any], decode: Callable[[dict[str, Any]], Result]) -> None:
        """``run`` describes what every number depends on apart from the cases; ``decode`` inverts ``to_json``."""
        target = Path(output).expanduser().absolute()
        self.path = target.with_name(f".{target.name}.progress.jsonl")
        self._run = json.loads(json.dumps(run))
        self._decode = decode

    @staticmethod
    def key(case: Case) -> str:
        """Names the case and the state of its files: path, size and time of change."""
        parts = [case.id, case.group, case.split]
        for path in (case.image, case.label, case.roi_file, *(file for _, file in case.channels)):
            if path is not None:
                parts.append(f"{path}:{_state(path)}")
        parts += [name for name, _ in case.channels]
        if case.roi:
            parts.append(case.roi)
        if case.turn:
            parts.append(",".join(f"{value:.6f}" for value in case.turn))
        return "|".join(parts)

    def start(self) -> dict[str, Result]:
        """The finished cases of an earlier run of the same kind, by key; the file is then ready for more."""
        earlier = self._read()
        try:
            with self.path.open("w", encoding="utf-8") as file:
                file.write(json.dumps(self._run) + "\n")
                file.writelines(_line(key, result) for key, result in earlier.items())
        except OSError as error:
            raise output_error(error, self.path) from error
        return earlier

    def append(self, key: str, result: Result) -> None:
        """Keep one more finished case, safely on disk."""
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(_line(key, result))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise output_error(error, self.path) from error

    def remove(self) -> None:
        """The run is complete."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Result]:
        try:
            lines = self.path.read_text(encoding="utf-8").strip("\n").split("\n")
        except (OSError, UnicodeDecodeError):
            return {}
        if not lines or _parsed(lines[0]) != self._run:
            return {}
        # a run killed while writing leaves half a line
        entries = [entry for entry in map(_parsed, lines[1:]) if entry is not None]
        return {entry["key"]: self._decode(entry["result"]) for entry in entries}


@dataclass(frozen=True)
class FinishedCases(Generic[Outcome]):
    """Finished jobs in a progress file, for ``evaluation.case_jobs``; ``keys`` name the jobs. Failures run again."""

    file: ProgressFile[Outcome]
    keys: Sequence[str]

    def load(self) -> dict[int, Outcome]:
        """Results of an earlier run, by the number of their job."""
        earlier = self.file.start()
        return {number: earlier[key] for number, key in enumerate(self.keys) if key in earlier}

    def save(self, number: int, result: Outcome) -> None:
        """Keep a result unless it is a failure."""
        if not result.error:
            self.file.append(self.keys[number], result)


def _state(path: Path) -> str:
    """Size and time of change; of a folder (DICOM), of all its files."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        facts = [file.stat() for file in files]
    except OSError:
        return "absent"
    return f"{len(facts)}:{sum(fact.st_size for fact in facts)}:{max((fact.st_mtime_ns for fact in facts), default=0)}"


def _line(key: str, result: Storable) -> str:
    return json.dumps({"key": key, "result": result.to_json()}) + "\n"


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
