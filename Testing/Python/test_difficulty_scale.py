"""The perception scale S: analytic values, invariances, and the Gram route against the SVD."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from scipy.stats import ortho_group
from SUREUncertaintyLib.analysis import perception_scale as scale_module
from SUREUncertaintyLib.analysis.perception_scale import (
    ALL_ZERO,
    FLAT_ROWS,
    NOT_FINITE,
    ONE_ROW,
    GramAccumulator,
    column_tiles,
    perception_scale,
    spectral_entropy,
)


def by_svd(matrix: NDArray[np.float64], power: int = 2) -> float:
    """The formula itself, from singular values."""
    sigma = np.linalg.svd(matrix.reshape(len(matrix), -1), compute_uv=False)
    weights = sigma**2 if power == 2 else sigma + 1e-6
    share = weights / weights.sum()
    share = share[share > 0]
    return float(-(share * np.log(share)).sum() / np.log(len(sigma)))


def soft_ball(
    radius: float, softness: float = 1.0, inside: float = 10.0, outside: float = -10.0
) -> NDArray[np.float64]:
    """Logits of a ball on 48^3."""
    distance = np.linalg.norm(np.indices((48, 48, 48)) - 23.5, axis=0)
    return outside + (inside - outside) / (1.0 + np.exp(-(radius - distance) / softness))


def test_a_rank_1_map_has_scale_0() -> None:
    matrix = np.outer(np.arange(1.0, 17.0), np.arange(1.0, 65.0))
    assert perception_scale(matrix).value == pytest.approx(0.0, abs=1e-6)
    assert perception_scale(matrix, power=1).value < 1e-5


def test_a_constant_map_that_is_not_zero_has_scale_0() -> None:
    assert perception_scale(np.full((8, 6, 5), 3.5)).value == pytest.approx(0.0, abs=1e-6)


def test_a_map_of_zeros_has_no_scale_and_says_why() -> None:
    found = perception_scale(np.zeros((8, 6, 5)))
    assert math.isnan(found.value)
    assert found.reason == ALL_ZERO
    assert not found.valid
    # the reference code's 1e-6 makes the same map the most certain of all
    assert spectral_entropy(np.zeros(8), power=1) == pytest.approx(1.0)


def test_orthogonal_rows_of_equal_norm_have_scale_1() -> None:
    assert perception_scale(np.eye(4, 16)).value == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("k", "r", "expected"), [(2, 4, 0.5), (2, 8, 1 / 3), (4, 8, 2 / 3)])
def test_k_equal_singular_values_of_r_give_the_ratio_of_logarithms(k: int, r: int, expected: float) -> None:
    matrix = np.zeros((r, 3 * r))
    matrix[np.arange(k), np.arange(k)] = 5.0
    assert perception_scale(matrix).value == pytest.approx(expected, abs=1e-6)


def test_a_diagonal_of_2_1_1_gives_the_published_formula_and_the_reference_codes_one() -> None:
    assert perception_scale(np.diag([2.0, 1.0, 1.0])).value == pytest.approx(0.7896901, abs=1e-6)
    assert perception_scale(np.diag([2.0, 1.0, 1.0]), power=1).value == pytest.approx(0.9463947, abs=1e-6)


def test_scaling_permuting_and_turning_change_nothing_and_an_offset_does() -> None:
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(6, 20))
    left, right = ortho_group.rvs(6, random_state=2), ortho_group.rvs(20, random_state=3)
    value = perception_scale(matrix).value
    for same in (-7.0 * matrix, left @ matrix @ right, matrix[rng.permutation(6)][:, rng.permutation(20)]):
        assert perception_scale(same).value == pytest.approx(value, abs=1e-6)
    assert abs(perception_scale(matrix + 3.0).value - value) > 0.1
    centred = perception_scale(matrix, center="row").value
    assert perception_scale(matrix + 1000.0, center="row").value == pytest.approx(centred, abs=1e-6)


@pytest.mark.parametrize(("n", "expected"), [(8, 0.968), (16, 0.988), (32, 0.995)])
def test_white_noise_has_the_known_mean_scale(n: int, expected: float) -> None:
    rng = np.random.default_rng(n)
    values = [perception_scale(rng.normal(size=(n, n * n))).value for _ in range(60)]
    assert np.mean(values) == pytest.approx(expected, abs=3e-3)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(2, 12),
    columns=st.integers(2, 40),
    seed=st.integers(0, 2**32 - 1),
    power=st.sampled_from([1, 2]),
    offset=st.floats(-50, 50),
)
def test_gram_and_svd_agree_also_when_there_are_more_rows_than_columns(
    rows: int, columns: int, seed: int, power: int, offset: float
) -> None:
    matrix = np.random.default_rng(seed).normal(size=(rows, columns)) + offset
    found = perception_scale(matrix, power=power)
    assert found.value == pytest.approx(by_svd(matrix, power), abs=1e-6)
    assert found.rank == min(rows, columns)
    assert perception_scale(matrix.T, power=power).value == pytest.approx(found.value, abs=1e-9)


def test_tiles_give_the_same_eigenvalues_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.random.default_rng(5).normal(size=(7, 1003))
    whole = GramAccumulator(7)
    whole.add(matrix)
    monkeypatch.setattr(scale_module, "TILE_ELEMENTS", 7 * 10)
    tiled = GramAccumulator(7)
    for tile in column_tiles(matrix):
        assert tile.shape[1] <= 10
        tiled.add(tile)
    sigma = np.linalg.svd(matrix, compute_uv=False) ** 2
    np.testing.assert_allclose(tiled.eigenvalues() / sigma[0], sigma / sigma[0], atol=1e-6)
    np.testing.assert_allclose(tiled.eigenvalues(), whole.eigenvalues(), rtol=1e-12)


def test_row_centring_in_tiles_is_that_of_the_whole_map() -> None:
    matrix = np.random.default_rng(6).normal(size=(5, 300)) + np.arange(5.0)[:, None] * 1e3
    tiled = GramAccumulator(5, center="row")
    for tile in np.array_split(matrix, 17, axis=1):
        tiled.add(tile)
    centred = matrix - matrix.mean(axis=1, keepdims=True)
    assert tiled.scale().value == pytest.approx(by_svd(centred), abs=1e-6)


def test_a_map_that_is_constant_in_every_row_has_no_row_centred_scale() -> None:
    found = perception_scale(np.repeat(np.arange(1.0, 5.0)[:, None], 30, axis=1), center="row")
    assert math.isnan(found.value)
    assert found.reason == FLAT_ROWS


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_leaves_no_scale_and_says_why(bad: float) -> None:
    matrix = np.ones((4, 5, 6))
    matrix[2, 3, 1] = bad
    found = perception_scale(matrix)
    assert math.isnan(found.value)
    assert found.reason == NOT_FINITE


def test_a_single_slice_has_no_scale_and_says_why() -> None:
    found = perception_scale(np.ones((1, 20, 20)))
    assert math.isnan(found.value)
    assert (found.reason, found.rank) == (ONE_ROW, 1)


@pytest.mark.parametrize(("radius", "expected"), [(2, 0.0019), (8, 0.0439), (20, 0.2117)])
def test_a_larger_ball_has_a_larger_scale(radius: float, expected: float) -> None:
    assert perception_scale(soft_ball(radius)).value == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("softness", "expected"), [(0.3, 0.0562), (1.0, 0.0439), (5.0, 0.0315)])
def test_a_softer_edge_has_a_smaller_scale(softness: float, expected: float) -> None:
    assert perception_scale(soft_ball(8, softness)).value == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("inside", "expected"), [(-9, 0.0002), (0, 0.0142), (10, 0.0439)])
def test_a_more_confident_foreground_has_a_larger_scale(inside: float, expected: float) -> None:
    assert perception_scale(soft_ball(8, inside=inside)).value == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("offset", "expected"), [(-20, 0.0071), (5, 0.1135), (20, 0.0336)])
def test_a_logit_offset_changes_the_scale(offset: float, expected: float) -> None:
    assert perception_scale(soft_ball(8) + offset).value == pytest.approx(expected, abs=1e-4)


def test_noise_raises_the_scale() -> None:
    ball, noise = soft_ball(8), np.random.default_rng(0).normal(size=(48, 48, 48))
    values = [perception_scale(ball + spread * noise).value for spread in (0, 1, 5, 10)]
    assert values == sorted(values)
    assert values[-1] > 0.6


def test_half_precision_and_integer_maps_are_accepted() -> None:
    matrix = np.random.default_rng(8).integers(-9, 9, (6, 7, 8))
    expected = by_svd(matrix.astype(float))
    for dtype in (np.int16, np.float16, np.float32):
        assert perception_scale(matrix.astype(dtype)).value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("wrong", [{"power": 3}, {"center": "column"}])
def test_an_unknown_toggle_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        perception_scale(np.eye(3), **wrong)  # type: ignore[arg-type]
