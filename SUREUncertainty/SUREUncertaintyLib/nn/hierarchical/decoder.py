"""One ascending level that takes a skip and its latent map."""

from __future__ import annotations

from typing import Any

from monai.networks.blocks.upsample import UpSample
from monai.networks.nets.basic_unet import TwoConv
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv3d


class LatentUp(nn.Module):
    """Upsample, join with skip and latent through a 1x1(x1) convolution (2 C + d -> C), then two 3x3(x3) convolutions.

    The convolution of the concatenation is computed as the sum of its three parts: features of one window then meet
    the latents of many samples by broadcasting, and what no latent has touched yet is computed once for all samples.
    """

    def __init__(self, spatial_dims: int, coarse: int, fine: int, latent_dim: int, block: dict[str, Any]) -> None:
        super().__init__()
        convolution = nn.Conv2d if spatial_dims == 2 else nn.Conv3d
        self._join = conv2d if spatial_dims == 2 else conv3d
        self._width = fine
        self.upsample = UpSample(spatial_dims, coarse, fine, 2, mode="deconv")
        self.fuse = convolution(2 * fine + latent_dim, fine, kernel_size=1)
        self.convs = TwoConv(spatial_dims, fine, fine, **block)

    def forward(self, features: Tensor, skip: Tensor, latent: Tensor) -> Tensor:
        """Features (B, C, ...) of this level; ``latent`` (B or N, d, ...), the others (B or 1, ...)."""
        joined: Tensor = self.convs(self.join(self.upsample(features), skip, latent))
        return joined

    def join(self, upsampled: Tensor, skip: Tensor, latent: Tensor) -> Tensor:
        """The 1x1 convolution of concat[upsampled, skip, latent]."""
        weight, width = self.fuse.weight, self._width
        shared = self._join(upsampled, weight[:, :width], self.fuse.bias) + self._join(
            skip, weight[:, width : 2 * width]
        )
        return shared + self._join(latent, weight[:, 2 * width :])
