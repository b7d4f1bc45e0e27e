"""Sampling: maps against analytic values, no seams, one encoding a window, the same sample for the same number."""

import math
import tracemalloc
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.stats import norm
from SUREUncertaintyLib.arrays.heads import softmax
from SUREUncertaintyLib.arrays.noise import NoiseField, standard_noise
from SUREUncertaintyLib.core.errors import InputError, PackageError
from SUREUncertaintyLib.inference.engine import OneNetwork
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.sampling.draw import SampleSource
from SUREUncertaintyLib.inference.sampling.encoding import Encoding, LatentLayout, latent_layout, make_layout
from SUREUncertaintyLib.inference.sampling.memory import bytes_needed, check_memory
from SUREUncertaintyLib.inference.sampling.plausible import label_distance, most_different, probability_bands
from SUREUncertaintyLib.inference.sampling.sizes import size_interval
from SUREUncertaintyLib.inference.sampling.statistics import SampleMaps, SampleStatistics
from SUREUncertaintyLib.packages.package import Package
from tiny import build_tiny

Float32 = NDArray[np.float32]


class LocalEngine(OneNetwork):
    """Levels at strides 1 and 2; logits are 0 and the image + latents, averaged over ``width`` voxels a side."""

    name = "local"
    device = "cpu"

    def __init__(self, width: int = 1, offset: float = 0.0, deviation: float = 1.0) -> None:
        self.width, self.offset, self.deviation = width, offset, deviation
        self.encoded = 0

    def logits(self, windows: Float32) -> Float32:
        encoding = self.encode(windows)
        return self.decode(encoding, encoding.means)

    def encode(self, windows: Float32) -> Encoding:
        self.encoded += len(windows)
        axes = windows.ndim - 2
        means = [0.5 * windows + self.offset, 0.3 * windows[(..., *[slice(None, None, 2)] * axes)]]
        deviations = [np.full_like(mean, self.deviation) for mean in means]
        return Encoding((windows,), tuple(means), tuple(deviations), 4 * windows.size)

    def decode(self, encoding: Encoding, latents: Sequence[Float32]) -> Float32:
        fine, coarse = latents
        for axis in range(2, fine.ndim):
            coarse = coarse.repeat(2, axis)
        signal = encoding.features[0] + fine + coarse
        size = (1, 1, *[self.width] * (fine.ndim - 2))
        signal = uniform_filter(signal, size, mode="constant")
        return np.concatenate([np.zeros_like(signal), signal], axis=1)


def layout(planar: bool = False) -> LatentLayout:
    return LatentLayout(((1, 1, 1), (1, 2, 2) if planar else (2, 2, 2)), 1, (1, 4, 4) if planar else (4, 4, 4), planar)


def image(shape: tuple[int, int, int] = (12, 20, 16)) -> Float32:
    return np.random.default_rng(5).normal(0.0, 1.0, (1, *shape)).astype(np.float32)


def maps_of(source: SampleSource, count: int) -> SampleMaps:
    statistics = None
    for sample in source.draw(count):
        statistics = statistics or SampleStatistics(sample.shape)
        statistics.add(sample)
    assert statistics is not None
    return statistics.maps()


def votes(channels: Sequence[int], classes: int) -> SampleMaps:
    statistics = SampleStatistics((classes, 1))
    for channel in channels:
        statistics.add(np.eye(classes, dtype=np.float32)[channel][:, None])
    return statistics.maps()


@pytest.mark.parametrize(("ones", "expected"), [(0, 0), (20, 0), (1, 0.0475), (19, 0.0475), (5, 0.1875), (10, 0.25)])
def test_foreground_variance_is_the_population_variance_of_votes(ones: int, expected: float) -> None:
    assert votes([1] * ones + [0] * (20 - ones), 2).fg_variance[0] == pytest.approx(expected, abs=1e-6)


