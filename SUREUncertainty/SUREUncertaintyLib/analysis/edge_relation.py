"""Whether uncertainty behaves as it should in one result, without a reference label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.volume import Volume
from ..metrics.boundary import boundary_zone
from ..metrics.relations import gradient_relation, zone_gradient


@dataclass(frozen=True)
class EdgeTrust:
    """Sharp edges should be certain ones: the gradient relation on the boundary of the prediction.

    Attributes:
        ucc: Spearman correlation of gradient and uncertainty, perfect -1; NaN where either is constant.
        ur_star: share of pairs in the right order, ties half; perfect 1, chance 0.5.
        voxels: boundary voxels compared.
    """

    ucc: float
    ur_star: float
    voxels: int


def edge_trust(image: Volume, labels: Volume, uncertainty: Volume) -> EdgeTrust | None:
    """The gradient relation of a result; None when the label map has no analysed boundary. All three on one grid."""
    spacing = image.grid.spacing_kji
    whole = boundary_zone(labels.array, spacing)
    zone = None if whole is None else whole.within(np.isfinite(uncertainty.array))
    if zone is None:
        return None
    gradient = zone_gradient(image.array, zone, spacing)
    result = gradient_relation(gradient, zone.in_band(uncertainty.array))
    return EdgeTrust(result.ucc, result.ur_star, result.n)
