"""What is known before a run, for panel and page: said while scan, region and model are chosen, not after minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.errors import InputError
from ..mrml.boxes import roi_from_node
from ..mrml.volume_nodes import grid_from_node
from ..packages.metadata import PackageMetadata


def cautions(scan: Any, metadata: PackageMetadata | None, regions: Sequence[Any]) -> tuple[str, ...]:
    """Sentences that speak against a run on these nodes as they are; also what the run would refuse.

    Args:
        scan: a volume node, None without one; ``regions``: ROI nodes, empty for the whole scan.
    """
    if scan is None or scan.GetImageData() is None or metadata is None:
        return ()
    from ..inference.forecast import forecast  # brings scipy, which takes a while to load

    try:
        rois = tuple(roi_from_node(node) for node in regions)
        lowest = float(scan.GetImageData().GetScalarRange()[0])
        return forecast(grid_from_node(scan), metadata, rois, lowest).sentences()
    except InputError as error:
        return (str(error),)
