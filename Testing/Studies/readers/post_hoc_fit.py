"""Two numbers that are fitted after training, by the least log loss on tuning slices.

A temperature of the samples (Guo et al. 2017, there for one answer), and the share that the network's own answer has in
the probability beside the mean of the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from SUREUncertaintyLib.evaluation.evaluate_raters import SliceScores, by_nodule, nodule_means
from SUREUncertaintyLib.evaluation.raters import RaterArrays, RaterSlice
from SUREUncertaintyLib.evaluation.slice_predictor import SlicePrediction, SlicePredictor
from SUREUncertaintyLib.inference.sampling.statistics import SampleStatistics
from SUREUncertaintyLib.metrics.bootstrap import grouped_bootstrap

SHARES = (0.0, 0.5)
TEMPERATURES = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5)
NO_SIZES = np.empty(0)
SURE = 1e-6
"""A probability is taken to be no nearer to 0 and 1, so that the logarithm stays finite."""


@dataclass(frozen=True)
class PostHoc:
    """The two numbers; as they are here nothing changes."""

    temperature: float = 1.0
    own_share: float = 0.0

    def applied(self, samples: SlicePrediction, own: SlicePrediction) -> SlicePrediction:
        """A prediction from samples and one from the network's own answer, both at temperature 1."""
        return joined(tempered(samples, self.temperature), tempered(own, self.temperature), self.own_share)


def best_post_hoc(
    arrays: RaterArrays, entries: Sequence[RaterSlice], samples: SlicePredictor, own: SlicePredictor
) -> PostHoc:
    """The pair of ``TEMPERATURES`` and ``SHARES`` with the least log loss, mean over nodules and patients.

    Args:
        samples, own: both at temperature 1; slices of one nodule share their noise.
    """
    lesions = {lesion: number for number, lesion in enumerate(dict.fromkeys(entry.lesion for entry in entries))}
    losses: dict[PostHoc, list[SliceScores]] = {PostHoc(*pair): [] for pair in product(TEMPERATURES, SHARES)}
    for entry in entries:
        image, key, readings = arrays.images[entry.row], (lesions[entry.lesion],), arrays.masks(entry.row)
        drawn, answer = samples.predict(image, key), own.predict(image, key)
        for numbers, scores in losses.items():
            values = proper_scores(numbers.applied(drawn, answer), readings)
            scores.append(SliceScores(entry, values, NO_SIZES, NO_SIZES))
    return min(losses, key=lambda numbers: _mean_log_loss(losses[numbers]))


def _mean_log_loss(scores: Sequence[SliceScores]) -> float:
    nodules = by_nodule(scores)
    values = nodule_means(nodules, ["log_loss"])["log_loss"]
    return grouped_bootstrap(values, [patient for patient, _ in nodules]).mean


def joined(samples: SlicePrediction, own: SlicePrediction, share: float) -> SlicePrediction:
    """The samples and their map, with the own answer as a share of the probability that makes the outline."""
    if share == 0.0:
        return samples
    part = np.float32(share)
    probability = (np.float32(1.0) - part) * samples.probability + part * own.probability
    return replace(samples, probability=probability, labels=probability.argmax(axis=0).astype(np.uint8))


def tempered(prediction: SlicePrediction, temperature: float) -> SlicePrediction:
    """Softmax of logits / T from that of the logits: probabilities to the power 1 / T, made to sum to 1 again."""
    raised = np.maximum(prediction.samples, np.finfo(np.float32).tiny) ** np.float32(1.0 / temperature)
    samples = raised / raised.sum(axis=1, keepdims=True)
    statistics = SampleStatistics(samples[0].shape)
    for sample in samples:
        statistics.add(sample)
    maps = statistics.maps()
    labels = maps.probability.argmax(axis=0).astype(np.uint8)
    return SlicePrediction(samples, maps.probability, labels, maps.mutual_information, prediction.sizes)


def proper_scores(prediction: SlicePrediction, readings: NDArray[np.uint8]) -> dict[str, float]:
    """Brier score and log loss of the mean probability, mean over readers and pixels."""
    p = np.clip(1.0 - prediction.probability[0].astype(np.float64), SURE, 1.0 - SURE)
    share = readings.mean(axis=0, dtype=np.float64)
    brier = share * (1.0 - p) ** 2 + (1.0 - share) * p**2
    log_loss = -(share * np.log(p) + (1.0 - share) * np.log1p(-p))
    return {"brier": float(brier.mean()), "log_loss": float(log_loss.mean())}