def test_confusion_of_two_structures_shows_in_the_class_variance_only() -> None:
    maps = votes([1, 2] * 10, 3)
    assert maps.fg_variance[0] == 0.0
    assert maps.class_variance[:, 0] == pytest.approx([0.0, 0.25, 0.25])
    assert maps.entropy[0] * math.log(3) == pytest.approx(0.6931472, abs=1e-6)
    assert maps.map("class_variance")[0] == pytest.approx(0.25), "the mean over the structures, without background"


def test_mutual_information_is_nothing_for_equal_samples_and_ln_2_for_opposite_ones() -> None:
    equal = SampleStatistics((3, 4))
    probability = np.random.default_rng(0).dirichlet(np.ones(3), 4).T.astype(np.float32)
    for _ in range(7):
        equal.add(probability)
    assert equal.maps().mutual_information == pytest.approx(np.zeros(4), abs=1e-6)
    assert votes([0, 1], 2).mutual_information[0] == pytest.approx(math.log(2), abs=1e-6)


def test_running_sums_equal_the_maps_of_stacked_samples() -> None:
    stack = np.random.default_rng(1).dirichlet(np.ones(3), (25, 6, 5, 4)).transpose(0, 4, 1, 2, 3).astype(np.float32)
    statistics = SampleStatistics(stack.shape[1:])
    for sample in stack:
        statistics.add(sample)
    maps, wide = statistics.maps(), stack.astype(np.float64)
    mean = wide.mean(0)
    winners = stack.argmax(1)
    share = (winners != 0).mean(0)
    per_class = np.stack([(winners == c).mean(0) for c in range(3)])
    total, within = -(mean * np.log(mean)).sum(0), -(wide * np.log(wide)).sum(1).mean(0)
    np.testing.assert_allclose(maps.probability, mean, atol=1e-6)
    np.testing.assert_allclose(maps.fg_variance, share * (1 - share), atol=1e-6)
    np.testing.assert_allclose(maps.class_variance, per_class * (1 - per_class), atol=1e-6)
    np.testing.assert_allclose(maps.entropy, total / np.log(3), atol=1e-6)
    np.testing.assert_allclose(maps.mutual_information, total - within, atol=1e-6)
    assert maps.mutual_information.min() >= 0.0


def test_memory_does_not_grow_with_the_number_of_samples() -> None:
    def peak(count: int) -> int:
        source = SampleSource(image(), LocalEngine(), layout(), (8, 8, 8), 0.5)
        tracemalloc.start()
        maps_of(source, count)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(2)
    assert peak(24) < 1.1 * peak(4)


@pytest.mark.parametrize(("ratio", "variance"), [(0.0, 0.25), (0.5, 0.2133421), (1.0, 0.1334838), (2.0, 0.0222326)])
def test_foreground_variance_of_a_normal_logit(ratio: float, variance: float) -> None:
    engine = LocalEngine(offset=ratio)
    blank = np.zeros((1, 1, 96, 96), np.float32)
    source = SampleSource(blank, engine, layout(planar=True), (96, 96), 0.5, levels=frozenset({0}))
    count = 20
    maps = maps_of(source, count)
    assert norm.cdf(ratio) * (1 - norm.cdf(ratio)) == pytest.approx(variance, abs=1e-6)
    for values, expected in (
        (maps.fg_variance, variance * (count - 1) / count),
        (maps.class_variance[1], variance * (count - 1) / count),
    ):
        error = values.std() / math.sqrt(values.size)
        assert abs(values.mean() - expected) < 3 * error


def test_a_temperature_divides_logits_and_moves_no_outline_of_a_sample() -> None:
    shape = (4, 8, 8)
    plain, warm = (
        SampleSource(image(shape), LocalEngine(), layout(), shape, 0.0, temperature=temperature)
        for temperature in (1.0, 2.0)
    )
    for before, after in zip(plain.draw(3), warm.draw(3), strict=True):
        np.testing.assert_allclose(np.log(after[1] / after[0]), np.log(before[1] / before[0]) / 2, atol=1e-5)
        np.testing.assert_array_equal(after.argmax(0), before.argmax(0))
    one = frozenset({1})
    np.testing.assert_array_equal(
        next(warm.at_levels(one).draw(1)),
        next(SampleSource(image(shape), LocalEngine(), layout(), shape, 0.0, levels=one, temperature=2.0).draw(1)),
    )


