"""The hierarchical network: divergence, draws, levels, modes and sizes, against exact values."""

import math

import pytest
from needed_torch import torch
from SUREUncertaintyLib.arrays.noise import standard_noise
from SUREUncertaintyLib.nn.hierarchical.collapse_probe import collapse_warnings, probe_levels
from SUREUncertaintyLib.nn.hierarchical.decoder import LatentUp
from SUREUncertaintyLib.nn.hierarchical.elbo import level_divergences
from SUREUncertaintyLib.nn.hierarchical.elbo_settings import ElboSettings, elbo_level_weights
from SUREUncertaintyLib.nn.hierarchical.gaussian_head import Gaussian, GaussianHead, kl_divergence
from SUREUncertaintyLib.nn.hierarchical.latent_unet import LatentUNet
from SUREUncertaintyLib.nn.hierarchical.presets import preset
from SUREUncertaintyLib.nn.hierarchical.sample_fit import soft_dice_loss
from SUREUncertaintyLib.nn.unet import block_options

CHANNELS = (4, 6, 8)


def network(dims: int = 2, **arguments: object) -> LatentUNet:
    torch.manual_seed(0)
    return LatentUNet(dims, 1, 3, **{"channels": CHANNELS, **arguments}).eval()  # type: ignore[arg-type]


def normal(mean: float, variance: float) -> Gaussian:
    return Gaussian(torch.tensor(mean), torch.tensor(0.5 * math.log(variance)))


