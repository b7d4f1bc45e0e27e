"""The record of a training run: what went in, so that its numbers can be trusted and repeated."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..files.writing import write_text
from .recipe import Recipe
from .start_weights import Start
from .training_cases import CaseFiles

FILE = "manifest.json"


def manifest_of(recipe: Recipe, files: CaseFiles, start: Start | None = None) -> dict[str, Any]:
    """Recipe, seed, versions and the ids of every case that is trained or tuned on, by the start's weights too."""
    return {
        "recipe": recipe.document,
        "seed": recipe.seed,
        "start": start.record() if start else None,
        **_ids(files, start),
        "versions": versions(),
    }


def history(files: CaseFiles, start: Start | None) -> dict[str, Any]:
    """What a package says about every case that its weights have seen, and where they started."""
    if start is None:
        return {}
    own = _ids(files, start)
    return {**own, "cases": len(own["training_ids"]), "start": start.record()}


def _ids(files: CaseFiles, start: Start | None) -> dict[str, list[str]]:
    """Ids of every case that was trained or tuned on, by the start's weights too."""
    return {
        "training_ids": _seen_before([case.id for case in files.training], start.training_ids if start else ()),
        "tuning_ids": _seen_before([case.id for case in files.tuning], start.tuning_ids if start else ()),
    }


def _seen_before(own: list[str], earlier: tuple[str, ...]) -> list[str]:
    """The ids of this training with those of the training that it starts from."""
    return list(dict.fromkeys([*own, *earlier]))


def versions() -> dict[str, str]:
    """Versions of what the outcome depends on."""
    import monai
    import numpy
    import torch

    from .. import __version__

    return {
        "sure-uncertainty": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "monai": str(monai.__version__),
        "numpy": str(numpy.__version__),
    }


def claim_output(output: Path, manifest: dict[str, Any]) -> None:
    """Make the folder this run's own, or find that it already is.

    Raises:
        InputError: the folder holds the run of another recipe or of other cases. OutputError: it cannot be written.
    """
    path = output / FILE
    if path.is_file():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        same = all(
            earlier.get(key) == _plain(manifest[key]) for key in ("recipe", "start", "training_ids", "tuning_ids")
        )
        if not same:
            raise InputError(
                f"{output} holds a training with another recipe or other cases. Choose another --output, or remove it."
            )
        return
    write_text(path, json.dumps(manifest, indent=1))


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