@pytest.mark.parametrize("overlap", [0.5, 0.25])
def test_stitched_maps_of_a_pointwise_decoder_equal_those_of_the_whole_volume(overlap: float) -> None:
    windows = SampleSource(image(), LocalEngine(), layout(), (8, 8, 8), overlap, (3,))
    whole = SampleSource(image(), LocalEngine(), layout(), (12, 20, 16), 0.0, (3,))
    assert windows.plan.count > 1
    assert whole.plan.count == 1
    a, b = maps_of(windows, 6), maps_of(whole, 6)
    for kind in ("probability", "fg_variance", "class_variance", "entropy", "mutual_information"):
        np.testing.assert_allclose(getattr(a, kind), getattr(b, kind), atol=2e-6, err_msg=kind)


def test_stitched_maps_of_a_wider_decoder_differ_only_at_window_borders() -> None:
    windows = SampleSource(image(), LocalEngine(3), layout(), (8, 8, 8), 0.5, (3,))
    whole = SampleSource(image(), LocalEngine(3), layout(), (12, 20, 16), 0.0, (3,))
    a, b = maps_of(windows, 6).mutual_information, maps_of(whole, 6).mutual_information
    inner = np.ones(a.shape, bool)
    for axis, starts in enumerate(windows.plan.starts):
        borders = {edge for start in starts for edge in (start, start + 8)} - {0, a.shape[axis]}
        near = [z for edge in borders for z in (edge - 1, edge)]
        inner[tuple(near if n == axis else slice(None) for n in range(3))] = False
    assert inner.sum() > 400
    np.testing.assert_allclose(a[inner], b[inner], atol=2e-6)
    assert np.abs(a - b)[~inner].max() > 1e-3


def test_independent_draws_in_every_window_would_shrink_the_variance_in_overlaps() -> None:
    class Independent(SampleSource):
        def _latents(self, origins, encoding, noise):  # type: ignore[no-untyped-def]
            draws = np.random.default_rng([*origins[0], crc32(noise.fields[0].tobytes())])
            return tuple(
                (m + s * draws.standard_normal(m.shape)).astype(np.float32)
                for m, s in zip(encoding.means, encoding.deviations, strict=True)
            )

    def variance(kind: type[SampleSource]) -> float:
        source = kind(image() * 0, LocalEngine(), layout(), (8, 8, 8), 0.5)
        samples = np.stack([sample[1] for sample in source.draw(40)])
        return float(samples[:, 4:8, 4:16, 4:12].var(axis=0).mean())

    assert variance(Independent) < 0.75 * variance(SampleSource)


def test_every_window_is_encoded_once_and_the_size_of_the_cache_changes_nothing() -> None:
    cached, fresh = (SampleSource(image(), LocalEngine(3), layout(), (8, 8, 8), 0.5, cache_mb=mb) for mb in (100, 0))
    first, second = list(cached.draw(4)), list(fresh.draw(4))
    assert cached.encoded == cached.plan.count
    assert fresh.encoded == 4 * cached.plan.count
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("shape", [(12, 20, 16), (7, 9, 5)])
def test_sample_k_is_the_same_alone_and_among_others(shape: tuple[int, int, int]) -> None:
    source = SampleSource(image(shape), LocalEngine(3), layout(), (8, 8, 8), 0.5, (4, 2))
    among = list(source.draw(11))
    (alone,) = source.draw(1, first=9)
    assert np.array_equal(among[9], alone)
    assert alone.shape == (2, *shape)
    other = next(SampleSource(image(shape), LocalEngine(3), layout(), (8, 8, 8), 0.5, (4, 3)).draw(1))
    assert not np.array_equal(among[0], other)


