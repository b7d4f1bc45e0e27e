"""What a running robustness test has finished, in a hidden folder beside the output, so that a stopped run goes on."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.plain_json import plain
from ..files.output_errors import output_error
from ..files.writing import discard
from .results import LevelResult, SeriesResult

Near = NDArray[np.float32]


class Store:
    """One npz a finished level: its numbers, and the uncertainty near the boundary, which the relation over levels
    needs. They give way to one JSON file when their series is finished.

    Names are digests of everything that the numbers depend on (model, seed, estimator, files with their times,
    recipes), so that nothing of another run is ever taken up.
    """

    def __init__(self, output: Path, run: dict[str, Any]) -> None:
        """``run`` describes what every number depends on apart from case, files and recipe."""
        target = Path(output).expanduser().absolute()
        self.folder = target.with_name(f".{target.name}.levels")
        self._run = run

    def load_level(self, case_key: str, recipe: dict[str, Any]) -> tuple[LevelResult, Near] | None:
        """An earlier run's level, or None."""
        try:
            with np.load(self._path(".npz", case_key, recipe), allow_pickle=False) as file:
                return LevelResult.from_json(json.loads(str(file["numbers"]))), file["near"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            return None

    def save_level(self, case_key: str, recipe: dict[str, Any], result: LevelResult, near: Near) -> None:
        """Keep a finished level."""
        buffer = io.BytesIO()
        np.savez(buffer, numbers=np.array(json.dumps(plain(vars(result)))), near=near)
        self._write(self._path(".npz", case_key, recipe), buffer.getvalue())

    def load_series(self, case_key: str, plan: dict[str, Any]) -> SeriesResult | None:
        """An earlier run's series, or None; ``plan`` says what was asked for."""
        try:
            return SeriesResult.from_json(json.loads(self._path(".json", case_key, plan).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save_series(
        self, case_key: str, plan: dict[str, Any], result: SeriesResult, recipes: Sequence[dict[str, Any]]
    ) -> None:
        """Keep a finished series in place of its levels."""
        self._write(self._path(".json", case_key, plan), json.dumps(result.to_json()).encode("utf-8"))
        for recipe in recipes:
            self._path(".npz", case_key, recipe).unlink(missing_ok=True)

    def remove(self) -> None:
        """The run is complete."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, path: Path, content: bytes) -> None:
        """A run that is killed while writing leaves no half file."""
        partial = path.with_suffix(f".partial-{os.getpid()}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(path)
        except OSError as error:
            discard(partial)
            raise output_error(error, self.folder) from error

    def _path(self, suffix: str, case_key: str, facts: dict[str, Any]) -> Path:
        text = json.dumps([self._run, case_key, facts], sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode('utf-8')).hexdigest()[:32]}{suffix}"
