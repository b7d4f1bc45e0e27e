"""Makes the effect "Uncertainty" known to Segment Editor."""

from __future__ import annotations

from pathlib import Path

import slicer

SOURCE = Path(__file__).resolve().parent / "SUREUncertaintyEffect.py"


def register_effect() -> None:
    """Register the effect; the application calls this once, after start-up."""
    effect = slicer.qSlicerSegmentEditorScriptedEffect(None)
    effect.setPythonSource(SOURCE.as_posix())
    effect.self().register()
