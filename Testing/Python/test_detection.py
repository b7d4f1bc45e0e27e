"""AUROC, AUPR, risk-coverage and overlap of uncertainty against errors, against brute force."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from SUREUncertaintyLib.metrics.detection import UEO_THRESHOLDS, UncertaintyRanking, error_detection

Pairs = list[tuple[float, bool]]
VOXELS = st.lists(st.tuples(st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 1.0]), st.booleans()), min_size=1)


def brute_auroc(u: list[float], wrong: list[bool]) -> float:
    pairs = [(a, b) for a, x in zip(u, wrong, strict=True) if x for b, y in zip(u, wrong, strict=True) if not y]
    return float(np.mean([1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs])) if pairs else float("nan")


def brute_aupr(u: list[float], wrong: list[bool]) -> float:
    if not any(wrong):
        return float("nan")
    area, recall = 0.0, 0.0
    for threshold in sorted(set(u), reverse=True):
        flagged = [w for value, w in zip(u, wrong, strict=True) if value >= threshold]
        area += (sum(flagged) / sum(wrong) - recall) * sum(flagged) / len(flagged)
        recall = sum(flagged) / sum(wrong)
    return area


def brute_aurc(u: list[float], wrong: list[bool]) -> float:
    """Ties by expectation: within a tied group every voxel carries the group's error rate."""
    rates = [np.mean([w for v, w in zip(u, wrong, strict=True) if v == value]) for value in sorted(u)]
    return float(np.mean(np.cumsum(rates) / np.arange(1, len(u) + 1)))


def test_a_perfect_detector_scores_one_everywhere() -> None:
    u, wrong = np.array([0.05, 0.15, 0.85, 0.95]), np.array([False, False, True, True])
    result = error_detection(u, wrong)
    assert (result.auroc, result.aupr, result.ueo) == (1.0, 1.0, 1.0)
    assert result.ueo_threshold == 0.15
    assert result.aurc == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)


def test_the_worst_detector_scores_zero_auroc_and_the_largest_risk() -> None:
    result = error_detection(np.array([0.9, 0.8, 0.1, 0.2]), np.array([False, False, True, True]))
    assert result.auroc == 0.0
    assert result.aurc == pytest.approx((1 + 1 + 2 / 3 + 2 / 4) / 4)


def test_a_constant_map_knows_nothing() -> None:
    result = error_detection(np.full(10, 0.3), np.arange(10) < 2)
    assert result.auroc == 0.5
    assert result.aupr == pytest.approx(0.2)
    assert result.aurc == pytest.approx(0.2)


def test_without_errors_the_curves_are_undefined_with_a_reason_and_the_risk_is_zero() -> None:
    result = error_detection(np.array([0.2, 0.4]), np.array([False, False]))
    assert np.isnan(result.auroc)
    assert np.isnan(result.aupr)
    assert result.aurc == 0.0
    assert result.reason == "no wrong voxel"
    assert result.ueo == 1.0


def test_when_everything_is_wrong_auroc_is_undefined() -> None:
    result = error_detection(np.array([0.2, 0.4]), np.array([True, True]))
    assert np.isnan(result.auroc)
    assert result.aupr == 1.0
    assert result.aurc == pytest.approx(1.0)
    assert result.reason == "no right voxel"


def test_overlap_at_a_fixed_threshold() -> None:
    u, wrong = np.array([0.1, 0.6, 0.7, 0.2]), np.array([False, True, False, True])
    assert UncertaintyRanking(u).overlap_at(wrong, 0.5) == pytest.approx(2 * 1 / (2 + 2))


def test_uncertainty_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        error_detection(np.array([np.nan, 0.1]), np.array([True, False]))


def test_arrays_of_any_shape_are_taken_voxel_by_voxel() -> None:
    generator = np.random.default_rng(0)
    u, wrong = generator.random((3, 4, 5)).astype(np.float32), generator.random((3, 4, 5)) < 0.3
    assert error_detection(u, wrong) == error_detection(u.ravel(), wrong.ravel())


@given(VOXELS)
def test_every_measure_agrees_with_brute_force(pairs: Pairs) -> None:
    u, wrong = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    result = error_detection(np.array(u), np.array(wrong))
    assert result.auroc == pytest.approx(brute_auroc(u, wrong), nan_ok=True)
    assert result.aupr == pytest.approx(brute_aupr(u, wrong), nan_ok=True)
    assert result.aurc == pytest.approx(brute_aurc(u, wrong), abs=1e-12)


@given(VOXELS)
def test_the_overlap_is_the_best_over_all_thresholds(pairs: Pairs) -> None:
    u, wrong = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    overlaps = []
    for threshold in UEO_THRESHOLDS:
        hit, total = int((wrong & (u > threshold)).sum()), int(wrong.sum() + (u > threshold).sum())
        overlaps.append(2 * hit / total if total else 1.0)
    result = error_detection(u, wrong)
    assert result.ueo == pytest.approx(max(overlaps))
    assert result.ueo_threshold == pytest.approx(UEO_THRESHOLDS[int(np.argmax(overlaps))])


def test_large_tie_groups_stay_accurate() -> None:
    """A map with few levels, as 16-bit or clipped uncertainties give: cancellation must not eat the digits."""
    generator = np.random.default_rng(1)
    u = generator.integers(0, 5, 200_000) / 4
    wrong = generator.random(200_000) < 0.05 + 0.2 * u
    assert error_detection(u, wrong).aurc == pytest.approx(_grouped_aurc(u, wrong), abs=1e-9)


def _grouped_aurc(u: np.ndarray, wrong: np.ndarray) -> float:
    _levels, inverse, counts = np.unique(u, return_inverse=True, return_counts=True)
    rates = np.bincount(inverse, weights=wrong) / counts
    risks = np.cumsum(np.repeat(rates, counts)) / np.arange(1, u.size + 1)
    return float(risks.mean())
