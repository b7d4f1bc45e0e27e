"""Intervals over groups."""

import numpy as np
import pytest
from SUREUncertaintyLib.metrics.bootstrap import group_means, grouped_bootstrap, paired_bootstrap


def test_the_mean_is_over_groups_not_over_cases() -> None:
    interval = grouped_bootstrap([1.0, 1.0, 1.0, 0.0], ["a", "a", "a", "b"])
    assert interval.mean == 0.5
    assert interval.n == 2


def test_undefined_values_are_left_out_and_counted_by_n() -> None:
    nan = float("nan")
    assert group_means([1.0, nan, nan, 3.0], ["a", "a", "b", "c"]).tolist() == [1.0, 3.0]
    assert grouped_bootstrap([1.0, nan, nan, 3.0], ["a", "a", "b", "c"]).n == 2


def test_nothing_defined_gives_no_number_and_one_group_no_interval() -> None:
    nothing = grouped_bootstrap([float("nan")], ["a"])
    assert nothing.n == 0
    assert np.isnan(nothing.mean)
    one = grouped_bootstrap([0.4, 0.6], ["a", "a"])
    assert (one.mean, one.n) == (0.5, 1)
    assert np.isnan(one.low)
    assert np.isnan(one.high)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values, groups = np.random.default_rng(0).random(30), list(range(30))
    assert grouped_bootstrap(values, groups, seed=4) == grouped_bootstrap(values, groups, seed=4)
    assert grouped_bootstrap(values, groups, seed=4) != grouped_bootstrap(values, groups, seed=5)


def test_the_interval_matches_the_normal_theory_of_a_mean() -> None:
    values = np.random.default_rng(2).normal(10.0, 2.0, 400)
    interval = grouped_bootstrap(values, list(range(400)), seed=1, resamples=4000)
    half = 1.96 * values.std() / np.sqrt(400)
    assert interval.low == pytest.approx(values.mean() - half, abs=0.02)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.02)


def test_two_scans_of_each_subject_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(3).random(20)
    once = grouped_bootstrap(values, list(range(20)), seed=1)
    twice = grouped_bootstrap(np.repeat(values, 2), np.repeat(np.arange(20), 2).tolist(), seed=1)
    assert twice.high - twice.low == pytest.approx(once.high - once.low)
    assert twice.n == 20


def test_a_paired_difference_is_found_where_unpaired_means_overlap() -> None:
    base = np.random.default_rng(5).normal(0.0, 5.0, 25)
    groups = list(range(25))
    difference = paired_bootstrap(base + 0.1, base, groups, seed=2)
    assert difference.mean == pytest.approx(0.1)
    assert difference.excludes_zero
    assert not paired_bootstrap(base, base, groups).excludes_zero


def test_a_case_undefined_on_one_side_is_left_out_of_the_pairs() -> None:
    difference = paired_bootstrap([1.0, float("nan"), 3.0], [0.0, 0.0, 0.0], ["a", "b", "c"])
    assert (difference.mean, difference.n) == (2.0, 2)


def test_values_and_groups_must_match() -> None:
    with pytest.raises(ValueError, match="groups"):
        grouped_bootstrap([1.0, 2.0], ["a"])
