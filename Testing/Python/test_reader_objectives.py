"""What the reader comparison tried beside the library's losses: a wanted reconstruction, and all readers at once."""

import math

import numpy as np
import pytest
from needed_torch import torch
from readers.all_readers_objective import AllReadersObjective
from readers.constrained_objective import ConstrainedObjective
from readers.mixture_objective import MixtureObjective
from readers.network_predictor import NetworkPredictor
from readers.post_hoc_fit import PostHoc, best_post_hoc, joined, proper_scores, tempered
from readers.published_loss import generator_of
from SUREUncertaintyLib.evaluation.raters import RaterArrays, RaterSlice
from SUREUncertaintyLib.evaluation.slice_predictor import SlicePrediction
from SUREUncertaintyLib.nn.hierarchical.elbo import draw_prior, prior_loss
from SUREUncertaintyLib.nn.hierarchical.elbo_settings import ElboSettings
from SUREUncertaintyLib.nn.hierarchical.residual_unet import ResidualLatentUNet
from SUREUncertaintyLib.training.hierarchical_objective import HierarchicalObjective
from SUREUncertaintyLib.training.objectives import Batch
from SUREUncertaintyLib.training.training_cases import TrainingCase

IMAGE = torch.randn((2, 1, 16, 16), generator=torch.Generator().manual_seed(1))
LABEL = (IMAGE[:, 0] > 0.3).long()
SETTINGS = ElboSettings(kl_warmup_epochs=0.0, prior_draws=3, prior_weight=0.5, energy_weight=0.7)


def network() -> ResidualLatentUNet:
    torch.manual_seed(0)
    return ResidualLatentUNet(2, 1, 2, (4, 6, 8), level_width=4)


def batch() -> Batch:
    return Batch(IMAGE, LABEL, (1.0, 1.0), (0, 2, 5, 0), (1, 0), 2)


def test_the_weight_of_the_divergences_rises_below_the_bound_and_falls_above_it() -> None:
    objective = ConstrainedObjective(HierarchicalObjective(SETTINGS, False), bound=0.02)
    objective.follow(0.02)
    assert objective.weight == 1.0
    objective.follow(0.06)  # the average moves to 0.95 x 0.02 + 0.05 x 0.06 = 0.022, 10 % above the bound
    assert objective.weight == pytest.approx(math.exp(-0.05 * 0.1))
    for _ in range(200):
        objective.follow(0.01)
    assert objective.weight > 10.0
    for _ in range(4000):
        objective.follow(1.0)
    assert objective.weight == 1e-3


def test_a_step_is_that_of_the_library_with_the_weight_that_was_reached_and_is_resumed() -> None:
    objective = ConstrainedObjective(HierarchicalObjective(SETTINGS, False), bound=0.02, weight=0.25)
    found = objective.backward(network(), batch(), 1.0)
    plain = HierarchicalObjective(ElboSettings(**{**vars(SETTINGS), "kl_weight": 0.25}), False)
    expected = plain.backward(network(), batch(), 1.0)
    assert {name: found[name] for name in expected} == expected
    assert found["kl_weight"] == 0.25
    assert objective.weight < 0.25
    other = ConstrainedObjective(HierarchicalObjective(SETTINGS, False), bound=0.02)
    other.load_state({})
    assert other.weight == 1.0
    other.load_state(objective.state())
    assert (other.weight, other.average) == (objective.weight, objective.average)


def cases(readings: np.ndarray) -> list[TrainingCase]:
    image = np.zeros((16, 16), np.float32)
    return [TrainingCase("a", "a", image, marks[0], (1.0, 1.0), marks) for marks in readings]


def test_draws_of_the_prior_are_held_against_every_reader_of_their_own_slice() -> None:
    readings = np.random.default_rng(0).integers(0, 2, (2, 4, 16, 16)).astype(np.uint8)
    net = network()
    found = AllReadersObjective(HierarchicalObjective(SETTINGS, False), cases(readings)).backward(net, batch(), 1.0)
    torch.manual_seed(0)
    samples = draw_prior(net, IMAGE, 3, generator_of((0, 2, 5, 0, 1)))
    own = readings[[1, 0]]  # the order of the batch
    terms = [prior_loss(samples, torch.from_numpy(own[:, reader]).long(), SETTINGS) for reader in range(4)]
    assert found["prior"] == pytest.approx(float(torch.stack(terms).mean().detach()), rel=1e-5)
    assert net.level_decoder.heads[0].weight.grad is not None


