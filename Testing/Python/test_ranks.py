"""UR, UR*, UCC and tau: exact counts against brute force, hand-made cases, undefined values."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from scipy.stats import kendalltau, somersd, spearmanr
from SUREUncertaintyLib.metrics.noise_relation import level_statistics
from SUREUncertaintyLib.metrics.ranks import RankStatistics, count_inversions, rank_statistics

TIED = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=60)


def brute_counts(x: NDArray[np.generic], v: NDArray[np.generic]) -> tuple[int, int, int, int, int]:
    """D, C, T_x, T_v, J over all pairs, from the signs of the differences."""
    above = np.triu_indices(len(x), 1)
    dx, dv = np.sign(np.subtract.outer(x, x))[above], np.sign(np.subtract.outer(v, v))[above]
    products = dx * dv
    return (
        int((products < 0).sum()),
        int((products > 0).sum()),
        int((dx == 0).sum()),
        int((dv == 0).sum()),
        int(((dx == 0) & (dv == 0)).sum()),
    )


def counts(result: RankStatistics) -> tuple[int, int, int, int, int]:
    return result.discordant, result.concordant, result.ties_x, result.ties_v, result.ties_both


def test_the_hand_computed_case_with_ties() -> None:
    result = rank_statistics([1, 1, 2, 2], [2, 1, 1, 0])
    assert counts(result) == (3, 0, 2, 1, 0)
    assert (result.n, result.n0) == (4, 6)
    assert result.ur == 0.5
    assert result.ur_by("readme") == 1.0
    assert result.ur_star == pytest.approx(0.875)


def test_a_constant_uncertainty_without_ties_in_x() -> None:
    result = rank_statistics([1.0, 2.0, 3.0], [0.5, 0.5, 0.5])
    assert (result.ur, result.ur_star) == (0.0, 0.5)
    assert np.isnan(result.ucc)
    assert result.undefined == {"ucc": "the uncertainty is constant"}


def test_a_constant_driver_leaves_ur_star_and_ucc_undefined() -> None:
    result = rank_statistics([1.0, 1.0, 1.0], [0.5, 0.4, 0.4])
    assert result.ur == pytest.approx(1 / 3)
    assert np.isnan(result.ur_star)
    assert np.isnan(result.ucc)
    assert set(result.undefined) == {"ur_star", "ucc"}


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_voxels_are_undefined_with_a_reason(n: int) -> None:
    result = rank_statistics(np.zeros(n), np.zeros(n))
    assert np.isnan([result.ur, result.ur_star, result.ucc]).all()
    assert result.undefined == dict.fromkeys(("ur", "ur_star", "ucc"), "fewer than two voxels")


def test_perfect_and_worst_order() -> None:
    distance = np.arange(50.0)
    perfect, worst = rank_statistics(distance, -distance), rank_statistics(distance, distance)
    assert (perfect.ur, perfect.ur_star) == (1.0, 1.0)
    assert perfect.ucc == pytest.approx(-1.0, abs=1e-12)
    assert (worst.ur, worst.ur_star) == (0.0, 0.0)
    assert worst.ucc == pytest.approx(1.0, abs=1e-12)


def test_ties_in_the_distance_do_not_blur_a_perfect_correlation() -> None:
    distance = np.repeat(np.arange(10.0), 7)
    result = rank_statistics(distance, -distance)
    assert result.ucc == pytest.approx(-1.0, abs=1e-12)
    assert result.ur == pytest.approx(1.0)
    jittered = rank_statistics(distance, -distance + np.tile(np.linspace(0, 0.1, 7), 10))
    assert jittered.ur < 1.0
    assert jittered.ur_star == 1.0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        rank_statistics([0.0, 1.0], [0.5, bad])
    with pytest.raises(ValueError, match="not finite"):
        rank_statistics([0.0, bad], [0.5, 0.1])


def test_lengths_must_match() -> None:
    with pytest.raises(ValueError, match="3 driving values for 2"):
        rank_statistics([0, 1, 2], [0, 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_three_hundred_random_arrays_with_ties_give_the_exact_integers(dtype: type[np.floating]) -> None:
    generator = np.random.default_rng(11)
    for _ in range(300):
        n = int(generator.integers(2, 201))
        x = (generator.integers(0, generator.integers(2, 300), n) / 8).astype(dtype)
        v = (generator.integers(0, generator.integers(2, 300), n) / 8).astype(dtype)
        assert counts(rank_statistics(x, v)) == brute_counts(x, v)


@given(TIED)
def test_counts_add_up_and_agree_with_brute_force(pairs: list[tuple[int, int]]) -> None:
    x, v = np.array(pairs, dtype=np.float32).T
    result = rank_statistics(x, v)
    assert counts(result) == brute_counts(x, v)
    assert result.n0 == sum(counts(result)[:4]) - result.ties_both


@given(st.lists(st.integers(0, 9), max_size=70).map(lambda v: np.minimum(v, max(len(v) - 1, 0)).astype(np.int64)))
def test_inversions_are_counted_strictly(ranks: NDArray[np.int64]) -> None:
    expected = sum(int(a > b) for i, a in enumerate(ranks) for b in ranks[i + 1 :])
    assert count_inversions(ranks) == expected


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 127, 128, 129, 1000])
def test_a_reversed_sequence_inverts_every_pair(n: int) -> None:
    assert count_inversions(np.arange(n)[::-1]) == n * (n - 1) // 2
    assert count_inversions(np.arange(n)) == 0


@given(TIED)
def test_swapping_the_direction_of_x_swaps_discordant_and_concordant(pairs: list[tuple[int, int]]) -> None:
    x, v = np.array(pairs).T
    forward, backward = rank_statistics(x, v), rank_statistics(-x, v)
    assert (forward.discordant, forward.concordant) == (backward.concordant, backward.discordant)
    if not np.isnan(forward.ur_star):
        assert forward.ur_star == pytest.approx(1.0 - backward.ur_star)


@given(TIED)
def test_any_increasing_transform_changes_nothing(pairs: list[tuple[int, int]]) -> None:
    x, v = np.array(pairs, dtype=float).T
    assert counts(rank_statistics(x, v)) == counts(rank_statistics(np.exp(x), v**3 - 5.0))


@settings(deadline=None)
@given(TIED)
def test_ur_star_ucc_and_counts_agree_with_scipy(pairs: list[tuple[int, int]]) -> None:
    x, v = np.array(pairs, dtype=float).T
    result = rank_statistics(x, v)
    if result.undefined:
        return
    assert result.ur_star == pytest.approx((1.0 - somersd(x, v).statistic) / 2.0)
    assert result.ucc == pytest.approx(spearmanr(x, v).statistic, abs=1e-9)


def test_a_million_independent_voxels_give_one_half_and_agree_with_kendall() -> None:
    generator = np.random.default_rng(5)
    x, v = generator.random(1_000_000), generator.random(1_000_000).astype(np.float32)
    result = rank_statistics(x, v)
    assert result.ur == pytest.approx(0.5, abs=0.005)
    tau_b = (result.concordant - result.discordant) / np.sqrt(
        float(result.n0 - result.ties_x) * float(result.n0 - result.ties_v)
    )
    assert tau_b == pytest.approx(kendalltau(x, v).statistic, abs=1e-12)


@pytest.mark.parametrize(
    ("u", "ur", "ur_star", "tau"),
    [
        ((0.1, 0.2, 0.3), 1.0, 1.0, 1.0),
        ((0.3, 0.2, 0.1), 0.0, 0.0, -1.0),
        ((0.1, 0.1, 0.2), 2 / 3, 0.833333, 0.816497),
    ],
)
def test_three_noise_levels_by_hand(u: tuple[float, ...], ur: float, ur_star: float, tau: float) -> None:
    result = level_statistics((0.1, 0.3, 0.5), np.array(u)[:, None])
    assert result.ur == pytest.approx(ur)
    assert result.ur_star == pytest.approx(ur_star, abs=1e-6)
    assert result.tau == pytest.approx(tau, abs=1e-6)


def test_levels_may_come_in_any_order() -> None:
    u = np.random.default_rng(0).random((3, 40))
    assert level_statistics((0.9, 0.1, 0.5), u[[2, 0, 1]]) == level_statistics((0.1, 0.5, 0.9), u)


def test_voxels_that_never_change_are_left_out_of_tau_and_counted() -> None:
    result = level_statistics((0.1, 0.5), np.array([[0.2, 0.1], [0.2, 0.3]]))
    assert (result.tau, result.unchanged) == (1.0, 1)
    assert (result.ur, result.ur_star) == (0.5, 0.75)
    still = level_statistics((0.1, 0.5), np.full((2, 3), 0.4))
    assert np.isnan(still.tau)
    assert still.undefined == {"tau": "the uncertainty is the same at every level"}


def test_one_level_or_no_voxel_is_undefined_with_a_reason() -> None:
    one = level_statistics((0.1,), np.zeros((1, 5)))
    assert np.isnan([one.ur, one.ur_star, one.tau]).all()
    assert one.undefined["ur"] == "fewer than two noise levels"
    assert level_statistics((0.1, 0.2), np.zeros((2, 0))).undefined["tau"] == "fewer than two voxels"


def test_bad_level_input_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        level_statistics((0.1, 0.1), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="2 levels"):
        level_statistics((0.1, 0.2), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="not finite"):
        level_statistics((0.1, 0.2), np.array([[0.1], [np.nan]]))


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=20))
def test_tau_over_levels_is_the_mean_of_scipys_tau_b(rows: list[list[int]]) -> None:
    u = np.array(rows, dtype=float).T
    result = level_statistics((0.1, 0.3, 0.5, 0.7), u)
    expected = [kendalltau(range(4), voxel).statistic for voxel in u.T if len(set(voxel)) > 1]
    assert result.unchanged == len(rows) - len(expected)
    assert result.tau == pytest.approx(np.mean(expected), nan_ok=True) if expected else np.isnan(result.tau)
    assert result.greater + result.equal + result.less == 6 * len(rows)
