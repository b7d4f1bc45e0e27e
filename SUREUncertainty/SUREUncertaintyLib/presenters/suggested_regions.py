"""Regions of interest suggested by registering a brain template; shown, and only used when the user runs."""

from __future__ import annotations

from typing import Any

from ..files.template import regions_by_template
from ..mrml.boxes import replace_suggested
from ..mrml.volume_nodes import volume_from_node


def suggest_regions(scene: Any, scan: Any) -> list[Any]:
    """ROI nodes around the structures of the template in a T1 head scan; they replace those of an earlier suggestion.

    Raises:
        SureError: the template is not installed, or the scan cannot be registered to it.
    """
    return replace_suggested(scene, regions_by_template(volume_from_node(scan)))
