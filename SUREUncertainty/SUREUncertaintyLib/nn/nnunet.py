"""nnU-Net's two networks in torch alone, with the names of their weights, so that trained state dicts fit strictly.

``PlainConvUNet`` and ``ResidualEncoderUNet`` as nnU-Net v2 plans them (Isensee et al., Nature Methods 18:203, 2021;
Isensee et al., MICCAI 2024, arXiv 2404.09556). A checkpoint names every tensor of a block twice and the encoder a
second time below the decoder; ``packages.nnunet.checkpoint`` leaves one name of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

CONVOLUTIONS: dict[int, Any] = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[int, Any] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
NORMS: dict[str, dict[int, Any]] = {
    "instance": {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d},
    "batch": {2: nn.BatchNorm2d, 3: nn.BatchNorm3d},
}
POOLS: dict[int, Any] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}
Sizes = Sequence[int]


@dataclass(frozen=True)
class BlockStyle:
    """What all blocks of a network have in common.

    Attributes:
        dimension: 2 or 3 spatial axes.
        bias: whether convolutions add one.
        eps: of the normalisation, which is affine.
        slope: of the leaky ReLU below zero.
        norm: "instance", or "batch" with the mean and variance of the training.
    """

    dimension: int
    bias: bool = True
    eps: float = 1e-5
    slope: float = 0.01
    norm: str = "instance"


class ConvBlock(nn.Module):
    """Convolution, normalisation and, unless it is the last before a sum, a leaky ReLU."""

    def __init__(
        self,
        style: BlockStyle,
        channels: tuple[int, int],
        kernel: Sizes,
        stride: Sizes,
        active: bool = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__()
        convolution, norm = CONVOLUTIONS[style.dimension], NORMS[style.norm][style.dimension]
        padding = tuple((size - 1) // 2 for size in kernel)
        self.conv = convolution(
            *channels, tuple(kernel), tuple(stride), padding, bias=style.bias if bias is None else bias
        )
        self.norm = norm(channels[1], eps=style.eps, affine=True)
        self.slope = style.slope if active else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, ...) to (B, out, ...)."""
        x = self.norm(self.conv(x))
        return x if self.slope is None else nn.functional.leaky_relu(x, self.slope)


