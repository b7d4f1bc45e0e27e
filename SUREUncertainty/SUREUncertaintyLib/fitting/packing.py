"""A package's new version with the head inside, and the way back. The network's own files stay as they are."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..packages.fitted_head import SETTING
from ..packages.package import Package, load_package, read_metadata
from ..packages.package_building import write_documents
from ..packages.staging import copy_files, staged_folder

GRAPH = "models/fitted_head.onnx"
PREVIOUS = "previous_version"


def add_fit(package: Package, record: Mapping[str, Any], head: Path | None) -> Package:
    """Replace the package by one that knows of a fit.

    Args:
        record: what becomes ``fitted`` of its metadata; ``head``: the head's graph, None where the network's own map is
            kept: the package then only says so.

    Raises:
        PackageError: the package was tampered with. OutputError: its folder cannot be written.
    """
    load_package(package.root)
    document = _without_fit(read_metadata(package.root))
    before = str(document["version"])
    entry = {**record, PREVIOUS: before}
    if head is not None:
        entry["graph"] = GRAPH
    version = next_version(before)
    what = "a head for its uncertainty, by sure fit" if head is not None else "sure fit was tried; its own map is kept"
    document |= {SETTING: entry, "version": version, "changelog": {**document["changelog"], version: what}}
    return _rewritten(package, document, head)


def remove_fit(package: Package) -> Package:
    """The package as it was before ``sure fit``.

    Raises:
        InputError: it was never fitted. PackageError, OutputError: as ``add_fit``.
    """
    load_package(package.root)
    document = read_metadata(package.root)
    if SETTING not in document:
        raise InputError(f"The model '{package.name}' has no head from sure fit, so that there is nothing to remove.")
    return _rewritten(package, _without_fit(document), None)


def next_version(version: str) -> str:
    """The version after a change that leaves the segmentation as it is: 1.2.0 becomes 1.3.0."""
    parts = version.split(".")
    if len(parts) == 3 and all(part.isdecimal() for part in parts):
        return f"{parts[0]}.{int(parts[1]) + 1}.0"
    return f"{version}+fit"


def _without_fit(document: dict[str, Any]) -> dict[str, Any]:
    fitted = document.get(SETTING)
    if not isinstance(fitted, Mapping):
        return document
    kept = {name: entry for name, entry in document.items() if name != SETTING}
    changes = {name: text for name, text in document["changelog"].items() if name != document["version"]}
    return {**kept, "version": str(fitted.get(PREVIOUS, document["version"])), "changelog": changes}


def _rewritten(package: Package, document: dict[str, Any], head: Path | None) -> Package:
    with staged_folder(package.root, overwrite=True) as folder:
        copy_files(package.root, folder)
        (folder / GRAPH).unlink(missing_ok=True)
        if head is not None:
            shutil.copyfile(head, folder / GRAPH)
        write_documents(folder, document)
    return load_package(package.root)
