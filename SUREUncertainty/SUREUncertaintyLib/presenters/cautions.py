"""What is known before a run, for panel and page: said while scan, region and model are chosen, not after minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..analysis.scan_notices import about_scan, about_units
from ..core.errors import InputError
from ..mrml.boxes import roi_from_node
from ..mrml.volume_nodes import grid_from_node
from ..packages.metadata import PackageMetadata
from .texts import SEARCHES


def cautions(scan: Any, metadata: PackageMetadata | None, regions: Sequence[Any]) -> tuple[str, ...]:
    """Sentences that speak against a run on these nodes as they are; also what the run would refuse.

    Args:
        scan: a volume node, None without one; ``regions``: the ROI nodes that the run takes. Without any, a model that
            searches says so: what is found decides on windows and field of view.
    """
    if scan is None or scan.GetImageData() is None or metadata is None:
        return ()
    from ..inference.forecast import forecast  # these bring scipy, which takes a while to load
    from ..location.choice import needs_search

    try:
        rois = tuple(roi_from_node(node) for node in regions)
        lowest = float(scan.GetImageData().GetScalarRange()[0])
        grid = grid_from_node(scan)
        if not rois and needs_search(grid, metadata):
            known = (*about_units(metadata, lowest), *about_scan(grid, metadata, [], {}))
            return (*(notice.text for notice in known), SEARCHES)
        return forecast(grid, metadata, rois, lowest).sentences()
    except InputError as error:
        return (str(error),)
