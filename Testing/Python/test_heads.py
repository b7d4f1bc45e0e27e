"""Heads and normalisation against closed formulas."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from SUREUncertaintyLib.arrays.heads import create_head, normalised_entropy, softmax, softplus
from SUREUncertaintyLib.arrays.normalisation import check_settings, mean_and_std, normalise
from SUREUncertaintyLib.core.errors import PackageError


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_zero_logits_are_equal_odds_and_known_vacuity(classes):
    head = create_head("evidential")
    belief = head.belief(head.blended(np.zeros((classes, 2, 3, 4), np.float32)))
    assert belief.probability == pytest.approx(1.0 / classes, abs=1e-6)
    assert belief.uncertainty == pytest.approx(1.0 / (1.0 + np.log(2.0)), abs=1e-6)
    assert belief.entropy == pytest.approx(1.0, abs=1e-6)


def test_vacuity_goes_to_one_without_evidence_and_to_zero_with_much():
    head = create_head("evidential")
    none = head.belief(head.blended(np.full((3, 1), -200.0, np.float32)))
    much = head.belief(head.blended(np.array([[1e6], [-50.0], [0.0]], np.float32)))
    assert none.uncertainty[0] == 1.0
    assert much.uncertainty[0] == pytest.approx(3e-6, rel=1e-3)
    assert much.entropy[0] < 1e-4


def test_evidence_by_hand():
    belief = create_head("evidential").belief(np.array([[7.0], [1.0], [0.0]], np.float32))
    p = np.array([8, 2, 1]) / 11
    assert belief.probability[:, 0] == pytest.approx(p, abs=1e-6)
    assert belief.uncertainty[0] == pytest.approx(3 / 11, abs=1e-6)
    assert belief.entropy[0] == pytest.approx(-(p * np.log(p)).sum() / np.log(3), abs=1e-6)


@given(hnp.arrays(np.float32, 20, elements=st.floats(-300, 300, width=32)))
@settings(max_examples=60, deadline=None)
def test_softplus_is_the_float64_one_rounded(x):
    exact = np.logaddexp(0.0, x.astype(np.float64))
    result = softplus(x)
    assert result.dtype == np.float32
    assert np.all(np.abs(result - exact) <= 2e-7 * np.maximum(1.0, np.abs(x)))


@given(hnp.arrays(np.float32, (4, 6), elements=st.floats(-1e4, 1e4, width=32)))
@settings(max_examples=60, deadline=None)
def test_beliefs_are_finite_and_in_range(logits):
    for name in ("evidential", "softmax"):
        head = create_head(name)
        belief = head.belief(head.blended(logits))
        assert belief.probability.sum(axis=0) == pytest.approx(1.0, abs=1e-5)
        for uncertainty in (belief.uncertainty, belief.entropy):
            assert uncertainty.dtype == np.float32
            assert uncertainty.min() >= 0.0
            assert uncertainty.max() <= 1.0


def test_softmax_head_keeps_probability_and_uncertainty_is_entropy():
    head = create_head("softmax")
    assert head.kind == "entropy"
    logits = np.log(np.array([[0.7], [0.2], [0.1]], np.float32))
    belief = head.belief(head.blended(logits))
    assert belief.probability[:, 0] == pytest.approx([0.7, 0.2, 0.1], abs=1e-6)
    assert belief.uncertainty[0] == belief.entropy[0]


def test_blending_evidence_equals_blending_alpha():
    head = create_head("evidential")
    first, second = np.random.default_rng(0).normal(size=(2, 3, 5)).astype(np.float32)
    mixed = 0.3 * head.blended(first) + 0.7 * head.blended(second)
    alpha = 0.3 * (head.blended(first) + 1) + 0.7 * (head.blended(second) + 1)
    belief = head.belief(mixed.astype(np.float32))
    assert belief.uncertainty == pytest.approx(3 / alpha.sum(0), abs=1e-6)


def test_entropy_of_certainty_is_zero_and_softmax_survives_large_logits():
    assert normalised_entropy(np.array([[1.0], [0.0]], np.float32))[0] == 0.0
    assert softmax(np.array([[1e30], [0.0]], np.float32))[:, 0].tolist() == [1.0, 0.0]


def test_an_unknown_head_is_named():
    with pytest.raises(PackageError, match="sigmoid"):
        create_head("sigmoid")


def test_zscore_has_mean_zero_and_spread_one_for_every_type():
    values = np.random.default_rng(1).integers(-900, 2000, (9, 8, 7))
    for dtype in (np.int16, np.float32, np.float64):
        result = normalise(values.astype(dtype), {"kind": "zscore"})
        assert result.dtype == np.float32
        assert result.mean() == pytest.approx(0.0, abs=1e-5)
        assert result.std() == pytest.approx(1.0, abs=1e-5)
        assert result == pytest.approx((values - values.mean()) / values.std(), abs=1e-5)


def test_statistics_are_float64_where_float32_would_fail():
    values = (1e6 + np.tile([0.0, 1.0], 50_000)).astype(np.float32).reshape(10, 100, 100)
    assert mean_and_std(values) == pytest.approx((1e6 + 0.5, 0.5), rel=1e-9)


def test_zscore_of_nonzero_voxels_leaves_zeros():
    array = np.zeros((4, 4, 4), np.float32)
    array[:2] = np.random.default_rng(2).normal(100, 10, (2, 4, 4))
    result = normalise(array, {"kind": "zscore", "mask": "nonzero"})
    assert np.all(result[2:] == 0.0)
    assert result[:2].mean() == pytest.approx(0.0, abs=1e-5)
    assert result[:2].std() == pytest.approx(1.0, abs=1e-5)


def test_clipping_by_percentiles_tames_an_outlier():
    array = np.linspace(0, 1, 1000, dtype=np.float32).reshape(10, 10, 10)
    spoiled = array.copy()
    spoiled[0, 0, 0] = 1e9
    settings_ = {"kind": "zscore", "clip_percentiles": [0.5, 99.5]}
    assert normalise(spoiled, settings_)[5] == pytest.approx(normalise(array, settings_)[5], abs=0.05)


def test_range_and_minmax_scale_to_the_unit_interval():
    array = np.array([[-200.0, -125.0, 75.0, 275.0, 900.0]], np.float32)
    assert normalise(array, {"kind": "range", "low": -125, "high": 275})[0].tolist() == [0, 0, 0.5, 1, 1]
    assert normalise(array, {"kind": "minmax"})[0, [0, -1]] == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize("settings_", [{"kind": "zscore"}, {"kind": "minmax"}, {"kind": "zscore", "mask": "nonzero"}])
def test_a_constant_array_becomes_zeros(settings_):
    assert not normalise(np.full((3, 3, 3), 0.1, np.float32), settings_).any()


def test_the_input_is_never_changed_unless_asked():
    array = np.arange(27, dtype=np.float32).reshape(3, 3, 3)
    before = array.copy()
    normalise(array, {"kind": "zscore"})
    assert np.array_equal(array, before)
    assert np.shares_memory(normalise(array, {"kind": "zscore"}, overwrite=True), array)


@pytest.mark.parametrize(
    "bad",
    [{}, {"kind": "rank"}, {"kind": "range", "low": 2, "high": 1}, {"kind": "zscore", "mask": "brain"}],
)
def test_unknown_normalisation_is_refused(bad):
    with pytest.raises(PackageError):
        check_settings(bad)