def example(dims: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    shape = (16, 24, 8)[:dims]
    image = torch.randn((2, 1, *shape), generator=generator)
    return image, torch.randint(0, 3, (2, *shape), generator=generator)


@pytest.mark.parametrize(
    ("q", "p", "expected"),
    [
        ((0, 1), (1, 1), 0.5),
        ((0, 1), (0, 4), 0.3181472),
        ((0, 4), (0, 1), 0.8068528),
        ((1, 0.25), (0, 1), 0.8181472),
        ((0, 1), (1, 0.25), 2.8068528),
        ((0.3, 2), (0.3, 2), 0.0),
    ],
)
def test_divergence_of_two_normal_distributions(
    q: tuple[float, float], p: tuple[float, float], expected: float
) -> None:
    assert float(kl_divergence(normal(*q), normal(*p))) == pytest.approx(expected, abs=1e-6)


def test_divergence_agrees_with_torch_distributions() -> None:
    generator = torch.Generator().manual_seed(2)
    q, p = (Gaussian(*torch.randn((2, 50), generator=generator)) for _ in range(2))
    oracle = torch.distributions.kl_divergence(
        torch.distributions.Normal(q.mean, q.std), torch.distributions.Normal(p.mean, p.std)
    )
    torch.testing.assert_close(kl_divergence(q, p), oracle)


@pytest.mark.parametrize("reparam", [True, False])
def test_the_task_trains_mean_and_sigma_only_through_a_reparametrised_draw(reparam: bool) -> None:
    net = network()
    net.elbo(*example(), ElboSettings(kl_weight=0.0, reparam=reparam)).loss.backward()
    for head in net.posterior_encoder.heads:
        gradient = head.project.weight.grad
        size = 0.0 if gradient is None else float(gradient.abs().sum())
        assert (size > 0.0) is reparam


def test_without_any_spread_all_samples_equal_the_prior_mean() -> None:
    net = network(logsigma_clamp=None)
    for head in net.heads:
        torch.nn.init.constant_(head.project.bias[1:], -20.0)
        torch.nn.init.zeros_(head.project.weight[1:])
    image, _ = example()
    samples = net.sample(image, 4).softmax(2)
    torch.testing.assert_close(samples, net(image).detach().softmax(1).expand_as(samples), atol=1e-6, rtol=0)


def test_log_sigma_is_clamped_unless_told_otherwise() -> None:
    skip = torch.full((1, 4, 2, 2), 1000.0)
    for clamp, free in (((-7.0, 3.0), False), (None, True)):
        head = GaussianHead(2, 4, clamp=clamp)
        torch.nn.init.constant_(head.project.weight, 1.0)
        assert bool((head(skip).log_std > 3.0).all()) is free


def test_a_shared_encoder_that_sees_the_image_has_no_divergence_at_all() -> None:
    net = network(**preset("faithful_code").network)
    image, _ = example()
    prior, posterior = net.prior(net.encode(image)[1]), net.posterior_of(image)
    assert [kl.item() for kl in level_divergences(posterior, prior)] == [0.0, 0.0]


def test_levels_that_are_not_sampled_stay_at_their_mean() -> None:
    net = network()
    image, _ = example()
    none = net.sample(image, 3, levels=[])
    assert torch.equal(none[0], none[1])
    torch.testing.assert_close(none[0], net(image).detach())
    bottleneck, skips = net.encode(image)
    prior = net.prior(skips)
    fine = net.sample(image, 2, levels=[0])[1]
    coarse = net.sample(image, 2, levels=[1])[1]
    assert not torch.equal(fine, coarse)
    noise = torch.from_numpy(standard_noise((0,), 1, 0, prior[0].mean.shape))
    expected = net.decode(bottleneck, skips, [prior[0].draw(noise), prior[1].mean])
    torch.testing.assert_close(fine, expected.detach())


@pytest.mark.parametrize(
    ("levels", "count", "message"), [([2], 1, "level 2 does not exist"), ("all", 0, "at least one")]
)
def test_impossible_samples_are_named(levels: list[int], count: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network().sample(example()[0], count, levels=levels)  # type: ignore[arg-type]


def test_one_encoding_is_decoded_as_the_full_pass_and_meets_many_latents_by_broadcasting() -> None:
    net = network()
    image, _ = example()
    calls = []
    net.stem.register_forward_hook(lambda *_: calls.append(1))
    samples = net.sample(image[:1], 5, seed=3)
    assert len(calls) == 1
    bottleneck, skips = net.encode(image[:1])
    generator_free = [net.sample(image[:1], 1, seed=3, first=k)[0] for k in range(5)]
    torch.testing.assert_close(samples, torch.stack(generator_free), atol=1e-6, rtol=0)
    latents = [torch.randn(5, 1, *g.mean.shape[2:]) for g in net.prior(skips)]
    together = net.decode(bottleneck, skips, latents)
    apart = torch.cat([net.decode(bottleneck, skips, [z[k : k + 1] for z in latents]) for k in range(5)])
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-5)


def test_the_join_equals_the_convolution_of_the_concatenation() -> None:
    block = LatentUp(2, 6, 4, 2, block_options("instance", 0.0))
    up, skip, latent = torch.randn(3, 4, 5, 5), torch.randn(3, 4, 5, 5), torch.randn(3, 2, 5, 5)
    torch.testing.assert_close(block.join(up, skip, latent), block.fuse(torch.cat([up, skip, latent], 1)))


def test_latents_of_a_swin_like_pyramid_and_the_parameters_they_add() -> None:
    widths, sides = (96, 192, 384), (56, 28, 14)
    heads = [GaussianHead(2, width) for width in widths]
    latents = [h(torch.randn(1, w, s, s)).mean for h, w, s in zip(heads, widths, sides, strict=True)]
    assert [tuple(z.shape) for z in latents] == [(1, 1, 56, 56), (1, 1, 28, 28), (1, 1, 14, 14)]
    assert sum(z.numel() for z in latents) == 4116
    block = block_options("instance", 0.0)
    fuse = [[LatentUp(2, 2 * w, w, d, block).fuse.weight.numel() for w in widths] for d in (0, 1)]
    added = sum(fuse[1]) - sum(fuse[0])
    assert sum(p.numel() for head in heads for p in head.parameters()) == 1350
    assert added + 1350 == 2022


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_sampling_changes_no_buffer_and_ignores_the_global_generator(norm: str) -> None:
    net = network(norm=norm)
    image, _ = example()
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    torch.manual_seed(1)
    first = net.sample(image, 3, seed=9)
    torch.manual_seed(2)
    torch.testing.assert_close(net.sample(image, 1, seed=9, first=2)[0], first[2], atol=0, rtol=0)
    assert all(torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())


def test_the_noise_channel_control_has_no_posterior_and_no_divergence() -> None:
    control, ours = network(latent_mode="noise"), network()
    assert not [name for name, _ in control.named_parameters() if "posterior" in name or "heads" in name]
    terms = control.elbo(*example())
    assert "kl_0" not in terms.logged()
    decoder = {n: p.shape for n, p in ours.named_parameters() if n.startswith(("up", "head."))}
    assert decoder == {n: p.shape for n, p in control.named_parameters() if n.startswith(("up", "head."))}
    samples = control.sample(example()[0], 2)
    assert not torch.equal(samples[0], samples[1])


def test_latents_switched_off_are_a_latent_channel_of_zeros() -> None:
    off, ours = network(latent_mode="off"), network()
    off.load_state_dict({k: v for k, v in ours.state_dict().items() if k in off.state_dict()})
    image, _ = example()
    bottleneck, skips = ours.encode(image)
    zeros = [torch.zeros_like(g.mean) for g in ours.prior(skips)]
    assert torch.equal(off(image), ours.decode(bottleneck, skips, zeros))
    assert torch.equal(off.sample(image, 2)[1], off(image))


@pytest.mark.parametrize(
    ("dims", "expected"), [(2, (0.025, 0.00625, 0.0015625)), (3, (0.4 / 64, 0.4 / 512, 0.4 / 4096))]
)
def test_level_weights_of_the_evidence_lower_bound(dims: int, expected: tuple[float, ...]) -> None:
    assert elbo_level_weights((4, 8, 16), dims, 0.4) == pytest.approx(expected)


def test_the_loss_is_its_weighted_parts() -> None:
    net = network()
    settings = ElboSettings(kl_weight=0.3, kl_level_weights=(1.0, 2.0), kl_warmup_epochs=10.0, free_bits=0.5)
    generator = torch.Generator().manual_seed(4)
    terms = net.elbo(*example(), settings, epoch=5.0, generator=generator)
    floored = [max(float(kl), 0.5) for kl in terms.kl_per_level]
    expected = 0.4 * terms.ce + 0.5 * terms.dice + 0.15 * (floored[0] + 2.0 * floored[1])
    assert float(terms.loss) == pytest.approx(float(expected), rel=1e-6)
    assert min(float(kl) for kl in terms.kl_per_level) < 0.5


def test_dice_loss_of_a_perfect_and_of_an_even_prediction() -> None:
    target = torch.tensor([[[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]])
    assert float(soft_dice_loss(target, target)) == pytest.approx(0.0, abs=1e-6)
    assert float(soft_dice_loss(torch.full_like(target, 0.5), target)) == pytest.approx(1.0 - 2.0 * 1.0 / 3.0)


@pytest.mark.parametrize("dims", [2, 3])
def test_shapes_in_two_and_three_dimensions(dims: int) -> None:
    net = network(dims, channels=(4, 4, 4, 4), latent_dim=2)
    image, label = example(dims)
    assert net(image).shape == (2, 3, *image.shape[2:])
    posterior = net.posterior(image, label)
    assert [tuple(g.mean.shape) for g in posterior] == [
        (2, 2, *(n // 2**level for n in image.shape[2:])) for level in range(3)
    ]
    assert net.reconstruct(image, label).shape == (2, 3, *image.shape[2:])


def test_the_posterior_sees_image_and_label_and_the_released_form_class_numbers() -> None:
    image, label = example()
    ours = network()
    changed = [ours.posterior(image + 1.0 * image**2, label)[0].mean, ours.posterior(image, 2 - label)[0].mean]
    assert all(not torch.equal(ours.posterior(image, label)[0].mean, other) for other in changed)
    released = network(**preset("faithful_code").network)
    assert torch.equal(released.posterior(image * 2, label)[0].mean, released.posterior(image, label)[0].mean)
    assert not hasattr(released, "posterior_encoder")


def test_a_network_without_posterior_cannot_be_trained_and_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="no posterior"):
        network(posterior="none").elbo(*example())
    with pytest.raises(ValueError, match="posterior_input='label'"):
        network(posterior="shared")
    with pytest.raises(ValueError, match="latent_mode must be one of"):
        network(latent_mode="maybe")
    with pytest.raises(ValueError, match="unknown preset"):
        preset("best")


def test_the_probe_flags_a_constant_prior_and_says_which_levels_are_dead() -> None:
    net = network()
    for parameter in [*net.heads[1].parameters(), *net.posterior_encoder.heads[1].parameters()]:
        torch.nn.init.zeros_(parameter)
    torch.nn.init.normal_(net.heads[0].project.weight, std=1.0)
    probes = probe_levels(net, [example()])
    assert [probe.collapsed for probe in probes] == [False, True]
    assert probes[1].kl == pytest.approx(0.0, abs=1e-7)
    assert (probes[1].std, probes[1].std_spread) == (1.0, 0.0)
    assert "collapsed and add nothing: 1 " in collapse_warnings(probes)[0]
    assert "carry no information" in collapse_warnings(probes[1:])[0]
    assert collapse_warnings(probes[:1]) == ()
