"""Deep ensembles (Lakshminarayanan et al., NeurIPS 2017): a folder of packages that were trained apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...arrays.heads import Head, class_probability
from ...core.errors import PackageError
from ..engine import Engine
from .averaged_engine import AveragedEngine, Float32

if TYPE_CHECKING:
    from ...packages.package import Package

SHARED = ("orientation", "spacing", "normalisation", "patch", "overlap", "channels")


def load_members(folder: Path) -> tuple[Package, ...]:
    """The packages directly inside a folder, by name.

    Raises:
        PackageError: fewer than two, a broken one, or packages that do not answer the same question on the same grid.
    """
    from ...packages.package import is_package, load_package

    inside = sorted(folder.iterdir()) if folder.is_dir() else []
    members = tuple(load_package(root) for root in inside if is_package(root) and not root.name.startswith("."))
    if len(members) < 2:
        raise PackageError(
            f"An ensemble is a folder of at least two model packages; {folder} holds {len(members)}. "
            "Train the same recipe with several seeds and put the packages side by side."
        )
    for other in members[1:]:
        _check_alike(members[0], other)
    return members


def fingerprint(members: Sequence[Package]) -> str:
    """SHA-256 over the members' fingerprints, whatever their order."""
    return hashlib.sha256("".join(sorted(member.fingerprint for member in members)).encode("ascii")).hexdigest()


def ensemble(engines: Sequence[Engine], heads: Sequence[Head]) -> AveragedEngine:
    """One pass of every member."""

    def probabilities(windows: Float32) -> Iterator[Float32]:
        for engine, head in zip(engines, heads, strict=True):
            yield class_probability(engine.logits(windows), head)

    return AveragedEngine(engines[0], "ensemble", len(engines), probabilities)


def _check_alike(first: Package, other: Package) -> None:
    labels = [[(label.value, label.name) for label in member.metadata.labels] for member in (first, other)]
    different = [name for name in SHARED if getattr(first.metadata, name) != getattr(other.metadata, name)]
    different += ["labels"] if labels[0] != labels[1] else []
    if different:
        raise PackageError(
            f"The models {first.name} and {other.name} cannot be averaged: they differ in {', '.join(different)}."
        )
