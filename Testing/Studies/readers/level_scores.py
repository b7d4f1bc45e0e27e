"""What each latent level does alone: how much samples differ when only it is drawn, and in pieces of what size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from readers.network_predictor import NetworkPredictor
from SUREUncertaintyLib.evaluation.raters import RaterArrays, RaterSlice
from SUREUncertaintyLib.metrics.difference_scale import difference_scale
from SUREUncertaintyLib.metrics.multirater import diversity

DRAWN = 8


def score_levels(
    arrays: RaterArrays, entries: Sequence[RaterSlice], predictor: NetworkPredictor
) -> list[dict[str, Any]]:
    """A row a level, finest first: ``diversity`` and ``difference_scale`` in pixels, means over patients of nodules.

    Empty for methods without levels. Slices without a difference have no scale and are left out of it.
    """
    if predictor.reading != "latents":
        return []
    network: Any = predictor.networks[0]
    return [_score_level(arrays, entries, predictor, level) for level in range(network.levels)]


def _score_level(
    arrays: RaterArrays, entries: Sequence[RaterSlice], predictor: NetworkPredictor, level: int
) -> dict[str, Any]:
    alone = replace(predictor, count=DRAWN, levels=frozenset({level}))
    lesions = {lesion: number for number, lesion in enumerate(dict.fromkeys(entry.lesion for entry in entries))}
    found: dict[str, dict[Any, dict[Any, list[float]]]] = {"diversity": {}, "difference_scale": {}}
    for entry in entries:
        samples = alone.predict(arrays.images[entry.row], (lesions[entry.lesion],)).samples
        masks = samples.argmax(axis=1)
        for name, value in (("diversity", diversity(masks)), ("difference_scale", difference_scale(masks))):
            found[name].setdefault(entry.patient, {}).setdefault(entry.lesion, []).append(value)
    return {"level": level, **{name: _over_patients(values) for name, values in found.items()}}


def _over_patients(values: dict[Any, dict[Any, list[float]]]) -> float | None:
    """Mean over slices, then nodules, then patients; NaN left out, None where nothing is left."""
    patients = [_mean([_mean(slices) for slices in nodules.values()]) for nodules in values.values()]
    mean = _mean(patients)
    return None if np.isnan(mean) else round(mean, 6)


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")
