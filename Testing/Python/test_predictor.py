"""The seam between metrics and models: the clean pass is the main job, noise is added to the normalised input."""

from typing import Any

import numpy as np
import pytest
from damaged import Recorder
from SUREUncertaintyLib.arrays.noise import noise_field
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.inference.torch_engine import TorchEngine
from SUREUncertaintyLib.packages.package import Package
from tiny import PointEngine


def test_the_noise_field_follows_from_seed_and_case_alone() -> None:
    field = noise_field((1, 8, 8, 8), 3, "case-1")
    np.testing.assert_array_equal(field, noise_field((1, 8, 8, 8), 3, "case-1"))
    assert not np.array_equal(field, noise_field((1, 8, 8, 8), 3, "case-2"))
    assert not np.array_equal(field, noise_field((1, 8, 8, 8), 4, "case-1"))
    large = noise_field((1, 40, 40, 40), 0, "x")
    assert float(large.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(large.std()) == pytest.approx(1.0, abs=0.02)


def scan(seed: int = 0) -> Volume:
    array = np.random.default_rng(seed).normal(100.0, 20.0, (18, 20, 22)).astype(np.float32)
    return Volume(array, Grid((18, 20, 22), (1.1, 0.9, 1.3)))


def test_level_zero_is_the_clean_prediction_and_noise_changes_it(tiny_package: Package) -> None:
    model = NativePredictor(tiny_package, PointEngine())
    clean = model.predict(scan())
    zero, strong = model.noisy(scan(), (0.0, 0.9), 0, "a")
    np.testing.assert_array_equal(zero, clean.uncertainty)
    assert float(np.abs(strong - zero).mean()) > 0.01
    np.testing.assert_array_equal(strong, next(model.noisy(scan(), (0.9,), 0, "a")))


def test_the_native_prediction_is_the_main_job(tiny_package: Package) -> None:
    result = segment(scan(), tiny_package, PointEngine(), keep_probabilities=True)
    prediction = NativePredictor(tiny_package, PointEngine()).predict(scan())
    np.testing.assert_array_equal(prediction.labels, result.labels.array)
    assert prediction.probabilities.shape == (3, 18, 20, 22)
    assert prediction.labels.max() > 0


def test_inputs_of_two_levels_differ_by_the_same_field(tiny_package: Package) -> None:
    engine = Recorder()
    patch = Volume(scan().array[:16, :16, :16], Grid((16, 16, 16)))
    for _ in NativePredictor(tiny_package, engine).noisy(patch, (0.0, 0.3, 0.9), 5, "case"):
        pass
    clean, weak, strong = (windows[0, 0] for windows in engine.seen)
    assert float(clean.mean()) == pytest.approx(0.0, abs=1e-5)
    assert float(clean.std()) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(strong - weak, 2 * (weak - clean), atol=1e-5)
    assert float((weak - clean).std()) == pytest.approx(0.3, rel=0.05)
    field = noise_field((1, 16, 16, 16), 5, "case")
    np.testing.assert_allclose(np.sort(weak - clean, axis=None), np.sort(0.3 * field, axis=None), atol=1e-5)


@pytest.mark.torch
def test_evaluation_leaves_every_buffer_of_the_network_unchanged(tiny_package: Package) -> None:
    engine: Any = TorchEngine(tiny_package, "cpu")
    model = NativePredictor(tiny_package, engine)
    network = next(value for value in vars(engine).values() if hasattr(value, "state_dict"))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    model.predict(scan())
    list(model.noisy(scan(), (0.1, 0.9), 0, "a"))
    assert not network.training
    assert all(bool((network.state_dict()[name] == tensor).all()) for name, tensor in before.items())
