"""What a package with latents says about its doubt: fitted, and probed for collapse, on tuning cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ..inference.sampling.drawing import SampleSource
from ..inference.sampling.encoding import make_layout
from ..inference.sampling.statistics import MAP_KINDS
from ..inference.sampling.statistics import SampleStatistics
from ..inference.sampling.torch_latent import NetworkEngine
from ..nn.hierarchical.collapse_probe import collapse_warnings
from ..nn.hierarchical.latent_unet import LatentUNet
from .calibration import TuningPrediction
from .calibration import doubt_threshold
from .calibration import volume_probability
from .cases import TrainingCase
from .hierarchical_objective import probe_cases
from .recipe import Recipe

SAMPLES = 20
OVERLAP = 0.5


def describe_latents(recipe: Recipe, network: LatentUNet, tuning: Sequence[TrainingCase]) -> dict[str, Any]:
    """The ``uncertainty`` section: kinds, thresholds from samples of tuning cases, probe and warnings."""
    primary = str(recipe.package.get("primary", MAP_KINDS[0]))
    section: dict[str, Any] = {
        "primary": primary,
        "kinds": list(MAP_KINDS),
        "threshold": recipe.package.get("threshold", 0.1),
        "samples": SAMPLES,
    }
    if not tuning:
        return section
    predictions = [predict_samples(network, case, recipe.input.patch, primary) for case in tuning]
    probes = probe_cases(network, tuning, recipe.input.patch)
    return section | {
        "threshold": doubt_threshold(predictions),
        "volume_probability": volume_probability(predictions),
        "fitted_on": f"{len(tuning)} tuning cases that were not trained on",
        "probe": [{name: round(value, 6) for name, value in asdict(probe).items()} for probe in probes],
        "warnings": list(collapse_warnings(probes)),
    }


def predict_samples(network: LatentUNet, case: TrainingCase, patch: tuple[int, ...], primary: str) -> TuningPrediction:
    """Mean probability and primary map over samples of one tuning case, in the case's own shape."""
    engine = NetworkEngine(network, str(next(network.parameters()).device))
    volume = case.image if case.image.ndim == 3 else case.image[np.newaxis]
    layout = make_layout(network.levels, network.latent_dim, planar=len(patch) == 2)
    source = SampleSource(volume[np.newaxis], engine, layout, patch, OVERLAP)
    statistics = SampleStatistics((network.classes, *volume.shape))
    for sample in source.draw(SAMPLES):
        statistics.add(sample)
    maps, shape = statistics.maps(), case.image.shape
    return TuningPrediction(maps.probability.reshape(-1, *shape), maps.map(primary).reshape(shape), case.label)
