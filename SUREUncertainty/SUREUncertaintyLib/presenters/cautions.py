"""What is known before a run, for panel and page: said while scan, region and model are chosen, not after minutes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..analysis.grey_values import grey_values
from ..analysis.scan_notices import about_scan, about_units
from ..core.checks import check_modality
from ..core.errors import InputError
from ..core.roi import Roi
from ..mrml.boxes import roi_from_node
from ..mrml.scan_facts import modality_of
from ..mrml.volume_nodes import grid_from_node, image_array, require_scalar, require_untransformed
from ..packages.metadata import PackageMetadata
from .texts import SEARCHES

Seconds = Callable[[], float | None]
"""How long the network takes for a window here, None where it is not known (yet)."""


def cautions(
    scan: Any,
    metadata: PackageMetadata | None,
    regions: Sequence[Any],
    seconds_a_window: Seconds = lambda: None,
    frames: int = 1,
) -> tuple[str, ...]:
    """Sentences that speak against a run on these nodes as they are; also what the run would refuse.

    Args:
        scan: a volume node, None without one; ``regions``: the ROI nodes that the run takes. Without any, a model that
            searches says so: what is found decides on windows and field of view.
        seconds_a_window: asked for runs that are not over at once.
        frames: how many scans of this size the run segments.
    """
    if scan is None or scan.GetImageData() is None or metadata is None:
        return ()
    try:
        require_untransformed(scan)
        require_scalar(scan)
        check_modality(scan.GetName(), modality_of(scan), metadata.modality)
        return _known(scan, metadata, tuple(roi_from_node(node) for node in regions), seconds_a_window, frames)
    except InputError as error:
        return (str(error),)


def _known(
    scan: Any, metadata: PackageMetadata, rois: tuple[Roi, ...], seconds_a_window: Seconds, frames: int
) -> tuple[str, ...]:
    from ..inference.forecast import forecast  # these bring scipy, which takes a while to load
    from ..location.choice import needs_search

    values = None if modality_of(scan) else grey_values(image_array(scan.GetImageData()))
    grid = grid_from_node(scan)
    if not rois and needs_search(grid, metadata):
        units = () if values is None else about_units(metadata, values)
        return (*(notice.text for notice in (*units, *about_scan(grid, metadata, [], {}))), SEARCHES)
    ahead = forecast(grid, metadata, rois, values).of_frames(frames)
    return ahead.sentences(None if ahead.is_brief else seconds_a_window())
