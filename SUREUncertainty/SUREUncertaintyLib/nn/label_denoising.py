"""Bounded label denoising: how far a label may be moved where a noise head thinks that it is wrong. Off by default.

y~ = clip(y - rho e_ic sigmoid(g), 0, 1), with g = f2(x) from a noise head of its own and e a learnable number a case
and class, standardised over the cases. The losses of the network see stop-grad(y~); head and table learn from a term of
their own. ``paper_clipped`` and ``readme`` are the forms of the source (Li, Liu, Jiao et al., CVPR 2026) and of its
code, for comparison only: the first leaves [0, 1] before clipping, the second never trains its head.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy

Mode = Literal["off", "bounded", "paper_clipped", "readme"]
MODES = ("off", "bounded", "paper_clipped", "readme")
LARGEST_RHO = 0.2
SMALL = 1e-6
HIDDEN = 8


class NoiseTable(nn.Module):
    """e: one learnable number a case and class; over the cases of each class mean 0 and variance 1, at every step."""

    def __init__(self, cases: int, classes: int, seed: int = 0) -> None:
        super().__init__()
        if cases < 2:
            raise ValueError(f"label denoising needs at least 2 cases, got {cases}")
        self.raw = nn.Parameter(torch.randn(cases, classes, generator=torch.Generator().manual_seed(seed)))

    def forward(self, cases: Tensor) -> Tensor:
        """(B, C) for case numbers (B,)."""
        return self.standardised()[cases]

    def standardised(self) -> Tensor:
        """(cases, C)."""
        centred = self.raw - self.raw.mean(0)
        return centred / centred.square().mean(0).add(1e-12).sqrt()


class NoiseHead(nn.Module):
    """f2: two convolutions from the image to one map a class; its last layer starts at zero, so sigmoid(g) = 0.5."""

    def __init__(self, spatial_dims: int, in_channels: int, classes: int) -> None:
        super().__init__()
        conv = nn.Conv3d if spatial_dims == 3 else nn.Conv2d
        self.first = conv(in_channels, HIDDEN, 3, padding=1)
        self.last = conv(HIDDEN, classes, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """(B, C, ...) for (B, channels, ...)."""
        return self.last(torch.relu(self.first(image)))  # type: ignore[no-any-return]


def denoised(target: Tensor, noise: Tensor, table: Tensor, mode: Mode = "off", rho: float = LARGEST_RHO) -> Tensor:
    """y~ (B, C, ...).

    Args:
        target: y, one-hot (B, C, ...). noise: g, same shape. table: e, (B, C).
        rho: at most 0.2, how far a label may move with |e| = 1.
    """
    if mode not in MODES:
        raise ValueError(f"denoising must be one of {', '.join(MODES)}, got {mode!r}")
    if not 0.0 <= rho <= LARGEST_RHO:
        raise ValueError(f"rho must lie in 0..{LARGEST_RHO}, got {rho}")
    if mode == "off":
        return target
    if mode == "readme":
        return (target - torch.sigmoid(noise) * target).detach()
    e = table.reshape(*table.shape, *[1] * (target.ndim - 2))
    moved = rho * e * torch.sigmoid(noise) if mode == "bounded" else e * noise
    return (target - moved).clamp(0.0, 1.0)


def denoising_loss(probability: Tensor, target: Tensor, moved: Tensor, anchor: float = 1.0) -> Tensor:
    """BCE of the network's probability (no gradient) against y~, plus ``anchor`` mean |y - y~|: for head and table."""
    guess = probability.detach().clamp(SMALL, 1.0 - SMALL)
    return binary_cross_entropy(guess, moved) + anchor * (target - moved).abs().mean()
