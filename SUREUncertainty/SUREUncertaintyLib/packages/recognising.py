"""What a folder or zip is, and what a model that came in will use: in words, before and after an import."""

from __future__ import annotations

from pathlib import Path
from zipfile import is_zipfile

from .auto3dseg.importing import find_auto3dseg
from .metadata import PackageMetadata
from .nnunet.folder import is_nnunet
from .package import Package, is_package
from .pipeline import Pipeline
from .totalsegmentator.folders import is_totalsegmentator

PACKAGE, BUNDLE, NNUNET, AUTO3DSEG, ZIP, NOTHING = "package", "bundle", "nnunet", "auto3dseg", "zip", ""
TOTAL = "totalsegmentator"


def recognise(path: Path) -> str:
    """Which kind of model lies there; "" for none. A zip is one of them only after it was unpacked."""
    if path.is_file():
        return ZIP if is_zipfile(path) else NOTHING
    if is_package(path):
        return PACKAGE if (path / "configs" / "checksums.json").is_file() else BUNDLE
    if path.is_dir() and is_totalsegmentator(path):
        return TOTAL
    if path.is_dir() and is_nnunet(path):
        return NNUNET
    return AUTO3DSEG if path.is_dir() and find_auto3dseg(path) is not None else NOTHING


def summary(package: Package) -> str:
    """What a model will use and find: one line for people."""
    metadata = package.metadata
    cost = cost_in_words(metadata.pipeline)
    parts = [metadata.source_program, cost, _structures(metadata), _images(metadata.pipeline)]
    return "; ".join(part for part in parts if part) + "."


def cost_in_words(pipeline: Pipeline | None) -> str:
    """How many networks and mirrored copies a window takes; "" for a model without a pipeline."""
    if pipeline is None:
        return ""
    if pipeline.parts:
        return f"{len(pipeline.parts)} networks for different structures"
    folds, mirrors = len(pipeline.members), len(pipeline.mirrorings)
    if folds * mirrors == 1:
        return "one pass a window"
    words = f"{folds} {'network' if folds == 1 else 'folds'}"
    words += f", {mirrors} mirrored copies" if mirrors > 1 else ""
    return f"{words}: {folds * mirrors} passes a window"


def _structures(metadata: PackageMetadata) -> str:
    names = [label.name for label in metadata.foreground]
    return f"{len(names)} structures: {', '.join(names[:3])} ..." if len(names) > 4 else f"finds {', '.join(names)}"


def _images(pipeline: Pipeline | None) -> str:
    if pipeline is None or len(pipeline.channels) == 1:
        return ""
    return "wants " + ", ".join(channel.name for channel in pipeline.channels)