class ConvStack(nn.Module):
    """Several blocks, the first of which may have a stride."""

    def __init__(self, style: BlockStyle, count: int, channels: tuple[int, int], kernel: Sizes, stride: Sizes) -> None:
        super().__init__()
        inner = (channels[1], channels[1])
        one = (1,) * style.dimension
        self.convs = nn.Sequential(
            ConvBlock(style, channels, kernel, stride),
            *(ConvBlock(style, inner, kernel, one) for _ in range(count - 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, ...) to (B, out, ...)."""
        found: Tensor = self.convs(x)
        return found


class ResidualBlock(nn.Module):
    """ResNet-D's basic block: the skip is averaged before its 1 x 1 convolution (He et al., CVPR 2019)."""

    def __init__(self, style: BlockStyle, channels: tuple[int, int], kernel: Sizes, stride: Sizes) -> None:
        super().__init__()
        one = (1,) * style.dimension
        self.conv1 = ConvBlock(style, channels, kernel, stride)
        self.conv2 = ConvBlock(style, (channels[1], channels[1]), kernel, one, active=False)
        skip: list[nn.Module] = []
        if any(step != 1 for step in stride):
            skip.append(POOLS[style.dimension](tuple(stride), tuple(stride)))
        if channels[0] != channels[1]:
            skip.append(ConvBlock(style, channels, one, one, active=False, bias=False))
        self.skip = nn.Sequential(*skip)
        self.slope = style.slope

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, ...) to (B, out, ...)."""
        return nn.functional.leaky_relu(self.conv2(self.conv1(x)) + self.skip(x), self.slope)


class ResidualStack(nn.Module):
    """Several residual blocks, the first of which may have a stride."""

    def __init__(self, style: BlockStyle, count: int, channels: tuple[int, int], kernel: Sizes, stride: Sizes) -> None:
        super().__init__()
        inner, one = (channels[1], channels[1]), (1,) * style.dimension
        first = ResidualBlock(style, channels, kernel, stride)
        self.blocks = nn.Sequential(first, *(ResidualBlock(style, inner, kernel, one) for _ in range(count - 1)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, ...) to (B, out, ...)."""
        found: Tensor = self.blocks(x)
        return found


class Encoder(nn.Module):
    """The descending half: one stage a resolution."""

    def __init__(self, stages: Sequence[nn.Module], stem: nn.Module | None = None) -> None:
        super().__init__()
        self.stages = nn.Sequential(*stages)
        if stem is not None:
            self.stem = stem

    def forward(self, x: Tensor) -> list[Tensor]:
        """Every stage's output, the coarsest last."""
        x = self.stem(x) if "stem" in self._modules else x
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


class Decoder(nn.Module):
    """The ascending half: a transposed convolution, the skip and a stack a resolution, then the classes.

    ``seg_layers`` holds the layers of deep supervision too, as checkpoints do; only the last one is used.
    """

    def __init__(
        self,
        style: BlockStyle,
        features: Sizes,
        kernels: Sequence[Sizes],
        strides: Sequence[Sizes],
        counts: Sizes,
        classes: int,
    ) -> None:
        super().__init__()
        transposed, convolution = TRANSPOSED[style.dimension], CONVOLUTIONS[style.dimension]
        one = (1,) * style.dimension
        ups, stacks, outputs = [], [], []
        for step, count in enumerate(counts, 1):
            below, skip, stride = features[-step], features[-(step + 1)], tuple(strides[-step])
            ups.append(transposed(below, skip, stride, stride, bias=style.bias))
            stacks.append(ConvStack(style, count, (2 * skip, skip), kernels[-(step + 1)], one))
            outputs.append(convolution(skip, classes, 1))
        self.transpconvs, self.stages = nn.ModuleList(ups), nn.ModuleList(stacks)
        self.seg_layers = nn.ModuleList(outputs)

    def forward(self, skips: Sequence[Tensor]) -> Tensor:
        """The encoder's outputs to logits (B, classes, ...) at full resolution."""
        x = skips[-1]
        for up, stack, skip in zip(self.transpconvs, self.stages, reversed(skips[:-1]), strict=True):
            x = stack(torch.cat((up(x), skip), 1))
        found: Tensor = self.seg_layers[-1](x)
        return found


class _UNet(nn.Module):
    """An encoder and a decoder."""

    encoder: Encoder
    decoder: Decoder

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, ...) to logits (B, classes, ...)."""
        found: Tensor = self.decoder(self.encoder(x))
        return found


class PlainConvUNet(_UNet):
    """nnU-Net's default network.

    Args:
        dimension: spatial axes; channels: input images; classes: output channels.
        features, kernels, strides, convolutions: one entry a stage, fine to coarse.
        decoder_convolutions: one entry a stage of the decoder, coarse to fine.
        bias, eps, slope, norm: see ``BlockStyle``.
    """

    def __init__(
        self,
        dimension: int,
        channels: int,
        classes: int,
        features: Sizes,
        kernels: Sequence[Sizes],
        strides: Sequence[Sizes],
        convolutions: Sizes,
        decoder_convolutions: Sizes,
        bias: bool = True,
        eps: float = 1e-5,
        slope: float = 0.01,
        norm: str = "instance",
    ) -> None:
        super().__init__()
        style = BlockStyle(dimension, bias, eps, slope, norm)
        widths = zip((channels, *features), features, strict=False)
        plan = zip(convolutions, widths, kernels, strides, strict=True)
        # a stage is a sequence in nnU-Net, as it may begin with a pooling layer; its weights are named so
        self.encoder = Encoder([nn.Sequential(ConvStack(style, *entry)) for entry in plan])
        self.decoder = Decoder(style, features, kernels, strides, decoder_convolutions, classes)


class ResidualEncoderUNet(_UNet):
    """nnU-Net's residual presets (M, L, XL).

    Args:
        blocks: residual blocks a stage; stem: features of the stem, the first stage's when None.
        others: as for ``PlainConvUNet``.
    """

    def __init__(
        self,
        dimension: int,
        channels: int,
        classes: int,
        features: Sizes,
        kernels: Sequence[Sizes],
        strides: Sequence[Sizes],
        blocks: Sizes,
        decoder_convolutions: Sizes,
        bias: bool = True,
        eps: float = 1e-5,
        slope: float = 0.01,
        stem: int | None = None,
        norm: str = "instance",
    ) -> None:
        super().__init__()
        style = BlockStyle(dimension, bias, eps, slope, norm)
        first = features[0] if stem is None else stem
        widths = zip((first, *features), features, strict=False)
        plan = zip(blocks, widths, kernels, strides, strict=True)
        entrance = ConvStack(style, 1, (channels, first), kernels[0], (1,) * dimension)
        self.encoder = Encoder([ResidualStack(style, *entry) for entry in plan], entrance)
        self.decoder = Decoder(style, features, kernels, strides, decoder_convolutions, classes)
