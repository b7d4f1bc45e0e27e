"""Diagonal Gaussians over latent maps, their divergence, and the 1x1 convolution that predicts one from a skip."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

HEAD_STD = 0.02


@dataclass(frozen=True)
class Gaussian:
    """Independent normal distributions, one a location and channel: ``mean`` and ``log_std`` (B, d, ...)."""

    mean: Tensor
    log_std: Tensor

    @property
    def std(self) -> Tensor:
        """Standard deviation sigma, (B, d, ...)."""
        return self.log_std.exp()

    def draw(self, noise: Tensor) -> Tensor:
        """mean + sigma * noise: differentiable in both parameters (the reparametrised draw)."""
        return self.mean + self.std * noise


def kl_divergence(q: Gaussian, p: Gaussian) -> Tensor:
    """KL(q || p) in nats a location: ln(t/s) + (s^2 + (a-b)^2) / (2 t^2) - 1/2 for q = N(a, s^2), p = N(b, t^2)."""
    variance = (2.0 * p.log_std).exp()
    spread = (2.0 * q.log_std).exp() + (q.mean - p.mean) ** 2
    return p.log_std - q.log_std + spread / (2.0 * variance) - 0.5


class GaussianHead(nn.Module):
    """Mean and log sigma of ``latent_dim`` channels from a skip of ``channels``; float32 whatever comes in.

    Args:
        clamp: bounds of log sigma; None leaves it free, as in the released reference code.
    """

    def __init__(
        self, spatial_dims: int, channels: int, latent_dim: int = 1, clamp: tuple[float, float] | None = (-7.0, 3.0)
    ) -> None:
        super().__init__()
        convolution = nn.Conv2d if spatial_dims == 2 else nn.Conv3d
        self.clamp = clamp
        self.project = convolution(channels, 2 * latent_dim, kernel_size=1)
        nn.init.trunc_normal_(self.project.weight, std=HEAD_STD)
        nn.init.zeros_(torch.as_tensor(self.project.bias))

    def forward(self, skip: Tensor) -> Gaussian:
        """(B, channels, ...) to a Gaussian of (B, latent_dim, ...)."""
        mean, log_std = self.project(skip).float().chunk(2, dim=1)
        return Gaussian(mean, log_std if self.clamp is None else log_std.clamp(*self.clamp))
