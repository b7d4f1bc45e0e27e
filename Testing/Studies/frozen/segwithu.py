"""SegWithU's head, written anew from its paper and its published settings, for comparison only.

Fu, Wang, Chen, Aldave-Garza, Chen: SegWithU, arXiv 2604.15271 (2026). Tapped features are projected, resized and fused;
R probes of rank one answer each voxel; what they do to the logits is the epistemic part, a branch of its own the
aleatoric part. 1x1 convolutions make two maps of these: one tempers the logits, z / sqrt(1 + u_cal), one ranks errors.
It is trained with labels on intact scans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    interpolate,
    smooth_l1_loss,
    softplus,
)

PROBES, WIDTH, SIGMA, MARGIN = 8, 16, 0.1, 4.0
PAIRS, TAIL = 65536, 0.25
WEIGHTS = {"nll": 0.5, "errors": 0.25, "pairs": 0.25, "tail": 0.25, "trust": 0.05, "anchor": 0.05, "residual": 0.05}
"""Of the losses, as published."""


@dataclass(frozen=True)
class TwoMaps:
    """What the head says, each (B, 1, ...): ``tempering`` and ``ranking``; the rest is for its losses."""

    tempering: Tensor
    ranking: Tensor
    change: Tensor
    residual: Tensor
    anchor: Tensor
    weight: Tensor

    def tempered(self, logits: Tensor) -> Tensor:
        """The logits as they are calibrated."""
        return logits / torch.sqrt(1.0 + self.tempering).clamp(min=1.0)


class SegWithUHead(nn.Module):
    """See above.

    Args:
        dims: 2 or 3. channels: of the tapped features, finest first. classes: of the network.
    """

    def __init__(self, dims: int, channels: Sequence[int], classes: int) -> None:
        super().__init__()
        convolution = nn.Conv2d if dims == 2 else nn.Conv3d
        norm = nn.InstanceNorm2d if dims == 2 else nn.InstanceNorm3d
        self._mode = "bilinear" if dims == 2 else "trilinear"
        self.projections = nn.ModuleList(convolution(n, WIDTH, 1, bias=False) for n in channels)
        self.fusion = nn.Sequential(
            convolution(WIDTH * len(channels), WIDTH, 3, padding=1, bias=False),
            norm(WIDTH, affine=True),
            nn.GELU(),
            convolution(WIDTH, WIDTH, 3, padding=1, bias=False),
            norm(WIDTH, affine=True),
            nn.GELU(),
        )
        self.probe = convolution(WIDTH, PROBES, 1, bias=False)
        self.to_class = convolution(PROBES, classes, 1, bias=False)
        self.scale = nn.Parameter(torch.full((PROBES,), float(torch.expm1(torch.tensor(SIGMA)).log())))
        self.aleatoric = convolution(WIDTH, 1, 1)
        self.tempering = convolution(3, 1, 1)
        self.ranking = nn.Parameter(torch.tensor([1.0, 0.0, 0.0]))
        signs = torch.cos(torch.pi * torch.arange(1, PROBES + 1)[:, None] * (torch.arange(PROBES) + 0.5) / PROBES)
        self.register_buffer("signs", torch.where(signs >= 0, 1.0, -1.0))

    def forward(self, logits: Tensor, features: Sequence[Tensor]) -> TwoMaps:
        """Both maps from logits (B, C, ...) and the tapped features, finest first."""
        size = logits.shape[2:]
        near = [
            one if one.shape[2:] == size else interpolate(one, size=size, mode=self._mode)
            for one in (project(x) for project, x in zip(self.projections, features, strict=True))
        ]
        fused = self.fusion(torch.cat(near, 1))
        answer, ones = self.probe(fused), [1] * (logits.ndim - 2)
        sigma = softplus(self.scale).view(1, -1, *ones)
        change = self.to_class(sigma * answer)
        probability = logits.softmax(1)
        moved = torch.stack(
            [(logits + self.to_class(sigma * sign.view(1, -1, *ones) * answer)).softmax(1) for sign in self.signs]  # type: ignore[union-attr]
        )
        epistemic = moved.var(0, unbiased=False).sum(1, keepdim=True)
        residual = change.square().mean(1, keepdim=True)
        top = probability.topk(2, dim=1).values
        margin = (top[:, :1] - top[:, 1:]).detach()
        weight = torch.exp(-MARGIN * margin)
        aleatoric = softplus(self.aleatoric(fused))
        parts = [torch.log1p(epistemic + residual), torch.log1p(aleatoric), margin]
        entropy = -(probability * probability.clamp(min=1e-12).log()).sum(1, keepdim=True)
        anchor = torch.log1p(epistemic + residual) + entropy * weight
        first, second, third = self.ranking
        ranking = softplus(first * anchor + second * torch.log1p(aleatoric) + third)
        return TwoMaps(softplus(self.tempering(torch.cat(parts, 1))), ranking, change, residual, anchor, weight)


def segwithu_loss(maps: TwoMaps, logits: Tensor, label: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """Its losses by name, weighted as published; label (B, ...) integers."""
    wrong = (logits.argmax(1) != label).flatten()
    score = maps.ranking.flatten()
    ranked = (score - score.mean()) / (score.std(unbiased=False) + 1e-6)
    target = maps.anchor.detach().flatten()
    moved = (logits + maps.change).softmax(1) - logits.softmax(1)
    parts = {
        "nll": cross_entropy(maps.tempered(logits), label),
        "errors": binary_cross_entropy_with_logits(ranked, wrong.float()),
        "pairs": _pairs(ranked, wrong, generator),
        "tail": (torch.softmax(-score / TAIL, 0) * wrong).sum(),
        "trust": maps.change.square().mean() + 0.25 * moved.square().mean(),
        "anchor": smooth_l1_loss(ranked, (target - target.mean()) / (target.std(unbiased=False) + 1e-6)),
        "residual": ((1.0 - maps.weight) * maps.residual).mean(),
    }
    return {name: WEIGHTS[name] * part for name, part in parts.items()}


def _pairs(score: Tensor, wrong: Tensor, generator: torch.Generator) -> Tensor:
    positive, negative = (torch.nonzero(mask)[:, 0] for mask in (wrong, ~wrong))
    if not len(positive) or not len(negative):
        return score.sum() * 0.0
    first, second = (
        score[places[torch.randint(len(places), (PAIRS,), generator=generator)]] for places in (positive, negative)
    )
    return softplus(second - first).mean()
