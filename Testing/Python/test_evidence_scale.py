"""The evidence-scaling head: it changes how much evidence there is, never which class has most of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from balls import ball_recipe, write_balls, written
from needed_torch import torch
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.inference.engine import logits_and_own
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.nn.evidence_scale import EvidenceScale
from SUREUncertaintyLib.nn.evidential import dirichlet
from SUREUncertaintyLib.nn.unet import UNet
from SUREUncertaintyLib.packages.package import load_package
from SUREUncertaintyLib.packages.weights import load_network
from SUREUncertaintyLib.training.train import train


def _pair(dims: int, channels: tuple[int, ...]) -> tuple[UNet, UNet]:
    """The same network without and with the head."""
    plain = UNet(dims, 1, 3, channels).eval()
    scaled = UNet(dims, 1, 3, channels, evidence_scale=True, evidence_context=3).eval()
    scaled.load_state_dict(scaled.state_dict() | plain.state_dict())
    return plain, scaled


@pytest.mark.parametrize(("dims", "channels"), [(2, (4, 8)), (2, (4, 8, 16)), (3, (4, 8, 16))])
def test_a_new_head_changes_nothing(dims: int, channels: tuple[int, ...]) -> None:
    plain, scaled = _pair(dims, channels)
    image = torch.randn(2, 1, *(16, 24, 8)[:dims])
    with torch.no_grad():
        assert torch.equal(plain(image), scaled(image))


def test_whatever_the_head_says_the_segmentation_stays() -> None:
    torch.manual_seed(0)
    plain, scaled = _pair(2, (4, 8))
    assert scaled.scale is not None
    torch.nn.init.normal_(scaled.scale.last.weight, std=0.5)
    image = torch.randn(2, 1, 32, 32)
    with torch.no_grad():
        before, after = dirichlet(plain(image)), dirichlet(scaled(image))
    assert torch.equal(before.alpha.argmax(1), after.alpha.argmax(1))
    assert float((before.vacuity - after.vacuity).abs().max()) > 0.05


def test_the_context_reaches_every_voxel_and_without_it_nothing_beyond_the_surroundings() -> None:
    torch.manual_seed(0)
    for context, expected in ((0, False), (3, True)):
        head = EvidenceScale(2, 1, 2, 4, context=context)
        torch.nn.init.normal_(head.last.weight)
        image, features = torch.zeros(1, 1, 64, 64), torch.zeros(1, 2, 64, 64)
        changed = image.clone()
        changed[..., :8, :8] = 5.0
        with torch.no_grad():
            before, after = (head(x, features, features)[0, 0, -4:, -4:] for x in (image, changed))
        assert (float((before - after).abs().max()) > 1e-4) is expected


def test_both_engines_give_the_logits_before_the_head(tmp_path: Path, data: Path) -> None:
    recipe = ball_recipe("head", 2, ["s0"])
    recipe["network"]["arguments"]["evidence_scale"] = True
    package = train(written(tmp_path, recipe), data, tmp_path / "run", "cpu")
    assert package is not None
    network = load_network(package).eval()
    shape = (1, 1, *package.metadata.patch)
    windows = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    with torch.no_grad():
        logits, factor = network.with_factor(torch.from_numpy(windows))
    assert float((factor - 1.0).abs().max()) > 1e-6  # it has learnt with the rest
    for name in ("torch", "openvino"):
        found, own = logits_and_own(create_engine(package, name, "cpu", 1), windows)
        np.testing.assert_allclose(found, logits.numpy(), atol=1e-3)
        np.testing.assert_allclose(own, (logits / factor).numpy(), atol=1e-3)


def test_without_a_head_the_logits_are_the_segmentation_s_own(data: Path, tmp_path: Path) -> None:
    package = train(written(tmp_path, ball_recipe("plain", 1, ["s0"])), data, tmp_path / "run", "cpu")
    assert package is not None
    windows = np.random.default_rng(0).standard_normal((1, 1, *package.metadata.patch)).astype(np.float32)
    for name in ("torch", "openvino"):
        logits, own = logits_and_own(create_engine(package, name, "cpu", 1), windows)
        np.testing.assert_array_equal(logits, own)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four balls of four subjects."""
    return write_balls(tmp_path_factory.mktemp("balls"), ["train"] * 4)


def test_training_the_head_alone_leaves_every_other_weight(data: Path, tmp_path: Path) -> None:
    first = train(written(tmp_path, ball_recipe("first", 2, ["s0"])), data, tmp_path / "first", "cpu")
    assert first is not None
    second = ball_recipe("second", 3, ["s0"], loss={"name": "sure", "options": {"preset": "margin", "start": 0.0}})
    second["network"]["arguments"]["evidence_scale"] = True
    second["optimisation"]["train_only"] = "scale"
    package = train(written(tmp_path, second), data, tmp_path / "second", "cpu", first.root)
    assert package is not None
    before, after = load_network(load_package(first.root)).state_dict(), load_network(package).state_dict()
    for name, tensor in before.items():
        assert torch.equal(after[name], tensor), name
    assert float(after["scale.last.weight"].abs().max()) > 0.0


def test_a_part_that_is_not_there_is_named(data: Path, tmp_path: Path) -> None:
    recipe = ball_recipe("none", 1, ["s0"])
    recipe["optimisation"]["train_only"] = "scale"
    with pytest.raises(InputError, match=r"trains only 'scale'.*evidence_scale"):
        train(written(tmp_path, recipe), data, tmp_path / "run", "cpu")
