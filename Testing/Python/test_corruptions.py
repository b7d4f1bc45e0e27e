"""Corruptions: zero is the identity, recipes replay, the physics is what the table says."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import kstest, poisson
from skimage.restoration import estimate_sigma
from SUREUncertaintyLib.arrays.noise import noise_field
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.corruptions.bias_field import bias_polynomial
from SUREUncertaintyLib.corruptions.corruption import Recipe
from SUREUncertaintyLib.corruptions.poisson import poisson_quantile
from SUREUncertaintyLib.corruptions.registry import (
    CORRUPTIONS,
    NAMES,
    apply_recipe,
    corrupt_volume,
    draw_recipe,
    find_corruption,
    make_recipe,
)
from SUREUncertaintyLib.corruptions.scan_noise import estimate_noise, foreground_mean_and_sd
from SUREUncertaintyLib.corruptions.strengths import OWN_NOISE, TABLE, physical_parameters
from SUREUncertaintyLib.corruptions.thick_slices import resampling_matrix

SPACING = (2.0, 1.0, 1.0)
Float32 = NDArray[np.float32]


def scan(shape: tuple[int, int, int] = (14, 20, 18), background: float = 30.0) -> Float32:
    """A bright box with a smooth ramp on a dark background, with a little noise, all above zero."""
    image = np.full(shape, background, np.float32)
    image[3:-3, 4:-4, 4:-4] = 200.0
    image += np.linspace(0, 40, shape[2], dtype=np.float32)
    return image + np.random.default_rng(0).normal(0, 2, shape).astype(np.float32)


def damaged(name: str, strength: float, image: Float32, case: str = "a", unit: str = "strength") -> Float32:
    return apply_recipe(make_recipe(name, strength, 0, case, SPACING, unit), image, SPACING)


def test_the_family_and_the_table_name_the_same_twelve_corruptions() -> None:
    assert set(CORRUPTIONS) == set(TABLE)
    assert len(NAMES) == 12
    assert set(OWN_NOISE) == {"gaussian", "rician"}


@pytest.mark.parametrize("name", NAMES)
def test_strength_zero_is_the_identity_and_any_other_is_not(name: str) -> None:
    image = scan()
    before = image.copy()
    np.testing.assert_array_equal(damaged(name, 0.0, image), before)
    strong = damaged(name, 1.0, image)
    assert strong.dtype == np.float32
    assert strong.shape == image.shape
    assert np.isfinite(strong).all()
    assert float(np.abs(strong - before).mean()) > 0.5
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("name", NAMES)
def test_the_damage_fades_towards_the_identity(name: str) -> None:
    image = scan()
    sizes = [float(np.abs(damaged(name, s, image) - image).mean()) for s in (1e-3, 0.1, 0.5, 1.0)]
    assert sizes[0] < 0.05 * sizes[3]
    assert all(low < high for low, high in pairwise(sizes))


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_replays_from_its_json_and_another_case_or_seed_differs(name: str) -> None:
    image = scan()
    recipe = make_recipe(name, 0.6, 5, "case-1", SPACING)
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again == recipe
    first = apply_recipe(recipe, image, SPACING)
    np.testing.assert_array_equal(first, apply_recipe(again, image, SPACING))
    if name not in ("blur", "brightness", "gamma", "thick_slices"):
        assert not np.array_equal(first, apply_recipe(make_recipe(name, 0.6, 5, "case-2", SPACING), image, SPACING))
        assert not np.array_equal(first, apply_recipe(make_recipe(name, 0.6, 6, "case-1", SPACING), image, SPACING))


@pytest.mark.parametrize("name", NAMES)
def test_levels_of_one_case_share_everything_that_is_random(name: str) -> None:
    weak, strong = (make_recipe(name, s, 3, "a", SPACING) for s in (0.2, 0.9))
    assert (weak.drawn, weak.seed, weak.case_id) == (strong.drawn, strong.seed, strong.case_id)
    assert weak.physical != strong.physical


@pytest.mark.parametrize("strength", [-0.1, 1.01, math.inf, math.nan])
def test_a_strength_outside_0_to_1_is_refused_with_a_sentence(strength: float) -> None:
    with pytest.raises(InputError, match=r"give a number from 0 \(none\) to 1"):
        make_recipe("blur", strength, 0, "a")
    with pytest.raises(InputError, match="from 0"):
        draw_recipe(np.random.default_rng(0), strengths=(0.0, strength))


def test_an_unknown_corruption_is_refused_with_the_list() -> None:
    with pytest.raises(InputError, match=r"no corruption called 'fog'.*gaussian, rician"):
        find_corruption("fog")


def test_only_gaussian_and_rician_count_in_the_scans_own_noise() -> None:
    with pytest.raises(InputError, match="only gaussian and rician can"):
        make_recipe("blur", 0.5, 0, "a", unit="scan_noise")
    with pytest.raises(InputError, match="no unit of strength called 'decibel'"):
        make_recipe("gaussian", 0.5, 0, "a", unit="decibel")


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    strength=st.floats(0.0, 1.0),
    shape=st.tuples(st.integers(1, 7), st.integers(1, 7), st.integers(1, 7)),
    seed=st.integers(0, 2**31),
    level=st.sampled_from([0.0, 1.0, 1e4]),
)
@example(name="poisson", strength=2.225e-311, shape=(1, 1, 2), seed=0, level=1.0)
def test_any_scan_stays_finite_and_keeps_its_shape(
    name: str, strength: float, shape: tuple[int, int, int], seed: int, level: float
) -> None:
    image = (np.random.default_rng(seed).random(shape) * level).astype(np.float32)
    out = apply_recipe(make_recipe(name, strength, seed, "p", (3.0, 1.0, 0.5)), image, (3.0, 1.0, 0.5))
    assert out.shape == shape
    assert out.dtype == np.float32
    assert np.isfinite(out).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_random_recipes_replay_without_their_generator(seed: int) -> None:
    recipe = draw_recipe(np.random.default_rng(seed), strengths=(0.2, 0.7))
    assert 0.2 <= recipe.strength <= 0.7
    image = scan((6, 7, 8))
    copy = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    np.testing.assert_array_equal(apply_recipe(recipe, image), apply_recipe(copy, image))
    assert draw_recipe(np.random.default_rng(seed), strengths=(0.2, 0.7)) == recipe


def test_gaussian_noise_is_the_field_of_the_metrics_times_the_strength() -> None:
    image = np.zeros((8, 9, 10), np.float32)
    out = apply_recipe(make_recipe("gaussian", 0.5, 7, "case"), image)
    np.testing.assert_allclose(out, 0.5 * noise_field((1, 8, 9, 10), 7, "case")[0], rtol=1e-6)
    weak, strong = (apply_recipe(make_recipe("gaussian", s, 7, "case"), scan()) for s in (0.2, 0.9))
    np.testing.assert_allclose(strong - weak, 0.7 * noise_field(scan().shape, 7, "case"), atol=2e-4)


def test_rician_noise_has_the_second_moment_and_the_background_of_its_distribution() -> None:
    image = np.full((40, 40, 40), 100.0, np.float32)
    image[:, :, 20:] = 300.0
    image[:20] = 0.0
    spread = foreground_mean_and_sd(image)[1]
    assert spread == pytest.approx(100.0)
    out = apply_recipe(make_recipe("rician", 0.4, 0, "a"), image)
    assert (out[:20] == 0).all()
    for signal, block in ((100.0, out[20:, :, :20]), (300.0, out[20:, :, 20:])):
        expected = signal**2 + 2 * (0.4 * spread) ** 2
        assert float((block.astype(float) ** 2).mean()) == pytest.approx(expected, rel=0.01)
    assert float(out.min()) >= 0


def test_rician_noise_on_a_scan_with_values_below_zero_is_refused() -> None:
    with pytest.raises(InputError, match="values below zero"):
        apply_recipe(make_recipe("rician", 0.4, 0, "a"), scan() - 500)


def test_poisson_noise_has_the_variance_of_its_counts_and_their_distribution() -> None:
    image = np.zeros((30, 40, 40), np.float32)
    image[10:20], image[20:] = 50.0, 150.0
    relative = TABLE["poisson"].at(0.5)
    out = apply_recipe(make_recipe("poisson", 0.5, 0, "a"), image)
    per_unit = 1.0 / (relative**2 * 100.0)
    assert (out[:10] == 0).all()
    for block, signal in ((out[10:20], 50.0), (out[20:], 150.0)):
        assert float(block.mean()) == pytest.approx(signal, rel=0.01)
        assert float(block.var()) == pytest.approx(signal / per_unit, rel=0.04)
    counts = np.rint(out[10:20].ravel() * per_unit)
    cdf = poisson.cdf(np.arange(40), 50.0 * per_unit)
    empirical = np.array([(counts <= n).mean() for n in range(40)])
    np.testing.assert_allclose(empirical, cdf, atol=0.02)


def test_many_counts_are_as_variable_as_few() -> None:
    image = np.full((30, 30, 30), 2.0, np.float32)
    image[0] = 0.0
    out = apply_recipe(make_recipe("poisson", 0.02, 0, "a"), image)[1:]
    assert float(out.std()) / 2.0 == pytest.approx(0.01, rel=0.03)


def test_poisson_quantiles_are_those_of_scipy() -> None:
    generator = np.random.default_rng(6)
    normal = generator.standard_normal(4000).clip(-5, 5)
    few = generator.choice([0.0, 0.01, 0.5, 3.0, 40.0, 300.0, 999.0], 4000)
    np.testing.assert_array_equal(poisson_quantile(normal, few), np.maximum(poisson.ppf(ndtr(normal), few), 0))
    many = generator.uniform(1000, 50000, 4000)
    assert float(np.abs(poisson_quantile(normal, many) - poisson.ppf(ndtr(normal), many)).max()) <= 1.0


def test_stronger_poisson_noise_is_the_same_pattern_stronger() -> None:
    image = np.full((20, 20, 20), 80.0, np.float32)
    image[0] = 0.0
    weak, strong = (apply_recipe(make_recipe("poisson", s, 0, "a"), image)[1:] - 80.0 for s in (0.3, 0.9))
    assert float(np.corrcoef(weak.ravel(), strong.ravel())[0, 1]) > 0.97


def test_speckle_grows_with_the_signal() -> None:
    image = np.full((30, 30, 30), 10.0, np.float32)
    image[15:] = 100.0
    ratio = apply_recipe(make_recipe("speckle", 1.0, 0, "a"), image) / image - 1.0
    for half in (ratio[:15], ratio[15:]):
        assert float(half.std()) == pytest.approx(0.5, rel=0.03)
        assert float(half.mean()) == pytest.approx(0.0, abs=0.02)


def test_salt_and_pepper_change_the_stated_share_and_weaker_ones_are_a_subset() -> None:
    image = np.random.default_rng(1).uniform(10, 90, (30, 30, 30)).astype(np.float32)
    image.flat[:2] = 0.0, 100.0
    weak, strong = (apply_recipe(make_recipe("salt_and_pepper", s, 0, "a"), image) for s in (0.4, 1.0))
    for out, share in ((weak, 0.08), (strong, 0.2)):
        assert float((out != image).mean()) == pytest.approx(share, rel=0.06)
        assert float((out == 100).sum() / (out == 0).sum()) == pytest.approx(1.0, rel=0.1)
        assert set(np.unique(out[out != image])) == {0.0, 100.0}
    assert ((weak != image) <= (strong != image)).all()


def test_blur_is_a_gaussian_of_the_stated_width_in_mm() -> None:
    image = np.zeros((41, 81, 81), np.float32)
    image[20, 40, 40] = 1.0
    out = apply_recipe(make_recipe("blur", 1.0, 0, "a", SPACING), image, SPACING).astype(float)
    assert out.sum() == pytest.approx(1.0, rel=1e-3)
    for axis, side in enumerate(SPACING):
        position = (np.arange(image.shape[axis]) - (20, 40, 40)[axis]) * side
        weights = out.sum(axis=tuple({0, 1, 2} - {axis}))
        assert math.sqrt(float((weights * position**2).sum())) == pytest.approx(3.0, rel=0.02)


def test_the_bias_field_stays_within_its_factors_and_reaches_one_of_them() -> None:
    image = np.full((12, 20, 16), 100.0, np.float32)
    for case in "abcde":
        factor = damaged("bias_field", 1.0, image, case) / 100.0
        assert float(factor.min()) >= 0.5 - 1e-6
        assert float(factor.max()) <= 2.0 + 1e-6
        assert float(np.abs(np.log2(factor)).max()) == pytest.approx(1.0, abs=1e-5)
        assert float(np.abs(np.diff(np.log2(factor), axis=2)).max()) < 0.35, "the field is smooth"
    assert not bias_polynomial((1, 1, 1), [0.5] * 19).any()


@pytest.mark.torch
def test_gamma_is_that_of_monai() -> None:
    import torch
    from monai.transforms import AdjustContrast

    image = scan()
    signs = set()
    for case in "abcdefgh":
        recipe = make_recipe("gamma", 0.7, 0, case)
        signs.add(recipe.drawn["sign"])
        exponent = 2.0 ** (recipe.drawn["sign"] * 0.7 * 1.5)
        expected = AdjustContrast(gamma=exponent)(torch.from_numpy(image)).numpy()
        np.testing.assert_allclose(apply_recipe(recipe, image), expected, rtol=1e-3)
    assert signs == {-1, 1}


def test_thick_slices_average_along_the_coarsest_axis_only() -> None:
    recipe = make_recipe("thick_slices", 0.2, 0, "a", SPACING)
    assert recipe.drawn == {"axis": 0}
    assert recipe.physical["factor"] == pytest.approx(2.0)
    image = scan((8, 6, 6))
    out = apply_recipe(recipe, image, SPACING)
    pairs = image.reshape(4, 2, 6, 6).mean(axis=1)
    np.testing.assert_allclose(out[0], pairs[0], rtol=1e-5)
    np.testing.assert_allclose(out[1], 0.75 * pairs[0] + 0.25 * pairs[1], rtol=1e-5)
    np.testing.assert_allclose(out[-1], pairs[-1], rtol=1e-5)
    constant = np.full((9, 4, 4), 7.0, np.float32)
    np.testing.assert_allclose(apply_recipe(recipe, constant, SPACING), constant, rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(count=st.integers(1, 30), factor=st.floats(1.0, 6.0))
def test_thick_slices_keep_constants_and_stay_between_the_extremes(count: int, factor: float) -> None:
    matrix = resampling_matrix(count, factor)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
    assert float(matrix.min()) >= 0.0
    if factor == 1.0:
        np.testing.assert_allclose(matrix, np.eye(count))


def test_all_axes_of_an_isotropic_scan_may_be_sliced() -> None:
    axes = {make_recipe("thick_slices", 0.5, seed, "a").drawn["axis"] for seed in range(30)}
    assert axes == {0, 1, 2}


def test_ghosting_keeps_the_mean_and_moves_a_point_only_along_one_axis() -> None:
    image = np.zeros((24, 24, 24), np.float32)
    image[12, 12, 12] = 1000.0
    recipe = make_recipe("ghosting", 1.0, 0, "a")
    out = apply_recipe(recipe, image - 1.0) + 1.0
    axis = recipe.drawn["axis"]
    beside = np.moveaxis(out, axis, 0)
    line = beside[:, 12, 12].copy()
    beside[:, 12, 12] = 0
    assert float(np.abs(beside).max()) < 1e-2
    assert float(line.sum()) == pytest.approx(1000.0, rel=1e-3)
    assert float((line**2).sum()) < 1000.0**2 * 1.001
    assert float(np.abs(np.delete(line, 12)).max()) > 20.0, "there are ghosts"


def test_a_spike_is_one_wave_of_the_stated_amplitude() -> None:
    image = scan((32, 32, 32))
    recipe = make_recipe("spike", 0.5, 0, "a")
    wave = apply_recipe(recipe, image) - image
    amplitude = 0.5 * TABLE["spike"].at_one * foreground_mean_and_sd(image)[1]
    assert float(np.abs(wave).max()) == pytest.approx(amplitude, rel=0.01)
    assert float(wave.var()) == pytest.approx(amplitude**2 / 2, rel=0.1)
    power = np.abs(np.fft.fftn(wave)) ** 2
    peak = np.array(np.unravel_index(int(power.argmax()), power.shape))
    frequency = np.fft.fftfreq(32)[peak]
    vector = np.array(recipe.drawn["wave_vector"])
    assert min(np.abs(frequency - vector).max(), np.abs(frequency + vector).max()) < 1 / 32


def test_brightness_adds_one_number_to_the_normalised_input() -> None:
    assert CORRUPTIONS["brightness"].space == CORRUPTIONS["gaussian"].space == "input"
    np.testing.assert_allclose(damaged("brightness", 0.7, scan()) - scan(), 0.7, rtol=1e-4)


def test_own_noise_is_measured_like_scikit_image_does() -> None:
    image = scan((32, 32, 32)) + np.random.default_rng(2).normal(0, 9, (32, 32, 32)).astype(np.float32)
    assert estimate_noise(image) == pytest.approx(float(estimate_sigma(image)), rel=1e-6)


def test_own_noise_leaves_a_zero_background_out() -> None:
    generator = np.random.default_rng(3)
    image = np.zeros((60, 60, 60), np.float32)
    image[30:55, 5:30, 20:50] = 300 + generator.normal(0, 10, (25, 25, 30))
    image[31:35, 0:3, 0:3] = 300 + generator.normal(0, 10, (4, 3, 3))
    assert estimate_noise(image) == pytest.approx(10.0, rel=0.08)
    assert estimate_noise(np.zeros((8, 8, 8))) == 0.0


def test_own_noise_of_a_scan_of_few_slices_is_measured_in_the_plane() -> None:
    image = 100 + np.random.default_rng(4).normal(0, 5, (2, 64, 64))
    assert estimate_noise(image) == pytest.approx(5.0, rel=0.1)
    assert estimate_noise(image[:1, :3, :3]) == 0.0


def test_strength_in_units_of_own_noise_adds_that_many_times_it() -> None:
    generator = np.random.default_rng(5)
    image = (500 + generator.normal(0, 4, (40, 40, 40))).astype(np.float32)
    image[:10] = 0.0
    recipe = make_recipe("gaussian", 0.5, 0, "a", unit="scan_noise")
    assert (recipe.space, recipe.physical) == ("scan", {"noise_multiples": 5.0})
    out = corrupt_volume(Volume(image, Grid(image.shape)), recipe).array
    assert (out[:10] == 0).all()
    assert float((out - image)[10:].std()) == pytest.approx(5 * estimate_noise(image), rel=0.02)
    rician = damaged("rician", 0.5, image, unit="scan_noise")
    # far above the noise a Rician distribution is nearly a normal one
    assert float((rician - image)[10:].std()) == pytest.approx(5 * estimate_noise(image), rel=0.02)


def test_input_corruptions_are_not_applied_to_scans() -> None:
    with pytest.raises(ValueError, match="acts on the network's input"):
        corrupt_volume(Volume(scan(), Grid(scan().shape)), make_recipe("brightness", 0.5, 0, "a"))


def test_normal_noise_is_normal() -> None:
    noise = apply_recipe(make_recipe("gaussian", 1.0, 0, "a"), np.zeros((20, 20, 20), np.float32))
    assert kstest(noise.ravel(), "norm").pvalue > 0.01


def test_the_documentation_holds_the_table() -> None:
    document = (Path(__file__).resolve().parents[2] / "docs" / "robustness.md").read_text(encoding="utf-8")
    for name, scale in TABLE.items():
        numbers = f"{scale.parameter.replace('_', ' ')} | {scale.at_zero:g} | {scale.at_one:g} | {scale.unit} |"
        assert f"| `{name}` | {CORRUPTIONS[name].space} | {numbers}\n" in document


def test_the_table_is_linear_and_names_its_unit() -> None:
    assert physical_parameters("thick_slices", 0.0) == {"factor": 1.0}
    assert physical_parameters("blur", 0.5) == {"sigma_mm": 1.5}
    assert physical_parameters("rician", 0.25, "scan_noise") == {"noise_multiples": 2.5}
    assert all(scale.unit and scale.parameter for scale in TABLE.values())
