"""Names of nodes, which become names of files when a scene is saved."""

from __future__ import annotations

from typing import Any

from ..core.safe_names import plain_text

_LONGEST_BYTES = 120
"""File systems take 255; Slicer writes spaces as three characters and puts more words behind."""


def node_name(text: str) -> str:
    """One line without ``&``, which Slicer 5 writes into a scene's file names in a way that it cannot read again."""
    plain = plain_text(text.replace("&", "+"))
    return plain.encode()[:_LONGEST_BYTES].decode(errors="ignore").strip() or "unnamed"


def unique_name(scene: Any, text: str) -> str:
    """Such a name that no node of the scene has."""
    return str(scene.GenerateUniqueName(node_name(text)))
