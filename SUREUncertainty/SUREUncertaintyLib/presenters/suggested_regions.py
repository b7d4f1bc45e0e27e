"""Regions of interest that a model finds by a search; shown, and only used when the user runs."""

from __future__ import annotations

from typing import Any

from ..location.locate import locate
from ..mrml.boxes import replace_suggested
from ..mrml.volume_nodes import volume_from_node
from ..packages.catalogue import find_package


def suggest_regions(scene: Any, scan: Any, model: str) -> list[Any]:
    """ROI nodes around the structures of a model in a scan; they replace those of an earlier suggestion.

    Raises:
        SureError: the model cannot search, or found nothing; the text says what to do.
    """
    return replace_suggested(scene, locate(volume_from_node(scan), find_package(model)).rois)
