"""Packages that tests build with PyTorch, kept for a Python that has none.

Most tests need a package and none of what made it. With ``SURE_TEST_PACKAGES`` set to a folder, a run with PyTorch
keeps there what it builds, and a run without takes it from there: 3D Slicer's Python is tried on real packages too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from needed_torch import REASON
from SUREUncertaintyLib.packages.package import Package, load_package
from SUREUncertaintyLib.packages.staging import copy_files


def kept_package(recipe: Any, destination: Path, build: Callable[[], Package]) -> Package:
    """The package of this recipe (anything that JSON can hold) at ``destination``, built or taken from the folder."""
    kept = _place(recipe)
    if find_spec("torch") is None:
        if kept is None or not kept.is_dir():
            pytest.skip(REASON if kept is None else f"{kept.parent} lacks a package: run the tests with torch first")
        copy_files(kept, destination)
        return load_package(destination)
    package = build()
    if kept is not None:
        _keep(package.root, kept)
    return package


def _place(recipe: Any) -> Path | None:
    folder = os.environ.get("SURE_TEST_PACKAGES")
    if not folder:
        return None
    text = json.dumps(recipe, sort_keys=True)
    return Path(folder).resolve() / hashlib.sha256(text.encode()).hexdigest()[:16]


def _keep(source: Path, kept: Path) -> None:
    """Several test processes build the same package: the first whole copy stays until the next run replaces it."""
    fresh = kept.with_name(f"{kept.name}-{uuid.uuid4().hex}")
    shutil.copytree(source, fresh)
    shutil.rmtree(kept, ignore_errors=True)
    try:
        fresh.rename(kept)
    except OSError:
        shutil.rmtree(fresh)
