"""What a package holds, for tests that look into one."""

import copy
from pathlib import Path
from typing import Any

from SUREUncertaintyLib.packages.package import Package

FILES = {
    "LICENSE",
    "configs/checksums.json",
    "configs/inference.json",
    "configs/metadata.json",
    "docs/README.md",
    "models/model.onnx",
    "models/model.safetensors",
}


def document_of(package: Package) -> dict[str, Any]:
    return copy.deepcopy(package.metadata.raw)


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
