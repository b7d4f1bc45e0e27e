"""The U-Net that every package of ours uses, in 2D and 3D, from MONAI's blocks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from monai.networks.nets.basic_unet import Down, TwoConv, UpCat
from torch import Tensor, nn

from .evidence_scale import EvidenceScale
from .initialisation import initialise

NORMS: dict[str, Any] = {
    "instance": ("instance", {"affine": True}),
    "batch": ("batch", {"affine": True}),
}


def block_options(norm: str, dropout: float) -> dict[str, Any]:
    """What every convolution block of ours has in common, as MONAI's arguments.

    Raises:
        ValueError: a norm that is not known.
    """
    if norm not in NORMS:
        raise ValueError(f"norm must be one of {sorted(NORMS)}, got {norm!r}")
    return {"act": ("relu", {"inplace": True}), "norm": NORMS[norm], "bias": True, "dropout": dropout}


class Encoder(nn.Module):
    """The descending half: two 3x3(x3) convolutions + norm + ReLU a level, max-pool between levels.

    Args: see ``UNet``.
    """

    def __init__(
        self, spatial_dims: int, in_channels: int, channels: Sequence[int], norm: str, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if len(channels) < 2:
            raise ValueError(f"channels needs at least two levels, got {tuple(channels)}")
        block = block_options(norm, dropout)
        self.channels = tuple(channels)
        self.stem = TwoConv(spatial_dims, in_channels, channels[0], **block)
        steps = pairwise(channels)
        self.down = nn.ModuleList(Down(spatial_dims, fine, coarse, **block) for fine, coarse in steps)

    @property
    def stride(self) -> int:
        """Spatial sizes must be multiples of this."""
        return int(2 ** len(self.down))

    def encode(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Bottleneck and skips, finest skip first."""
        features = [self.stem(image)]
        for block in self.down:
            features.append(block(features[-1]))
        return features[-1], features[:-1]


class UNet(Encoder):
    """Encoder-decoder with skips: two 3x3(x3) convolutions + norm + ReLU a level, max-pool, transposed convolution.

    With ``channels=(32, 64, 128, 256, 512)``, ``norm="batch"`` and ``spatial_dims=2`` this is the published
    network of 7 765 508 parameters (1 channel to 4 classes). No activation at the end: see ``nn.evidential``.

    Args:
        spatial_dims: 2 or 3.
        in_channels: image channels.
        out_channels: classes, background included.
        channels: feature widths, finest level first; every further level halves the resolution.
        norm: ``"instance"`` (affine) or ``"batch"``.
        dropout: probability inside the convolution blocks.
        evidence_scale: add the evidence-scaling head, see ``evidence_scale``; evidence_context: its ``context``.

    Shapes:
        ``forward``: (B, in_channels, ...) -> (B, out_channels, ...), spatial sizes multiples of ``stride``.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        channels: Sequence[int] = (16, 32, 64, 128),
        norm: str = "instance",
        dropout: float = 0.0,
        evidence_scale: bool = False,
        evidence_context: int = 0,
    ) -> None:
        super().__init__(spatial_dims, in_channels, channels, norm, dropout)
        block = block_options(norm, dropout)
        steps = list(pairwise(channels))
        self.up = nn.ModuleList(
            UpCat(spatial_dims, coarse, fine, fine, upsample="deconv", is_pad=False, **block) for fine, coarse in steps
        )
        convolution = nn.Conv2d if spatial_dims == 2 else nn.Conv3d
        self.head = convolution(channels[0], out_channels, kernel_size=1)
        initialise(self)
        self.scale = None
        if evidence_scale:
            self.scale = EvidenceScale(spatial_dims, in_channels, channels[0], self.stride, context=evidence_context)

    def decode(self, bottleneck: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """The finest features from the bottleneck and the skips, finest skip first."""
        features = bottleneck
        for block, skip in zip(reversed(self.up), reversed(skips), strict=True):
            features = block(features, skip)
        return features

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, out_channels, ...)."""
        return self.with_factor(image)[0]

    def with_factor(self, image: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits, and the factor (B, 1, ...) by which the evidence-scaling head multiplied them; None without one."""
        bottleneck, skips = self.encode(image)
        features = self.decode(bottleneck, skips)
        logits: Tensor = self.head(features)
        if self.scale is None:
            return logits, None
        factor = self.scale(image, skips[0], features)
        return logits * factor, factor