def test_without_spread_samples_are_the_mean_and_every_map_of_uncertainty_is_zero() -> None:
    source = SampleSource(image(), LocalEngine(3, deviation=math.exp(-20)), layout(), (8, 8, 8), 0.5)
    maps = maps_of(source, 5)
    np.testing.assert_allclose(maps.probability, source.mean(), atol=1e-6)
    for values in (maps.fg_variance, maps.class_variance, maps.mutual_information):
        assert float(np.abs(values).max()) <= 1e-6


def test_a_level_that_is_not_drawn_stays_at_its_mean() -> None:
    source = SampleSource(image(), LocalEngine(), layout(), (8, 8, 8), 0.5, (1,))
    fine, none = source.at_levels(frozenset({0})), source.at_levels(frozenset())
    list(source.draw(1))
    np.testing.assert_array_equal(next(none.draw(1)), source.mean())
    field = standard_noise((1,), 0, 0, (1, 12, 20, 16))
    coarse = 0.3 * image()[:, ::2, ::2, ::2].repeat(2, 1).repeat(2, 2).repeat(2, 3)
    signal = image() + 0.5 * image() + field + coarse
    expected = softmax(np.concatenate([np.zeros_like(signal), signal]))
    np.testing.assert_allclose(next(fine.draw(1)), expected, atol=1e-5)
    with pytest.raises(InputError, match=r"no level 2.*2 levels, from 0"):
        source.at_levels(frozenset({2}))


def test_slices_of_a_volume_share_one_field_in_planar_networks() -> None:
    field = NoiseField((0,), (5, 8, 8), layout(planar=True).strides, planar=True).of_sample(2)
    crops = field.crop(1, [(0, 4, 0), (3, 4, 0)], (1, 4, 4))
    assert crops.shape == (2, 1, 2, 2)
    assert np.array_equal(crops[0], crops[1])
    blank = SampleSource(np.zeros((1, 5, 8, 8), np.float32), LocalEngine(), layout(planar=True), (8, 8), 0.5)
    (sample,) = blank.draw(1)
    assert np.array_equal(sample[:, 0], sample[:, 4])


