"""How alike a fitted template and a scan are, for the judgement: measures that neither contrast nor bias field moves.

All are read on the template's voxels. ``local`` ones correlate within small cubes, so that only structure counts:
two things that are bright in the middle and dark around are alike as a whole, and unlike piece by piece.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.stats import rankdata

from ..core.geometry import ras_to_ijk
from ..core.roi import Roi
from ..core.volume import Volume
from .alignment import Fit
from .template import Template, positions
from .working import WORKING_MM

_CUBE_MM = 21.0
_FLAT = 1e-4

Measures = dict[str, float]


def measure_fit(template: Template, scan: Volume, fit: Fit, boxes: Sequence[Roi]) -> Measures:
    """Every measure of a fit of ``template`` to the working volume ``scan``; ``boxes`` in the template's RAS mm."""
    seen, covered = _seen(template, scan, fit)
    local = _local_correlation(template.volume.array, seen, template.mask & covered)
    tissue, lobes = template.tissue & covered, template.tissue & _within(template, boxes)
    sizes = np.log(np.linalg.svd(fit.matrix, compute_uv=False))
    return {
        "correlation": _correlation(template.volume.array, seen, template.mask & covered),
        "rank": _rank_correlation(template.volume.array, seen, tissue),
        "local": _mean(local, tissue),
        "local_in_boxes": min(_mean(local, part & covered) for part in _halves(template, lobes)),
        "local_lowest": _lowest_part(template, local, tissue),
        "rim": _rim(template, seen, covered),
        "covered": float(np.count_nonzero(tissue) / np.count_nonzero(template.tissue)),
        "size": float(sizes.mean()),
        "stretch": float(sizes[0] - sizes[-1]),
    }


def _seen(template: Template, scan: Volume, fit: Fit) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The scan on the template's voxels, and which of them lie in its field of view."""
    everywhere = np.ones(template.mask.shape, bool)
    index = ras_to_ijk(scan.grid, fit(positions(template.volume, everywhere)))
    inside = ((index >= -0.5) & (index <= np.array(scan.grid.shape[::-1]) - 0.5)).all(axis=1)
    values = ndimage.map_coordinates(scan.array, index.T[::-1], order=1, mode="nearest")
    seen = np.asarray(values.reshape(everywhere.shape), np.float32)
    return seen, np.asarray(inside, bool).reshape(everywhere.shape)


def _local_correlation(
    one: NDArray[np.float32], other: NDArray[np.float32], mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Correlation coefficient of two images in the cube around each voxel, over what of it lies in the mask."""
    side = round(_CUBE_MM / WORKING_MM)
    share = np.maximum(ndimage.uniform_filter(mask.astype(np.float32), side), 1e-3)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(ndimage.uniform_filter(np.where(mask, values, np.float32(0.0)), side) / share)

    first, second = mean(one), mean(other)
    together = mean(one * other) - first * second
    spread = np.maximum(mean(one * one) - first**2, _FLAT) * np.maximum(mean(other * other) - second**2, _FLAT)
    return np.asarray(together / np.sqrt(spread))


def _halves(template: Template, part: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
    """The left and the right of a part of the template."""
    middle = part.shape[2] // 2
    right = np.zeros_like(part)
    right[:, :, middle:] = True
    return [part & right, part & ~right]


def _lowest_part(template: Template, local: NDArray[np.float32], tissue: NDArray[np.bool_]) -> float:
    """The eighth of the template (left or right, front or back, up or down) that agrees least."""
    k, j, i = np.round(ras_to_ijk(template.volume.grid, template.middle[None])[0]).astype(int)[::-1]
    eighths = [
        _mean(local, _only(tissue, (a, b, c)))
        for a in (slice(0, k), slice(k, None))
        for b in (slice(0, j), slice(j, None))
        for c in (slice(0, i), slice(i, None))
    ]
    return min(eighths)


def _only(mask: NDArray[np.bool_], part: tuple[slice, slice, slice]) -> NDArray[np.bool_]:
    out = np.zeros_like(mask)
    out[part] = mask[part]
    return out


def _rim(template: Template, seen: NDArray[np.float32], covered: NDArray[np.bool_]) -> float:
    """Probability that a voxel of the tissue is brighter than one just outside (skull, fluid, air): 0.5 is chance."""
    inner = seen[template.tissue & covered]
    outer = seen[template.mask & ~template.tissue & covered]
    if not inner.size or not outer.size:
        return 0.5
    ranks = rankdata(np.concatenate([inner, outer]))[: inner.size]
    return float((ranks.mean() - (inner.size + 1) / 2) / outer.size)


def _within(template: Template, boxes: Sequence[Roi]) -> NDArray[np.bool_]:
    points = positions(template.volume, np.ones(template.mask.shape, bool))
    inside = np.zeros(len(points), bool)
    for box in boxes:
        inside |= ((points >= box.low) & (points <= box.high)).all(axis=1)
    return inside.reshape(template.mask.shape)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    a, b = one[mask], other[mask]
    if a.size < 2 or a.std() == 0.0 or b.std() == 0.0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _rank_correlation(one: NDArray[np.float32], other: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    return _correlation(rankdata(one[mask]), rankdata(other[mask]), np.ones(np.count_nonzero(mask), bool))


def _mean(values: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    return float(values[mask].mean()) if mask.any() else 0.0
