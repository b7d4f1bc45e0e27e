"""Published networks that the reader comparison trains beside ours: PHiSeg and stochastic segmentation networks."""

import math
from typing import Any

import numpy as np
import pytest
from needed_torch import torch
from readers.network_predictor import NetworkPredictor
from readers.phiseg import PHiSeg, partial_cross_entropy
from readers.published_loss import Published, PublishedLoss, generator_of
from readers.reader_arms import PHISEG, STOCHASTIC, arm_recipe
from readers.stochastic_segmentation import LogitGaussian, StochasticSegmentation, negative_log_likelihood
from readers.study_parts import create_study_network
from SUREUncertaintyLib.training.objectives import Batch
from torch import Tensor
from torch.nn.functional import cross_entropy

CHANNELS = (4, 6, 8)
IMAGE = torch.randn((2, 1, 16, 16), generator=torch.Generator().manual_seed(1))
LABEL = (IMAGE[:, 0] > 0.3).long()


def network(kind: type) -> Any:
    torch.manual_seed(0)
    return kind(2, 1, 2, CHANNELS).eval()


def test_the_likelihood_of_a_label_is_the_mean_over_draws_of_the_product_over_pixels() -> None:
    samples = torch.tensor([[[[[0.0, 1.0]], [[0.0, -1.0]]]], [[[[2.0, 0.0]], [[0.0, 0.5]]]]])  # 2 draws, 1 x 2 pixels
    label = torch.tensor([[[0, 1]]])
    sigmoid = [[0.5, 1 / (1 + math.exp(2.0))], [1 / (1 + math.exp(-2.0)), 1 / (1 + math.exp(-0.5))]]
    expected = -math.log(sum(math.prod(draw) for draw in sigmoid) / 2)
    assert float(negative_log_likelihood(samples, label)) == pytest.approx(expected, rel=1e-5)
    one = negative_log_likelihood(samples[:1], label)
    torch.testing.assert_close(one, cross_entropy(samples[0], label, reduction="sum"))


def test_draws_have_the_mean_and_the_covariance_of_the_gaussian_and_pairs_its_mean_exactly() -> None:
    generator = torch.Generator().manual_seed(3)
    mean, std = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([0.5, 1.0, 0.1])
    factor = torch.tensor([[1.0, 0.5, 0.0], [0.0, -1.0, 2.0]])
    gaussian = LogitGaussian(mean.view(1, 1, 1, 3), std.view(1, 1, 1, 3), factor.view(1, 2, 1, 1, 3))
    drawn = gaussian.draw(40000, generator).reshape(-1, 3)
    torch.testing.assert_close(drawn.mean(0), mean, atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.T.cov(), factor.T @ factor + torch.diag(std**2), atol=0.1, rtol=0)
    pairs = gaussian.draw_pairs(6, generator)
    torch.testing.assert_close(pairs[:3] + pairs[3:], 2 * gaussian.mean.expand(3, 1, 1, 1, 3))


def test_a_stochastic_network_starts_from_the_backbone_and_nearly_without_spread() -> None:
    net = network(StochasticSegmentation)
    with torch.no_grad():
        found = net.distribution(IMAGE)
        torch.testing.assert_close(net(IMAGE), net.backbone(IMAGE))
    assert found.factor.shape == (2, 10, 2, 16, 16)
    torch.testing.assert_close(found.std, torch.full_like(found.std, math.sqrt(math.exp(-4.0) + 1e-5)))


def test_partial_sums_start_at_the_coarsest_level_and_each_is_trained() -> None:
    fine, coarse = torch.randn((2, 2, 2, 4, 4), generator=torch.Generator().manual_seed(2))
    label = (fine[:, 0] > 0).long()
    expected = cross_entropy(coarse, label) + cross_entropy(coarse + fine, label)
    torch.testing.assert_close(partial_cross_entropy([fine, coarse], label), expected)


