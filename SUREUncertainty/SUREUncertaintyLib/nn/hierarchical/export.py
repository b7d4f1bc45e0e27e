"""The two halves of the hierarchical network as ONNX graphs, so that a window is encoded once and decoded often."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..export import INPUT, OUTPUT, compile_graph, write_onnx
from .elbo import LatentNetwork


class EncoderGraph(nn.Module):
    """Image to bottleneck, the skips that the decoder reads, and mean and sigma of every level's prior."""

    def __init__(self, network: LatentNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """``bottleneck, skip_0 .., mean_0 .., deviation_0 ..``, finest level first."""
        bottleneck, skips = self.network.encode(image)
        prior = self.network.prior(skips)
        return (bottleneck, *skips[: self.network.decoder_skips], *(g.mean for g in prior), *(g.std for g in prior))


class DecoderGraph(nn.Module):
    """Bottleneck, skips and latents to logits."""

    def __init__(self, network: LatentNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, bottleneck: Tensor, *others: Tensor) -> Tensor:
        """``others``: skips, then latents, finest level first."""
        skips = self.network.decoder_skips
        return self.network.decode(bottleneck, others[:skips], others[skips:])


def export_halves(network: LatentNetwork, encoder: Path, decoder: Path, example_shape: Sequence[int]) -> None:
    """Write both graphs, float32, free batch and spatial sizes.

    The decoder's latents have a batch of their own: features of one window may meet the latents of many samples.

    Args:
        example_shape: (1, channels, ...) of one window.
    """
    image = torch.zeros(*example_shape)
    halves = EncoderGraph(network).eval(), DecoderGraph(network).eval()
    with torch.no_grad():
        found = halves[0](image)
    levels, skips = len(network.level_strides), network.decoder_skips
    features = ["bottleneck", *(f"skip_{level}" for level in range(skips))]
    prior = [f"{part}_{level}" for part in ("mean", "deviation") for level in range(levels)]
    latents = [f"latent_{level}" for level in range(levels)]
    dims = len(example_shape) - 2
    write_onnx(halves[0], encoder, (image,), [INPUT], [*features, *prior], _axes([INPUT, *features, *prior], dims))
    axes = _axes(features, dims) | _axes([*latents, OUTPUT], dims, "samples")
    write_onnx(halves[1], decoder, tuple(found[: 1 + skips + levels]), [*features, *latents], [OUTPUT], axes)


def halves_difference(
    network: LatentNetwork, encoder: Path, decoder: Path, windows: NDArray[np.float32], seed: int = 0
) -> float:
    """Largest difference of a class probability between torch and both graphs in OpenVINO, on one drawn sample."""
    graphs = compile_graph(encoder), compile_graph(decoder)
    found = [np.array(value) for value in graphs[0](windows).values()]
    levels, features = len(network.level_strides), 1 + network.decoder_skips
    generator = np.random.default_rng(seed)
    noise = [generator.standard_normal(mean.shape, dtype=np.float32) for mean in found[features : features + levels]]
    logits = torch.from_numpy(np.array(graphs[1]([*found[:features], *_drawn(found[features:], noise)])[0]))
    with torch.no_grad():
        parts = EncoderGraph(network).eval()(torch.from_numpy(windows))
        drawn = _drawn(parts[features:], [torch.from_numpy(field) for field in noise])
        expected = DecoderGraph(network).eval()(*parts[:features], *drawn)
    return float((logits.softmax(1) - expected.softmax(1)).abs().max())


def _drawn(prior: Sequence[Any], noise: Sequence[Any]) -> list[Any]:
    """mean + deviation * noise a level, from the means and the deviations of all levels."""
    levels = len(noise)
    return [mean + spread * field for mean, spread, field in zip(prior[:levels], prior[levels:], noise, strict=True)]


def _axes(names: Sequence[str], dims: int, batch: str = "batch") -> dict[str, dict[int, str]]:
    """Every tensor has spatial sizes of its own: levels differ."""
    return {name: {0: batch} | {axis + 2: f"{name}_size_{axis}" for axis in range(dims)} for name in names}
