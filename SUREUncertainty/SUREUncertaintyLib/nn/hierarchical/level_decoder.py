"""A decoder that sees latents alone: the logits of each level are added to those of the coarser ones.

The sum over scales is that of C. Baumgartner et al., "PHiSeg: Capturing Uncertainty in Medical Image Segmentation",
MICCAI 2019, whose levels also build on the coarser ones'; here what a level adds is bounded, and no layer normalises.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

HEAD_STD = 0.02
MODES = {2: "bilinear", 3: "trilinear"}


class LevelDecoder(nn.Module):
    """h_l = conv(conv([z_l, up h_(l+1)])) and r_l = up r_(l+1) + B_l tanh(o(h_l) / B_l), from the coarsest level to 0.

    Without norm layers a latent moves the logits in its own surroundings only, ``reach`` pixels to each side whatever
    else is in view: windows of a stitched scan agree, and a fine level cannot act as a coarse one.

    Args:
        classes: channels of the logits.
        levels: number of levels, level 0 as fine as the image, each further one half as fine.
        width: channels of every h_l.
        bounds: B_l of every level, finest first: the most that a level adds to a logit. A fine level with a small one
            changes only what the coarser levels left open, the rim. None: no level is bounded.
    """

    def __init__(
        self,
        spatial_dims: int,
        classes: int,
        levels: int,
        latent_dim: int,
        width: int,
        bounds: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if bounds is not None and (len(bounds) != levels or min(bounds) <= 0.0):
            raise ValueError(f"level_bounds needs {levels} positive numbers, finest level first, got {list(bounds)}")
        self.spatial_dims, self.classes = spatial_dims, classes
        self.bounds = None if bounds is None else tuple(float(bound) for bound in bounds)
        inputs = [latent_dim + width] * (levels - 1) + [latent_dim]
        self.blocks = nn.ModuleList(_block(spatial_dims, channels, width) for channels in inputs)
        convolution = nn.Conv2d if spatial_dims == 2 else nn.Conv3d
        self.heads = nn.ModuleList(convolution(width, classes, kernel_size=1) for _ in inputs)
        for head in self.heads:
            nn.init.trunc_normal_(torch.as_tensor(head.weight), std=HEAD_STD)
            nn.init.zeros_(torch.as_tensor(head.bias))

    def forward(self, latents: Sequence[Tensor]) -> Tensor:
        """The sum of all levels (N, classes, ...), as fine as ``latents[0]``."""
        return self.sums(latents)[0]

    def sums(self, latents: Sequence[Tensor]) -> list[Tensor]:
        """The sum of the levels from the coarsest down to each, at that level's resolution, finest first.

        Args:
            latents: (N, latent_dim, ...) a level, finest first.
        """
        found: list[Tensor] = []
        features: Tensor | None = None
        for level in reversed(range(len(self.blocks))):
            latent = latents[level]
            joined = latent if features is None else torch.cat([latent, self.up(features)], 1)
            features = self.blocks[level](joined)
            added = self._bounded(self.heads[level](features), level)
            found.append(self.up(found[-1]) + added if found else added)
        return found[::-1]

    def up(self, values: Tensor, factor: int = 2) -> Tensor:
        """Twice as fine, linear in between."""
        return interpolate(values, scale_factor=float(factor), mode=MODES[self.spatial_dims], align_corners=False)

    def _bounded(self, logits: Tensor, level: int) -> Tensor:
        if self.bounds is None:
            return logits
        return self.bounds[level] * torch.tanh(logits / self.bounds[level])


def _block(spatial_dims: int, channels: int, width: int) -> nn.Sequential:
    convolution = nn.Conv2d if spatial_dims == 2 else nn.Conv3d
    first, second = convolution(channels, width, 3, padding=1), convolution(width, width, 3, padding=1)
    for layer in (first, second):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(torch.as_tensor(layer.bias))
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
