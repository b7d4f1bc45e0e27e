"""The record of a training run: what went in, so that its numbers can be trusted and repeated."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from .cases import CaseFiles
from .recipe import Recipe

FILE = "manifest.json"


def manifest_of(recipe: Recipe, files: CaseFiles) -> dict[str, Any]:
    """Recipe, seed, versions and the ids of every case that is trained or tuned on."""
    return {
        "recipe": recipe.document,
        "seed": recipe.seed,
        "training_ids": [case.id for case in files.training],
        "tuning_ids": [case.id for case in files.tuning],
        "versions": versions(),
    }


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
        InputError: the folder holds the run of another recipe or of other cases.
    """
    output.mkdir(parents=True, exist_ok=True)
    path = output / FILE
    if path.is_file():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        same = all(earlier.get(key) == _plain(manifest[key]) for key in ("recipe", "training_ids", "tuning_ids"))
        if not same:
            raise InputError(
                f"{output} holds a training with another recipe or other cases. Choose another --output, or remove it."
            )
        return
    path.write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