def test_the_mixture_adds_the_likelihood_of_the_outline_under_all_draws_together() -> None:
    net, inner = network(), HierarchicalObjective(SETTINGS, False)
    found = MixtureObjective(inner, weight=2.0).backward(net, batch(), 1.0)
    samples = draw_prior(net, IMAGE, 8, generator_of((0, 2, 5, 0, 1))).detach()
    terms = (samples.double() * torch.nn.functional.one_hot(LABEL, 2).movedim(-1, 1)).sum(2).log().flatten(2).sum(2)
    expected = -2.0 * float((terms.exp().mean(0)).log().mean()) / 256
    assert found["mixture"] == pytest.approx(expected, rel=1e-3)
    assert found["loss"] == pytest.approx(inner.backward(network(), batch(), 1.0)["loss"] + expected, rel=1e-3)


def test_draws_of_the_prior_are_those_of_the_loss() -> None:
    net = network().eval()
    with torch.no_grad():
        samples = draw_prior(net, IMAGE, 3, torch.Generator().manual_seed(2))
    assert samples.shape == (3, 2, 2, 16, 16)
    torch.testing.assert_close(samples.sum(2), torch.ones(3, 2, 16, 16))
    assert float((samples[0] - samples[1]).abs().max()) > 0.0


def test_a_temperature_divides_the_logits_of_every_sample() -> None:
    image = np.random.default_rng(0).integers(0, 256, (16, 16)).astype(np.uint8)
    plain = NetworkPredictor([network().eval()], "latents", count=3).predict(image, (1,))
    halved = np.exp(np.log(plain.samples) / 2)
    warm = tempered(plain, 2.0)
    np.testing.assert_allclose(warm.samples, halved / halved.sum(1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(warm.probability, warm.samples.mean(0), atol=1e-6)
    assert np.array_equal(plain.samples.argmax(1), warm.samples.argmax(1))


class Certain:
    """Everywhere the same probability of the structure, in two equal samples."""

    name = "certain"

    def __init__(self, probability: float = 0.95) -> None:
        self.probability = probability

    def predict(self, image: np.ndarray, key: tuple[int, ...]) -> SlicePrediction:
        samples = np.empty((2, 2, *image.shape), np.float32)
        samples[:, 0], samples[:, 1] = 1 - self.probability, self.probability
        return SlicePrediction(samples, samples[0], np.ones(image.shape, np.uint8), np.zeros(image.shape, np.float32))


def test_the_temperature_with_the_least_log_loss_is_taken() -> None:
    bits = np.zeros((4, 8, 8), np.uint8)
    bits[:] = 0b0111  # three of four readers marked every pixel: best is a probability of 0.75
    arrays = RaterArrays(np.zeros((4, 8, 8), np.uint8), bits, 4)
    entries = [RaterSlice(row, f"P{row // 2}", "n0", row, "train") for row in range(4)]
    # 0.95 has logit 2.944 = 2.68 x that of 0.75: the warmest is nearest
    assert best_post_hoc(arrays, entries, Certain(), Certain()) == PostHoc(2.5, 0.0)
    bits[:] = 0b1111
    assert best_post_hoc(arrays, entries, Certain(), Certain()) == PostHoc(1.0, 0.0)
    assert best_post_hoc(arrays, entries, Certain(), Certain(0.999)) == PostHoc(1.0, 0.5)


def test_the_own_answer_is_a_share_of_the_probability_and_of_nothing_else() -> None:
    image = np.zeros((2, 2), np.uint8)
    low, high = Certain(0.3).predict(image, (0,)), Certain(0.9).predict(image, (0,))
    both = joined(low, high, 0.5)
    np.testing.assert_allclose(both.probability[1], 0.6, rtol=1e-6)
    assert both.labels.all()
    assert not joined(low, high, 0.25).labels.any()
    assert both.samples is low.samples
    assert both.uncertainty is low.uncertainty
    assert joined(low, high, 0.0) is low
    np.testing.assert_allclose(PostHoc(2.0, 0.5).applied(low, high).probability.sum(0), 1.0, rtol=1e-6)


def test_proper_scores_are_means_over_readers_and_pixels() -> None:
    prediction = Certain().predict(np.zeros((2, 2), np.uint8), (0,))
    readings = np.stack([np.ones((2, 2)), np.zeros((2, 2))]).astype(np.uint8)
    found = proper_scores(prediction, readings)
    assert found["brier"] == pytest.approx((0.05**2 + 0.95**2) / 2)
    assert found["log_loss"] == pytest.approx(-(math.log(0.95) + math.log(0.05)) / 2)
