"""Latents that alone set samples apart: sums over levels, reach, bounds, gradients, samples, against exact values."""

import math

import pytest
from needed_torch import torch
from SUREUncertaintyLib.nn.hierarchical.elbo_settings import ElboSettings
from SUREUncertaintyLib.nn.hierarchical.latent_unet import LatentUNet
from SUREUncertaintyLib.nn.hierarchical.level_decoder import LevelDecoder
from SUREUncertaintyLib.nn.hierarchical.presets import preset
from SUREUncertaintyLib.nn.hierarchical.residual_unet import ResidualLatentUNet
from SUREUncertaintyLib.nn.hierarchical.sample_fit import energy_score, mean_fit
from torch.nn.functional import cross_entropy

CHANNELS = (4, 6, 8, 8)
TRAINED_ALL = ElboSettings(
    draw_dice_weight=0.0,
    partial_weight=0.3,
    prior_draws=2,
    prior_weight=1.0,
    energy_weight=1.0,
    point_weight=0.5,
    kl_weight=1.0,
)


def network(dims: int = 2, **arguments: object) -> ResidualLatentUNet:
    torch.manual_seed(0)
    net = ResidualLatentUNet(dims, 1, 3, **{"channels": CHANNELS, **arguments}).eval()  # type: ignore[arg-type]
    for head in [*net.heads, *net.level_decoder.heads]:
        for layer in head.modules():
            if isinstance(layer, torch.nn.Conv2d | torch.nn.Conv3d):
                torch.nn.init.normal_(layer.weight, std=0.5)
    return net


