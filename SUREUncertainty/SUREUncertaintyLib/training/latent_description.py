"""What a package with latents says about its uncertainty: fitted, and probed for collapse, on tuning cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inference.sampling.draw import SampleSource
from ..inference.sampling.encoding import make_layout
from ..inference.sampling.sizes import LEAST_SAMPLES, channel_sizes
from ..inference.sampling.statistics import MAP_KINDS, SampleStatistics
from ..inference.sampling.torch_latent import NetworkEngine
from ..nn.hierarchical.collapse_probe import collapse_warnings
from ..nn.hierarchical.sampled_networks import SampledNetwork
from .calibration import TuningPrediction, TuningSizes, size_stretch, uncertainty_threshold
from .hierarchical_objective import probe_cases
from .recipe import Recipe
from .training_cases import TrainingCase

SAMPLES = 20
OVERLAP = 0.5
MOST_CASES = 600
"""Tuning cases that are drawn from, spread evenly over the list: a hundred samples of each take their time, and of a
hundred cases of forty patients the stretch of the intervals comes out anywhere between 1.2 and 1.4."""


def describe_latents(recipe: Recipe, network: SampledNetwork, tuning: Sequence[TrainingCase]) -> dict[str, Any]:
    """The ``uncertainty`` section: kinds, thresholds from samples of tuning cases, probe and warnings."""
    primary = str(recipe.package.get("primary", MAP_KINDS[0]))
    section: dict[str, Any] = {
        "primary": primary,
        "kinds": list(MAP_KINDS),
        "threshold": recipe.package.get("threshold", 0.1),
        "samples": SAMPLES,
    }
    temperature = float(recipe.package.get("sample_temperature", 1.0))
    if temperature != 1.0:
        section["sample_temperature"] = temperature
    if not tuning or network.latent_mode == "off":
        return section
    chosen = tuning[:: -(-len(tuning) // MOST_CASES)]
    drawn = [draw_samples(network, case, recipe.input.patch, primary, temperature) for case in chosen]
    probes = probe_cases(network, tuning, recipe.input.patch)
    return section | {
        "threshold": uncertainty_threshold([prediction for prediction, _ in drawn]),
        "size_stretch": size_stretch([size for _, sizes in drawn for size in sizes]),
        "fitted_on": f"{len(chosen)} tuning cases that were not trained on",
        "probe": [{name: round(value, 6) for name, value in asdict(probe).items()} for probe in probes],
        "warnings": list(collapse_warnings(probes)),
    }


def draw_samples(
    network: SampledNetwork, case: TrainingCase, patch: tuple[int, ...], primary: str, temperature: float
) -> tuple[TuningPrediction, list[TuningSizes]]:
    """Mean probability and primary map of one tuning case, in its own shape, and the sizes of every structure."""
    engine = NetworkEngine(network, str(next(network.parameters()).device))
    volume = case.image if case.image.ndim == 3 else case.image[np.newaxis]
    layout = make_layout(network.levels, network.latent_dim, planar=len(patch) == 2)
    source = SampleSource(volume[np.newaxis], engine, layout, patch, OVERLAP, temperature=temperature)
    statistics, sizes = SampleStatistics((network.classes, *volume.shape)), []
    for number, sample in enumerate(source.draw(LEAST_SAMPLES)):
        winners = statistics.add(sample) if number < SAMPLES else sample.argmax(axis=0).astype(np.uint8)
        sizes.append(channel_sizes(winners, network.classes))
    maps, shape = statistics.maps(), case.image.shape
    prediction = TuningPrediction(maps.probability.reshape(-1, *shape), maps.map(primary).reshape(shape), case.label)
    return prediction, _sizes(case, np.array(sizes, dtype=np.float64))


def _sizes(case: TrainingCase, samples: NDArray[np.float64]) -> list[TuningSizes]:
    readings = case.label[np.newaxis] if case.readings is None else case.readings
    flat = readings.reshape(len(readings), -1)
    return [
        TuningSizes(case.group, samples[:, value], (flat == value).sum(axis=1).astype(np.float64))
        for value in range(1, samples.shape[1])
    ]