@pytest.fixture(scope="module", params=[(n, d) for n in ("latent_unet", "residual_latent_unet") for d in (2, 3)])
def latent_package(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Package:
    network, dims = request.param
    arguments = {"spatial_dims": dims, "in_channels": 1, "out_channels": 3, "channels": [4, 6, 8], "posterior": "none"}
    return build_tiny(
        tmp_path_factory.mktemp("latent") / f"latent-{dims}d",
        name=f"latent-{dims}d",
        network={"name": network, "arguments": arguments},
        head="softmax",
        patch=[16] * dims,
        uncertainty={"primary": "mutual_information", "kinds": ["mutual_information", "entropy"], "threshold": 0.1},
    )


@pytest.mark.torch
def test_a_package_with_latents_holds_two_graphs_and_both_engines_draw_the_same_samples(
    latent_package: Package,
) -> None:
    assert set(latent_package.metadata.graphs) == {"encoder", "decoder"}
    metadata = latent_package.metadata
    shape = (3, 24, 20) if len(metadata.patch) == 2 else (20, 24, 20)
    draws = []
    for name in ("torch", "openvino"):
        engine = create_engine(latent_package, name, "cpu")
        source = partial(SampleSource, image(shape), engine, latent_layout(metadata), metadata.patch, 0.5)
        draws.append(np.stack(list(source((8,)).draw(2))))
    np.testing.assert_allclose(draws[0], draws[1], atol=1e-3)
    assert np.abs(draws[0][0] - draws[0][1]).max() > 1e-3


@pytest.mark.torch
def test_the_engine_decodes_an_encoding_as_the_network_does(latent_package: Package) -> None:
    import torch
    from SUREUncertaintyLib.packages.weights import load_network

    engine, network = create_engine(latent_package, "torch", "cpu"), load_network(latent_package)
    window = np.random.default_rng(0).normal(size=(1, 1, *latent_package.metadata.patch)).astype(np.float32)
    encoding = engine.encode(window)  # type: ignore[attr-defined]
    expected = network.sample(torch.from_numpy(window), 3, seed=6).softmax(2).numpy()  # type: ignore[operator]
    for k in range(3):
        noise = [standard_noise((6,), k, level, mean.shape) for level, mean in enumerate(encoding.means)]
        latents = [m + s * e for m, s, e in zip(encoding.means, encoding.deviations, noise, strict=True)]
        found = softmax(engine.decode(encoding, latents), axis=1)  # type: ignore[attr-defined]
        np.testing.assert_allclose(found, expected[k], atol=1e-6)


def test_a_package_without_decoder_is_refused_with_what_to_do(tiny_package: Package) -> None:
    with pytest.raises(PackageError, match=r"no decoder of its own.*Leave out the options about samples"):
        latent_layout(tiny_package.metadata)


def test_layout_of_the_u_net() -> None:
    assert make_layout(3, 2, planar=False).strides == ((1, 1, 1), (2, 2, 2), (4, 4, 4))
    assert make_layout(3, 2, planar=True).multiple == (1, 8, 8)


def test_interval_of_sizes_needs_a_hundred_samples() -> None:
    interval = size_interval(np.arange(101.0))
    assert (interval.low, interval.median, interval.high) == pytest.approx((5.0, 50.0, 95.0))
    assert interval.holds(5)
    assert not interval.holds(96)
    with pytest.raises(ValueError, match="at least 100"):
        size_interval(np.arange(99.0))


def test_the_stretch_moves_the_ends_away_from_the_median_but_never_below_zero() -> None:
    interval = size_interval(np.arange(101.0), stretch=1.2)
    assert (interval.low, interval.median, interval.high) == pytest.approx((0.0, 50.0, 104.0))
    assert size_interval(np.arange(101.0), stretch=0.5).low == pytest.approx(27.5)


def test_probability_bands_and_the_most_different_samples() -> None:
    assert probability_bands(np.float32([0.05, 0.1, 0.5, 0.89, 0.9])).tolist() == [0, 1, 2, 2, 3]
    line = np.zeros((4, 12), np.uint8)
    for number, (low, high) in enumerate([(0, 6), (1, 7), (6, 12), (3, 9)]):
        line[number, low:high] = 1
    assert label_distance(line[0], line[2]) == 1.0
    assert label_distance(line[0], line[3]) == pytest.approx(1 - 3 / 9)
    assert most_different(list(line)) == (0, 2)
    assert most_different(list(line), 3) == (0, 2, 3)
    assert most_different([line[0], line[0]]) == (0, 1)
    with pytest.raises(ValueError, match="at least two"):
        most_different([line[0]])


def test_a_volume_that_does_not_fit_is_refused_with_what_would() -> None:
    shape = (400, 512, 512)
    check_memory(shape, 2, available=100 * bytes_needed(shape, 2))
    with pytest.raises(InputError, match=r"512 x 512 x 400 voxels needs about .* GB .* about (\d+) x (\d+) x (\d+)"):
        check_memory(shape, 2, available=bytes_needed(shape, 2) // 4)
    assert bytes_needed(shape, 2, levels=3, kept_samples=10) - bytes_needed(shape, 2) == (12 + 10) * math.prod(shape)


@pytest.mark.torch
def test_the_lung_recipe_fits_its_network(tmp_path: Path) -> None:
    from SUREUncertaintyLib.nn.registry import create_network
    from SUREUncertaintyLib.training.recipe import load_recipe

    recipe = load_recipe("lung-nodule-ct")
    network = create_network(recipe.network.name, recipe.network.arguments)
    assert all(size % network.stride == 0 for size in recipe.input.patch)  # type: ignore[operator]
    assert len(recipe.data.tuning_groups) == 40
