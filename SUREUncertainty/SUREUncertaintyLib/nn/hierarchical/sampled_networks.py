"""The networks of ours that draw samples of a scan: those that a package may hold."""

from __future__ import annotations

from .latent_unet import LatentUNet
from .residual_unet import ResidualLatentUNet

SampledNetwork = LatentUNet | ResidualLatentUNet