def test_a_level_of_phiseg_counts_four_times_its_finer_one_and_sums_over_locations() -> None:
    net = network(PHiSeg)
    terms = net.loss(IMAGE, LABEL, torch.Generator().manual_seed(4))
    expected = terms["ce"] + terms["kl_0"] + 4 * terms["kl_1"]
    torch.testing.assert_close(terms["loss"], expected)
    for chain in (net.prior, net.posterior):
        for heads in (chain.mean, chain.spread):
            for head in heads:
                torch.nn.init.zeros_(head.weight)
                torch.nn.init.zeros_(head.bias)
    torch.nn.init.ones_(net.posterior.mean[1].bias)  # the coarsest: 4 x 4 locations, 2 channels
    moved = net.loss(IMAGE, LABEL, torch.Generator().manual_seed(4))
    assert float(moved["kl_0"]) == pytest.approx(0.0, abs=1e-6)
    sigma = math.log(2.0) + 1e-5  # softplus(0)
    assert float(moved["kl_1"]) == pytest.approx(4 * 4 * 2 * 0.5 / sigma**2 / 256, rel=1e-4)


def test_finer_latents_of_phiseg_depend_on_the_coarser_draw_and_its_likelihood_on_latents_alone() -> None:
    net = network(PHiSeg)
    with torch.no_grad():
        features = net.prior.features(IMAGE)
        coarse = net.prior.gaussian(features, 1, None)
        assert coarse.mean.shape == (2, 2, 4, 4)
        first = net.prior.gaussian(features, 0, coarse.mean)
        second = net.prior.gaussian(features, 0, coarse.mean + 1.0)
        assert first.mean.shape == (2, 2, 8, 8)
        assert float((first.mean - second.mean).abs().max()) > 1e-4
        logits = net.likelihood([first.mean, coarse.mean])
        assert [part.shape for part in logits] == [(2, 2, 16, 16)] * 2
        torch.testing.assert_close(net(IMAGE), sum(logits))


@pytest.mark.parametrize("kind", [StochasticSegmentation, PHiSeg])
def test_its_loss_reaches_every_weight_and_follows_from_the_seed_of_the_batch(kind: type) -> None:
    net, batch = network(kind).train(), Batch(IMAGE, LABEL, (1.0, 1.0), (0, 2, 5, 0))
    assert isinstance(net, Published)
    found = PublishedLoss(mixed_precision=False).backward(net, batch, 0.0)
    assert [name for name, weight in net.named_parameters() if weight.grad is None] == []
    assert PublishedLoss(mixed_precision=False).backward(net, batch, 0.0) == found
    other = Batch(IMAGE, LABEL, (1.0, 1.0), (0, 2, 6, 0))
    assert PublishedLoss(mixed_precision=False).backward(net, other, 0.0) != found


@pytest.mark.parametrize("arm", [PHISEG, STOCHASTIC])
def test_its_draws_repeat_themselves_and_differ_and_slices_of_a_nodule_share_their_noise(arm: str) -> None:
    described = arm_recipe(arm, 0, 40)["network"]
    torch.manual_seed(1)
    net = create_study_network(described["name"], described["arguments"] | {"channels": list(CHANNELS)}).eval()
    image = np.random.default_rng(0).integers(0, 256, (16, 16)).astype(np.uint8)
    predictor = NetworkPredictor([net], "draws", count=4)
    first, again, other = (predictor.predict(image, key) for key in ((7,), (7,), (8,)))
    assert first.samples.shape == (4, 2, 16, 16)
    assert np.array_equal(first.samples, again.samples)
    assert np.abs(first.samples - other.samples).max() > 0.0
    assert np.abs(first.samples[0] - first.samples[1]).max() > 0.0
    assert np.isnan(predictor.latent_score(image))


def test_a_seed_makes_the_same_numbers() -> None:
    def numbers(seed: tuple[int, ...]) -> Tensor:
        return torch.randn(3, generator=generator_of(seed))

    assert torch.equal(numbers((1, 2)), numbers((1, 2)))
    assert not torch.equal(numbers((1, 2)), numbers((1, 3)))
