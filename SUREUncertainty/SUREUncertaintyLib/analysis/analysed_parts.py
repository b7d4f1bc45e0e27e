"""The parts of a scan that were analysed, as the warnings speak of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..core.labels import Label
from ..core.roi import Roi, roi_grid
from ..core.volume import Grid

Block = tuple[slice, slice, slice]
WHOLE = "scan"


@dataclass(frozen=True)
class Analysed:
    """A part of the scan that was analysed, and its labels; ``window``: the voxels that were, where they are others."""

    name: str
    grid: Grid
    label_set: Sequence[Label]
    roi: Roi | None = None
    window: Block | None = None

    @property
    def where(self) -> str:
        """In a sentence."""
        return "the scan" if self.roi is None else f"the region '{self.name}'"


def analysed_parts(
    grid: Grid, label_set: Sequence[Label], rois: Sequence[Roi], windows: Sequence[Block] = ()
) -> list[Analysed]:
    """One a region of interest, or the whole scan; ``windows`` as for ``notices_for``."""
    seen: list[Block | None] = [*windows] or [None] * max(1, len(rois))
    if not rois:
        return [Analysed(WHOLE, grid, label_set, None, seen[0])]
    each = len(label_set) // len(rois)
    return [
        Analysed(roi.name, roi_grid(grid, roi), label_set[n * each : (n + 1) * each], roi, seen[n])
        for n, roi in enumerate(rois)
    ]