def example(dims: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    shape = (16, 24, 8)[:dims]
    image = torch.randn((2, 1, *shape), generator=generator)
    return image, torch.randint(0, 3, (2, *shape), generator=generator)


def latents_of(side: int, levels: int = 3) -> list[torch.Tensor]:
    return [torch.zeros(1, 1, side // 2**level, side // 2**level) for level in range(levels)]


@pytest.mark.parametrize("dims", [2, 3])
def test_with_every_latent_at_its_mean_the_answer_is_that_of_the_u_net_alone(dims: int) -> None:
    net, (image, _) = network(dims), example(dims)
    plain = LatentUNet(dims, 1, 3, channels=CHANNELS, latent_mode="off").eval()
    plain.load_state_dict({k.removeprefix("backbone."): v for k, v in net.state_dict().items() if "backbone" in k})
    bottleneck, skips = net.encode(image)
    means = [gaussian.mean for gaussian in net.prior(skips)]
    with torch.no_grad():
        torch.testing.assert_close(net(image), plain(image))
        torch.testing.assert_close(net.decode(bottleneck, skips, means), plain(image), atol=1e-5, rtol=1e-5)
    assert float((net.sample(image, 1)[0] - net(image)).detach().abs().max()) > 0.01


def test_the_logits_are_the_sum_of_what_each_level_adds_and_a_level_adds_no_more_than_its_bound() -> None:
    decoder = LevelDecoder(2, 2, 3, latent_dim=1, width=4, bounds=(1.0, 2.0, 4.0))
    for number, head in enumerate(decoder.heads):
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.constant_(head.bias, 3.0 + number)
    added = [bound * math.tanh((3.0 + number) / bound) for number, bound in enumerate((1.0, 2.0, 4.0))]
    sums = decoder.sums(latents_of(16))
    assert [tuple(part.shape) for part in sums] == [(1, 2, 16, 16), (1, 2, 8, 8), (1, 2, 4, 4)]
    for level, part in enumerate(sums):
        torch.testing.assert_close(part, torch.full_like(part, sum(added[level:])))
    torch.testing.assert_close(decoder(latents_of(16)), sums[0])
    assert added[0] < 1.0


def test_without_a_bound_a_level_adds_what_it_will() -> None:
    decoder = LevelDecoder(2, 2, 1, latent_dim=1, width=4)
    torch.nn.init.zeros_(decoder.heads[0].weight)
    torch.nn.init.constant_(decoder.heads[0].bias, 50.0)
    torch.testing.assert_close(decoder(latents_of(8, 1)), torch.full((1, 2, 8, 8), 50.0))


@pytest.mark.parametrize("bounds", [(1.0, 2.0), (1.0, 2.0, 0.0)])
def test_bounds_are_one_positive_number_a_level(bounds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="level_bounds needs 3 positive numbers"):
        LevelDecoder(2, 2, 3, latent_dim=1, width=4, bounds=bounds)


def reach_of(level: int) -> int:
    """Pixels to the far side of a location: two convolutions reach 2 locations, each doubling 1 fine pixel more."""
    far = 2
    for _ in range(level):
        far = 2 * far + 1 + 1 + 2
    return far


@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_latent_moves_the_logits_in_its_own_surroundings_and_a_coarser_one_further(level: int) -> None:
    torch.manual_seed(3)
    decoder, before = LevelDecoder(2, 2, 3, latent_dim=1, width=8), latents_of(96)
    after = [latent.clone() for latent in before]
    middle = after[level].shape[2] // 2
    after[level][0, 0, middle, middle] = 5.0
    for head in decoder.heads:
        torch.nn.init.normal_(head.weight)
    with torch.no_grad():
        moved = (decoder(after) - decoder(before)).abs().amax((0, 1)) > 1e-6
    rows = torch.nonzero(moved.any(1)).flatten()
    centre = middle * 2**level
    assert centre - reach_of(level) <= int(rows.min()) < centre
    assert centre < int(rows.max()) <= centre + reach_of(level)
    assert int(rows.max()) - int(rows.min()) > (2**level - 1 if level else 2)


@pytest.mark.parametrize("dims", [2, 3])
def test_gradients_reach_prior_posterior_and_decoder_of_every_level(dims: int) -> None:
    net = network(dims).train()
    net.elbo(*example(dims), TRAINED_ALL, generator=torch.Generator().manual_seed(0)).loss.backward()
    for level in range(net.levels):
        for part in (net.heads, net.posterior_encoder.heads, net.level_decoder.blocks, net.level_decoder.heads):
            gradients = [parameter.grad for parameter in part[level].parameters()]
            assert all(gradient is not None and float(gradient.abs().sum()) > 0.0 for gradient in gradients[:1])
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_partial_sums_end_in_the_sample_and_their_loss_is_their_mean_cross_entropy() -> None:
    net, (image, label) = network(), example()
    bottleneck, skips = net.encode(image)
    drawn = [gaussian.mean + 1.0 for gaussian in net.prior(skips)]
    parts = net.partial_sums(bottleneck, drawn)
    torch.testing.assert_close(parts[0], net.decode(bottleneck, skips, drawn))
    assert all(part.shape == parts[0].shape for part in parts)
    posterior = net.posterior(image, label)
    net.posterior = lambda *_: [type(g)(g.mean, torch.full_like(g.mean, -30.0)) for g in posterior]  # type: ignore[method-assign,assignment]
    with_it, without = (
        net.elbo(image, label, ElboSettings(partial_weight=weight, kl_weight=0.0)).loss for weight in (0.5, 0.0)
    )
    sums = net.partial_sums(bottleneck, [gaussian.mean for gaussian in posterior])[1:]
    expected = torch.stack([cross_entropy(part, label) for part in sums]).mean()
    torch.testing.assert_close(with_it - without, 0.5 * expected, atol=1e-4, rtol=1e-4)


def test_a_network_whose_levels_do_not_add_up_has_no_partial_sums() -> None:
    net = LatentUNet(2, 1, 3, channels=CHANNELS)
    with pytest.raises(ValueError, match="partial_weight needs a network whose levels add up"):
        net.elbo(*example(), ElboSettings(partial_weight=0.1))


def test_the_mean_of_two_opposite_samples_is_undecided() -> None:
    sure = torch.tensor([20.0, -20.0]).reshape(1, 2, 1, 1).expand(1, 2, 2, 2)
    label = torch.tensor([[[0, 1], [1, 1]]])
    ce, dice = mean_fit(torch.stack([sure, -sure]).softmax(2), label)
    assert float(ce) == pytest.approx(math.log(2.0), abs=1e-5)
    # p = 1/2 everywhere, 1 and 3 pixels: 1 - 2 (1/2) / (1 + 1) and 1 - 2 (3/2) / (1 + 3)
    assert float(dice) == pytest.approx((0.5 + 0.25) / 2.0, abs=1e-5)


def test_the_energy_score_is_that_of_masks_and_least_for_samples_that_differ_as_readers_do() -> None:
    readers = torch.zeros(2, 1, 6, 6, dtype=torch.long)
    readers[0, 0, 1:3, 1:5] = 1  # 8 pixels
    readers[1, 0, 1:5, 1:5] = 1  # 16, which hold the 8
    first, second = (torch.nn.functional.one_hot(reader, 2).movedim(-1, 1).float() for reader in readers)

    def expected_over_readers(*samples: torch.Tensor) -> float:
        return sum(float(energy_score(torch.stack(samples), reader)) for reader in readers) / 2

    assert expected_over_readers(first, first) == pytest.approx(2 * 0.25)
    assert expected_over_readers(first, second) == pytest.approx(2 * 0.25 - 0.5)
    undecided = 0.5 * (first + second)
    assert expected_over_readers(undecided, undecided) > expected_over_readers(first, second)
    empty = torch.nn.functional.one_hot(torch.zeros(1, 6, 6, dtype=torch.long), 2).movedim(-1, 1).float()
    assert float(energy_score(torch.stack([empty, empty]), readers[0] * 0)) == pytest.approx(0.0, abs=1e-6)


def test_free_bits_may_differ_by_level_and_draws_from_the_prior_must_be_counted() -> None:
    net = network()
    settings = ElboSettings(kl_weight=1.0, free_bits=(900.0, 0.0, 0.0))
    terms = net.elbo(*example(), settings, generator=torch.Generator().manual_seed(4))
    expected = 0.4 * terms.ce + 0.5 * terms.dice + 900.0 + sum(terms.kl_per_level[1:])
    assert max(float(kl.detach()) for kl in terms.kl_per_level) < 900.0
    torch.testing.assert_close(terms.loss, expected)
    with pytest.raises(ValueError, match="2 free_bits for 3 levels"):
        net.elbo(*example(), ElboSettings(free_bits=(0.1, 0.1)))
    with pytest.raises(ValueError, match="prior_draws"):
        ElboSettings(prior_weight=1.0)
    with pytest.raises(ValueError, match="energy_weight of at least 2"):
        ElboSettings(energy_weight=1.0, prior_draws=1)


def test_samples_repeat_themselves_and_a_level_alone_leaves_the_others_at_their_mean() -> None:
    net, (image, _) = network(), example()
    torch.testing.assert_close(
        net.sample(image, 4, seed=5)[2], net.sample(image, 1, seed=5, first=2)[0], atol=0, rtol=0
    )
    torch.testing.assert_close(net.sample(image, 2, levels=[])[1], net(image).detach(), atol=1e-5, rtol=1e-5)
    alone = [net.sample(image, 1, levels=[level])[0] for level in range(3)]
    assert not torch.equal(alone[0], alone[2])
    bottleneck, skips = net.encode(image[:1])
    latents = [torch.randn(5, 1, *gaussian.mean.shape[2:]) for gaussian in net.prior(skips)]
    together = net.decode(bottleneck, skips, latents)
    apart = torch.cat([net.decode(bottleneck, skips, [z[k : k + 1] for z in latents]) for k in range(5)])
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-5)


def test_the_preset_fits_network_and_loss() -> None:
    chosen = preset("adding_levels")
    net = ResidualLatentUNet(2, 1, 3, channels=CHANNELS, **chosen.network)
    settings = ElboSettings(**chosen.elbo)
    assert net.elbo(*example(), settings).loss.requires_grad
    assert settings.level_weights(net.level_strides, 2) == pytest.approx((3.0, 0.75, 0.1875))


def test_a_network_without_posterior_cannot_be_trained_and_a_shared_one_does_not_exist() -> None:
    with pytest.raises(ValueError, match="no posterior"):
        network(posterior="none").elbo(*example())
    with pytest.raises(ValueError, match="posterior must be one of separate, none"):
        network(posterior="shared")
