"""The warnings that a label map gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from ball import CUBE, LABELS
from SUREUncertaintyLib.analysis import notice_texts as texts
from SUREUncertaintyLib.analysis.grey_values import GreyValues
from SUREUncertaintyLib.analysis.in_samples import InSamples
from SUREUncertaintyLib.analysis.notices import notices_for
from SUREUncertaintyLib.analysis.rows import UncertainRegion
from SUREUncertaintyLib.analysis.structures import structure_table
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.packages.metadata import PackageMetadata


def notices_of(
    array: np.ndarray,
    metadata: PackageMetadata,
    grid: Grid = CUBE,
    rois: Sequence[Roi] = (),
    uncertainty: float = 0.0,
    regions: Sequence[UncertainRegion] = (),
    contrast: dict[str, dict[str, float]] | None = None,
    values: GreyValues | None = None,
    sampled: dict[int, InSamples] | None = None,
) -> dict[str, str]:
    """Texts by code for a label map, with one set of labels a region of interest."""
    label_set = LABELS
    if rois:
        label_set = tuple(
            replace(label, value=label.value + 2 * n, name=f"{roi.name} {label.name}")
            for n, roi in enumerate(rois)
            for label in LABELS
        )
    labels = Volume(array.astype(np.uint8), grid)
    rows = structure_table(labels, Volume(np.full(grid.shape, uncertainty, np.float32), grid), label_set, 0.5)
    found = notices_for(labels, metadata, label_set, rows, regions, rois, contrast, values=values, sampled=sampled)
    assert len({notice.code for notice in found}) == len(found) or texts.NOTHING_FOUND in {n.code for n in found}
    return {notice.code: notice.text for notice in found}
