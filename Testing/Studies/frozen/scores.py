"""What every arm is measured by, from its maps on scans and on their disturbed copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from SUREUncertaintyLib.fitting.judging import NEAR_MM, NEAR_PX, lost_dice, read_near, zone_of
from SUREUncertaintyLib.metrics.boundary import BoundaryZone
from SUREUncertaintyLib.metrics.calibration import expected_calibration_error
from SUREUncertaintyLib.metrics.correlation import spearman
from SUREUncertaintyLib.metrics.detection import error_detection
from SUREUncertaintyLib.metrics.relations import (
    DELTA_LEVEL,
    distance_relation,
    gradient_relation,
    level_relation,
    zone_gradient,
)

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Shown:
    """What an arm says about one image: classes (...), map (...) and, if it has any, probabilities (C, ...)."""

    answer: NDArray[np.uint8]
    uncertainty: Float32
    probability: Float32


@dataclass(frozen=True)
class ScanScores:
    """Of one scan; ``values`` by measure, ``passes``: mean near the boundary, and the Dice lost, of every image."""

    id: str
    values: dict[str, float]
    passes: tuple[tuple[float, float], ...]


def score_scan(
    name: str,
    image: Float32,
    label: NDArray[np.uint8],
    spacing: tuple[float, ...] | None,
    found: Mapping[str, Shown],
) -> ScanScores:
    """``found``: by the names of ``scans.shown``; the noise levels end in their number."""
    zone = zone_of(label, spacing)
    if zone is None:
        raise ValueError(f"the label of {name} has no boundary")
    intact = found["intact"]
    wrong = intact.answer != label
    near = zone.near_distance <= (NEAR_MM if zone.widths.unit == "mm" else NEAR_PX)
    inside = error_detection(read_near(zone, intact.uncertainty)[near], read_near(zone, wrong)[near])
    whole = error_detection(intact.uncertainty, wrong)
    every = [
        error_detection(read_near(zone, one.uncertainty)[near], read_near(zone, one.answer != label)[near]).auroc
        for one in found.values()
    ]
    values = {
        "auroc_near": inside.auroc,
        "aurc_near": inside.aurc,
        "auroc_whole": whole.auroc,
        "aurc_whole": whole.aurc,
        "auroc_near_damaged": float(np.nanmean(every)),
        "ece": _calibration(intact.probability, label),
        **_relations(image, zone, spacing, found),
    }
    passes = tuple(
        (float(read_near(zone, one.uncertainty).mean()), lost_dice(one.answer, label)) for one in found.values()
    )
    return ScanScores(name, values, passes)


def _relations(
    image: Float32, zone: BoundaryZone, spacing: tuple[float, ...] | None, found: Mapping[str, Shown]
) -> dict[str, float]:
    block = image[0] if image.ndim == 4 else image[0][np.newaxis]
    maps = {name: read_near(zone, one.uncertainty) for name, one in found.items()}
    noise = {float(name.split()[1]): values for name, values in maps.items() if name.startswith("noise")}
    band = zone.near_distance <= zone.widths.delta
    gradient = gradient_relation(zone_gradient(block, zone, spacing if image.ndim == 4 else None), maps["intact"][band])
    distance = distance_relation(zone.near_distance, maps["intact"], noise[DELTA_LEVEL])
    level = level_relation(noise)
    return {
        "ur_star_gradient": gradient.ur_star,
        "ucc_gradient": gradient.ucc,
        "ur_star_distance": distance.ur_star,
        "ucc_distance": distance.ucc,
        "ur_star_noise": level.ur_star,
        "tau_noise": level.tau,
    }


def _calibration(probability: Float32, label: NDArray[np.uint8]) -> float:
    errors = [expected_calibration_error(p, label == number) for number, p in enumerate(probability)]
    return float(np.mean(errors))


def scan_level(scores: Sequence[ScanScores]) -> dict[str, float]:
    """Over all images of all scans: Spearman's rho with the Dice lost, AURC and E-AURC (Zenk et al. 2024).

    AURC: the mean over coverages k / n of the mean loss of the k most certain images; E-AURC: minus that of an order by
    the loss itself.
    """
    pairs = np.array([pair for one in scores for pair in one.passes])
    area, best = (_aurc(order, pairs[:, 1]) for order in (pairs[:, 0], pairs[:, 1]))
    rho = spearman(pairs[:, 0].tolist(), pairs[:, 1].tolist())
    return {"scan_spearman": rho, "scan_aurc": area, "scan_e_aurc": area - best}


def _aurc(order: NDArray[np.float64], loss: NDArray[np.float64]) -> float:
    sorted_loss = loss[np.argsort(order, kind="stable")]
    return float(np.mean(np.cumsum(sorted_loss) / np.arange(1, len(loss) + 1)))
