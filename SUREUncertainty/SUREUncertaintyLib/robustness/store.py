"""Finished levels of a running robustness test, in a hidden folder beside the output, so that a stopped run goes on."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.writing import output_error
from ..metrics.case_result import plain
from .results import LevelResult

Near = NDArray[np.float32]


class LevelStore:
    """One npz a level: its numbers, and the doubt near the boundary, which the relation over levels needs.

    Names are digests of everything that the numbers depend on (model, seed, estimator, files with their times,
    recipe), so that nothing of another run is ever taken up.
    """

    def __init__(self, output: Path, run: dict[str, Any]) -> None:
        """``run`` describes what every number depends on apart from case, files and recipe."""
        target = Path(output).expanduser().absolute()
        self.folder = target.with_name(f".{target.name}.levels")
        self._run = run

    def load(self, case_key: str, recipe: dict[str, Any]) -> tuple[LevelResult, Near] | None:
        """An earlier run's level, or None."""
        try:
            with np.load(self._path(case_key, recipe), allow_pickle=False) as file:
                return LevelResult.from_json(json.loads(str(file["numbers"]))), file["near"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            return None

    def save(self, case_key: str, recipe: dict[str, Any], result: LevelResult, near: Near) -> None:
        """Keep a finished level; a run that is killed while writing leaves no half level."""
        path = self._path(case_key, recipe)
        partial = path.with_suffix(f".partial-{os.getpid()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                np.savez(file, numbers=np.array(json.dumps(plain(vars(result)))), near=near)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise output_error(error, self.folder) from error

    def remove(self) -> None:
        """The run is complete."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, case_key: str, recipe: dict[str, Any]) -> Path:
        text = json.dumps([self._run, case_key, recipe], sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode('utf-8')).hexdigest()[:32]}.npz"
