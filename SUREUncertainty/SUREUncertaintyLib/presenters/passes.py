"""How often an imported network runs a window: what a model with folds or mirrored copies leaves to choose."""

from __future__ import annotations

from ..core.translation import Translate
from ..inference.native.choice import ALL, offered_passes
from ..packages.metadata import PackageMetadata
from . import texts


def passes_entries(metadata: PackageMetadata | None, translate: Translate) -> dict[str, str]:
    """Names and texts for a list; empty for a model that leaves no choice."""
    offered = {} if metadata is None else offered_passes(metadata.pipeline)
    return {
        name: translate(texts.PASSES[name]).format(folds=folds, copies=copies, passes=folds * copies)
        for name, (folds, copies) in offered.items()
    }


def applied_passes(metadata: PackageMetadata | None, wanted: str) -> str:
    """What was chosen, where this model has it; else all passes, as the program that trained it runs them."""
    return wanted if metadata is not None and wanted in offered_passes(metadata.pipeline) else ALL
