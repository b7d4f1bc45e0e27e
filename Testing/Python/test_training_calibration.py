"""The two numbers that are fitted on tuning cases: threshold of the map and probability of the volume range."""

from __future__ import annotations

import numpy as np
import pytest
from needed_torch import torch
from numpy.typing import NDArray
from SUREUncertaintyLib.training.calibration import (
    HIGHEST,
    PROBABILITIES,
    THRESHOLDS,
    TuningPrediction,
    predict_tuning,
    uncertainty_threshold,
    volume_probability,
)
from SUREUncertaintyLib.training.training_cases import TrainingCase


def judged(uncertainty: NDArray[np.float32], wrong: NDArray[np.bool_]) -> TuningPrediction:
    """A case that is predicted as background everywhere and is foreground where it is ``wrong``."""
    probability = np.stack([np.full(wrong.shape, 0.9), np.full(wrong.shape, 0.1)]).astype(np.float32)
    return TuningPrediction(probability, uncertainty.astype(np.float32), wrong.astype(np.uint8))


def sized(probability: NDArray[np.floating], voxels: int) -> TuningPrediction:
    """A case with one structure of this many reference voxels."""
    foreground = np.asarray(probability, np.float32)
    label = (np.arange(foreground.size) < voxels).astype(np.uint8)
    return TuningPrediction(np.stack([1 - foreground, foreground]), np.zeros_like(foreground), label)


def test_the_threshold_parts_errors_from_the_rest() -> None:
    uncertainty = np.array([0.105] * 30 + [0.305] * 10 + [0.655] * 10)
    wrong = np.array([False] * 40 + [True] * 10)
    assert uncertainty_threshold([judged(uncertainty, wrong)]) == 0.31, "the lowest that leaves out every right voxel"
    assert uncertainty_threshold([judged(uncertainty, uncertainty > 0.2)]) == 0.11


def test_the_threshold_maximises_the_mean_over_cases_of_the_overlap_of_uncertainty_and_error() -> None:
    generator = np.random.default_rng(5)
    cases = []
    for size, power in ((4000, 1.0), (60, 3.0), (300, 0.5)):
        uncertainty = generator.random(size).astype(np.float32)
        cases.append(judged(0.6 * uncertainty, generator.random(size) < uncertainty**power * 0.4))
    assert uncertainty_threshold(cases) == pytest.approx(_best_threshold(cases))
    assert len({uncertainty_threshold([case]) for case in cases}) == 3, "no case decides alone"


def _best_threshold(cases: list[TuningPrediction]) -> float:
    """By the definition: Dice of two sets of voxels for each threshold and case."""

    def overlap(case: TuningPrediction, threshold: float) -> float:
        wrong, uncertain = case.label == 1, case.uncertainty >= threshold
        return float(2.0 * (wrong & uncertain).sum() / max(wrong.sum() + uncertain.sum(), 1))

    return float(
        max(
            THRESHOLDS[THRESHOLDS <= HIGHEST],
            key=lambda threshold: np.mean([overlap(case, threshold) for case in cases]),
        )
    )


def test_no_error_and_no_uncertainty_overlap_entirely() -> None:
    nothing = judged(np.full(50, 0.305), np.zeros(50, bool))
    assert uncertainty_threshold([nothing]) == 0.31
    errors = judged(np.array([0.105] * 20 + [0.605]), np.array([False] * 20 + [True]))
    assert uncertainty_threshold([nothing, errors]) == 0.31, (
        "a case without an error counts once nothing of it is uncertain"
    )
    both = judged(np.repeat([0.205, 0.605], [10, 8]), np.repeat([True, False], [10, 8]))  # Dice 20 / 28 below 0.21
    assert uncertainty_threshold([nothing, both]) == 0.31
    assert uncertainty_threshold([nothing, both, both]) == 0.01


def test_the_volume_range_is_the_narrowest_that_holds_the_reference() -> None:
    # 10 voxels surely inside, 10 with P = 0.302 that belong to the reference: held once 1 - q < 0.302
    assert volume_probability([sized(np.repeat([0.999, 0.302, 0.001], [10, 10, 80]), 20)]) == 0.7
    # 20 voxels with P = 0.802 of which none is right: held once q > 0.802
    assert volume_probability([sized(np.repeat([0.802, 0.001], [20, 80]), 0)]) == 0.805
    assert volume_probability([sized(np.repeat([0.999, 0.001], [10, 90]), 10)]) == PROBABILITIES[0] == 0.5
    assert volume_probability([sized(np.repeat([0.5, 0.001], [10, 90]), 10)]) == 0.505, "P > 0.5 holds no P = 0.5"
    assert volume_probability([sized(np.repeat([0.75, 0.001], [10, 90]), 0)]) == 0.75, "nor P > 0.75 P = 0.75"


def test_the_volume_range_holds_nine_of_ten_structures_not_all() -> None:
    easy = sized(np.repeat([0.602, 0.001], [10, 90]), 0)
    hard = sized(np.repeat([0.902, 0.001], [10, 90]), 0)
    assert volume_probability([easy] * 9 + [hard]) == 0.605
    assert volume_probability([easy] * 9 + [hard], coverage=1.0) == 0.905
    assert volume_probability([easy] * 8 + [hard] * 2) == 0.905


def test_a_reference_that_no_range_holds_gets_the_widest() -> None:
    missed = sized(np.full(100, 0.001), 10)
    assert volume_probability([missed]) == PROBABILITIES[-1] == 0.995


def test_every_structure_counts_and_background_does_not() -> None:
    label = np.zeros(100, np.uint8)
    label[:10], label[10:30] = 1, 2
    probability = np.full((3, 100), 0.001, np.float32)
    probability[1, :10], probability[2, 10:20], probability[2, 20:30] = 0.999, 0.999, 0.402
    probability[0] = 0.5  # a range of the background would never hold its volume
    case = TuningPrediction(probability, np.zeros(100, np.float32), label)
    assert volume_probability([case], coverage=1.0) == 0.6
    assert volume_probability([case], coverage=0.5) == 0.5


class Reading(torch.nn.Module):
    """Two classes' logits straight from the image."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.zeros_like(image), image], 1)


def test_tuning_cases_are_predicted_on_the_whole_image() -> None:
    image = np.random.default_rng(0).normal(size=(20, 18, 24)).astype(np.float32)
    case = TrainingCase("a", "a", image, (image > 0).astype(np.uint8), (1.0, 1.0, 1.0))
    (found,) = predict_tuning(Reading(), [case], (16, 16, 16), "softmax")
    np.testing.assert_allclose(found.probability[1], 1 / (1 + np.exp(-image.astype(np.float64))), atol=1e-5)
    assert np.array_equal(found.label, case.label)
    assert found.uncertainty.shape == image.shape
