"""How much evidence a voxel's logits are worth: a small head beside a segmentation network, for uncertainty alone.

All logits of a voxel are multiplied by the same factor exp(h) > 0, so that alpha = softplus(logit) + 1 keeps its order:
the segmentation stays exactly as it is, while vacuity and probabilities may follow what the image looks like there. A
temperature a voxel, as in local temperature scaling (Ding et al., ICCV 2021), here for Dirichlet evidence.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

COARSE = 4
"""The wider surroundings are seen at a quarter of the resolution: how noisy or blurred a place is."""


class EvidenceScale(nn.Module):
    """The factor exp(h) from the image, the finest features of both halves, and their surroundings.

    Args:
        spatial_dims: 2 or 3.
        in_channels: image channels.
        features: channels of the encoder's and of the decoder's finest features, each.
        stride: spatial sizes are multiples of this.
        context: features that are averaged over the whole window and seen by every voxel; 0 for none. Damage of the
            whole scan, as ghosts or stripes, is seen better there than in any place.

    Shapes:
        ``forward``: image (B, in_channels, ...), two times (B, features, ...) -> (B, 1, ...). A new head gives 1.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        features: int,
        stride: int,
        fine: int = 12,
        coarse: int = 8,
        context: int = 0,
    ) -> None:
        super().__init__()
        self._step = (min(COARSE, stride),) * spatial_dims
        self._build(spatial_dims, 2 * features + in_channels, 2 * features + 2 * in_channels, fine, coarse, context)

    def _build(self, spatial_dims: int, seen: int, around: int, fine: int, coarse: int, context: int) -> None:
        """The layers: ``seen`` channels on the finest grid, ``around`` on the coarse one."""
        convolution = nn.Conv2d if spatial_dims == 2 else nn.Conv3d
        self._mean = nn.AvgPool2d if spatial_dims == 2 else nn.AvgPool3d
        self._linear = "bilinear" if spatial_dims == 2 else "trilinear"
        self.fine = nn.Sequential(
            convolution(seen, fine, 1), nn.ReLU(), convolution(fine, fine, 3, padding=1), nn.ReLU()
        )
        self.coarse = nn.Sequential(
            convolution(around, coarse, 3, padding=1),
            nn.ReLU(),
            convolution(coarse, coarse, 3, padding=1),
            nn.ReLU(),
        )
        self.whole = nn.Sequential(convolution(coarse, context, 1), nn.ReLU()) if context else None
        self.join = nn.Sequential(convolution(fine + coarse + context, fine, 1), nn.ReLU())
        self.last = convolution(fine, 1, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor, encoded: Tensor, decoded: Tensor) -> Tensor:
        """The factor of every voxel's logits."""
        seen = torch.cat([decoded, encoded, image], 1)
        around = self._around(self._pooled(torch.cat([seen, self._rough(image)], 1)))
        around = interpolate(around, scale_factor=[float(step) for step in self._step], mode=self._linear)
        factor: Tensor = self.last(self.join(torch.cat([self.fine(seen), around], 1))).exp()
        return factor

    def _rough(self, image: Tensor) -> Tensor:
        """How much each voxel differs from the mean of its neighbours: noise and edges."""
        rough: Tensor = (image - self._mean(3, 1, 1, count_include_pad=False)(image)).abs()
        return rough

    def _pooled(self, values: Tensor) -> Tensor:
        """On the coarse grid."""
        pooled: Tensor = self._mean(self._step)(values)  # type: ignore[arg-type]
        return pooled

    def _around(self, pooled: Tensor) -> Tensor:
        """What the coarse grid says, with the mean over the whole window where there is a context."""
        around: Tensor = self.coarse(pooled)
        if self.whole is None:
            return around
        mean = self.whole(around).mean(tuple(range(2, around.ndim)), keepdim=True)
        return torch.cat([around, mean.expand(-1, -1, *around.shape[2:])], 1)
