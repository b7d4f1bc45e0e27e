"""The relation metrics of one case: UR, UR*, UCC and tau, and the uncertainty far from every boundary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.volume import Volume
from ..metrics.boundary import NO_BOUNDARY, BoundaryZone, boundary_zone
from ..metrics.noise_relation import LevelStatistics
from ..metrics.ranks import RankStatistics
from ..metrics.relations import (
    binned_gradient_relation,
    distance_relation,
    gradient_relation,
    level_relation,
    zone_gradient,
)
from .case_result import MEAN, RELATION_METRICS, Scores

NO_NOISE = "no noise level was run"
NOTHING_FAR = "no voxel is far from a boundary"

Noisy = Iterable[tuple[float, NDArray[np.float32]]]


@dataclass
class RelationRecord:
    """What goes with the relation metrics: zone sizes, bins, and uncertainty far away at every level."""

    details: dict[str, Any] = field(default_factory=dict)
    far_by_level: dict[str, float] = field(default_factory=dict)


def score_relations(
    scores: Scores,
    image: Volume,
    labels: NDArray[Any],
    uncertainty: NDArray[np.float32],
    noisy: Noisy,
    delta_level: float,
) -> RelationRecord:
    """Put the relation metrics into ``scores``.

    Args:
        image: the scan; its gradient per mm is taken on its own grid.
        labels: reference or predicted label map that the boundary and the distances come from.
        uncertainty: of the clean scan; voxels that were not analysed (NaN) are left out.
        noisy: (level, uncertainty) pairs, consumed one by one; only the values near the boundary are kept.
        delta_level: the level whose rise of uncertainty the distance relation uses.
    """
    whole = boundary_zone(labels, image.grid.spacing_kji)
    zone = None if whole is None else whole.within(np.isfinite(uncertainty))
    if zone is None:
        for metric in RELATION_METRICS:
            scores.put(metric, MEAN, float("nan"), NO_BOUNDARY)
        return RelationRecord()
    record = RelationRecord(_zone_details(zone))
    _score_gradient(scores, record, image, zone, uncertainty)
    _score_noise(scores, record, zone, uncertainty, noisy, delta_level)
    return record


def _zone_details(zone: BoundaryZone) -> dict[str, Any]:
    widths = zone.widths
    return {
        "delta": widths.delta,
        "t": widths.t,
        "unit": widths.unit,
        "band_voxels": int(zone.band.sum()),
        "near_voxels": int(zone.near_distance.size),
    }


def _put_ranks(scores: Scores, name: str, result: RankStatistics) -> None:
    undefined = result.undefined
    for kind, value in (("ur", result.ur), ("ur_star", result.ur_star), ("ucc", result.ucc)):
        scores.put(f"{kind}_{name}", MEAN, value, undefined.get(kind))


def _score_gradient(
    scores: Scores, record: RelationRecord, image: Volume, zone: BoundaryZone, uncertainty: NDArray[np.float32]
) -> None:
    spacing, near = image.grid.spacing_kji, zone.in_band(uncertainty)
    gradient = zone_gradient(image.array, zone, spacing)
    _put_ranks(scores, "gradient", gradient_relation(gradient, near))
    record.details["gradient_25_bins"] = _triple(binned_gradient_relation(gradient, near))
    if zone.thick_axis is not None:
        in_plane = zone_gradient(image.array, zone, spacing, in_plane=True)
        record.details["gradient_in_plane"] = _triple(gradient_relation(in_plane, near))


def _triple(result: RankStatistics) -> dict[str, float]:
    return {"ur": result.ur, "ur_star": result.ur_star, "ucc": result.ucc}


def _score_noise(
    scores: Scores,
    record: RelationRecord,
    zone: BoundaryZone,
    uncertainty: NDArray[np.float32],
    noisy: Noisy,
    delta_level: float,
) -> None:
    near: dict[float, NDArray[np.float32]] = {}
    record.far_by_level["0"] = zone.far_mean(uncertainty)
    for level, noisy_map in noisy:
        near[level] = zone.in_near(noisy_map)
        record.far_by_level[f"{level:g}"] = zone.far_mean(noisy_map)
    if delta_level in near:
        clean = zone.in_near(uncertainty)
        _put_ranks(scores, "distance", distance_relation(zone.near_distance, clean, near[delta_level]))
    else:
        for kind in ("ur", "ur_star", "ucc"):
            scores.put(f"{kind}_distance", MEAN, float("nan"), NO_NOISE)
    _put_levels(scores, record, level_relation(near))
    scores.put("far_uncertainty", MEAN, float(np.mean(list(record.far_by_level.values()))), NOTHING_FAR)


def _put_levels(scores: Scores, record: RelationRecord, result: LevelStatistics) -> None:
    undefined = result.undefined
    for kind, value in (("ur", result.ur), ("ur_star", result.ur_star), ("tau", result.tau)):
        scores.put(f"{kind}_sigma", MEAN, value, undefined.get(kind))
    record.details["tau_unchanged_voxels"] = result.unchanged
