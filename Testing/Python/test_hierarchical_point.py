"""The second half of the hierarchical loss: the answer at the mean of the prior, beside a draw of the posterior."""

import pytest
from needed_torch import torch
from SUREUncertaintyLib.nn.hierarchical.elbo import ElboTerms
from SUREUncertaintyLib.nn.hierarchical.elbo_settings import ElboSettings
from SUREUncertaintyLib.nn.hierarchical.latent_unet import LatentUNet
from SUREUncertaintyLib.nn.hierarchical.probabilistic_unet import ProbabilisticUNet
from SUREUncertaintyLib.nn.hierarchical.sample_fit import soft_dice_loss
from torch.nn.functional import cross_entropy, one_hot

IMAGE = torch.randn((2, 1, 16, 16), generator=torch.Generator().manual_seed(1))
LABEL = (IMAGE[:, 0] > 0.3).long()


def network(**arguments: object) -> LatentUNet:
    torch.manual_seed(0)
    return LatentUNet(2, 1, 2, **{"channels": (4, 6, 8), **arguments}).eval()  # type: ignore[arg-type]


def terms_of(net: LatentUNet | ProbabilisticUNet, weight: float) -> ElboTerms:
    settings = ElboSettings(ce_weight=0.6, dice_weight=0.4, kl_weight=0.3, point_weight=weight)
    return net.elbo(IMAGE, LABEL, settings, generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize("kind", ["gaussian", "noise", "probabilistic_unet"])
def test_it_is_the_loss_of_the_deterministic_answer_and_counts_with_its_weight(kind: str) -> None:
    torch.manual_seed(0)
    probabilistic = ProbabilisticUNet(2, 1, 2, channels=(4, 6, 8), latent_dim=3).eval()
    net = probabilistic if kind == "probabilistic_unet" else network(latent_mode=kind)
    without, with_it = terms_of(net, 0.0), terms_of(net, 0.5)
    logits = net(IMAGE)
    target = one_hot(LABEL, 2).movedim(-1, 1).float()
    expected = 0.6 * cross_entropy(logits, LABEL) + 0.4 * soft_dice_loss(logits.softmax(1), target)
    assert without.point is None
    assert with_it.point is not None
    torch.testing.assert_close(with_it.point, expected)
    torch.testing.assert_close(with_it.loss - without.loss, 0.5 * expected)
    assert with_it.logged()["point"] == pytest.approx(float(expected), rel=1e-5)


def test_it_teaches_the_mean_of_the_prior_and_leaves_its_spread_and_the_posterior_alone() -> None:
    net = network()
    point = terms_of(net, 1.0).point
    assert point is not None
    point.backward()  # type: ignore[no-untyped-call]
    for head in net.heads:
        mean, log_std = head.project.weight.grad
        assert float(mean.abs().sum()) > 0.0
        assert float(log_std.abs().sum()) == 0.0
    assert all(parameter.grad is None for parameter in net.posterior_encoder.parameters())


def test_a_network_without_latents_has_one_answer_and_learns_it_once() -> None:
    off = network(latent_mode="off", posterior="none")
    assert terms_of(off, 1.0).point is None
    torch.testing.assert_close(terms_of(off, 1.0).loss, terms_of(off, 0.0).loss)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="point_weight must not be negative"):
        ElboSettings(point_weight=-0.1)
