"""The evidence-scaling head of a network that another program trained: the same head on features of any depth.

What it sees is found by position in the network's graph (``inference.graph_taps``): the network's answer, the input of
the last convolution, on the finest grid, and those of the last upsampling stages, on coarser ones. Of the answer it
sees how much the classes compete, and on which side of a boundary a voxel lies: a head that had to find that out from
the features found errors less well, and differed more from seed to seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv3d, interpolate

from .evidence_scale import EvidenceScale
from .losses.scaled_uncertainty import OutputKind, class_entropy, class_logarithms

ANSWER = 3
"""Channels that say what the network's answer is: entropy of the classes, its logarithm, probability of background."""
LIMIT = 4.0
"""Of |ln factor|: what lies beyond is no more certain or uncertain to anybody, only to float32."""


@dataclass(frozen=True)
class FrozenScaleShape:
    """Sizes of a head.

    Attributes:
        spatial_dims: 2 or 3.
        kind: how the network's outputs are read.
        in_channels: image channels.
        features: channels of the features on the finest grid.
        stages: channels of the coarser features, finest first.
        step: of the coarse grid along every axis, in voxels of the finest one.
        fine, coarse, context: as for ``EvidenceScale``.
    """

    spatial_dims: int
    kind: OutputKind
    in_channels: int
    features: int
    stages: tuple[int, ...]
    step: tuple[int, ...]
    fine: int = 8
    coarse: int = 8
    context: int = 8


class FrozenEvidenceScale(EvidenceScale):
    """The logarithm of the factor from the image, the answer, the finest features and those of coarser stages.

    Shapes:
        ``forward``: image (B, in_channels, ...), logits (B, channels, ...), features (B, features, ...), stages (B,
        channels, coarser ...) -> (B, 1, ...). A new head gives 0: the factor is 1.
    """

    def __init__(self, shape: FrozenScaleShape) -> None:
        nn.Module.__init__(self)
        self._step, self._kind = shape.step, shape.kind
        finest = shape.features + ANSWER
        seen = finest + shape.in_channels
        around = seen + shape.in_channels + sum(shape.stages)
        self._build(shape.spatial_dims, seen, around, shape.fine, shape.coarse, shape.context)
        for number, channels in enumerate((shape.in_channels, finest, *shape.stages)):
            form = (1, channels, *[1] * shape.spatial_dims)
            self.register_buffer(f"middle_{number}", torch.zeros(form))
            self.register_buffer(f"spread_{number}", torch.ones(form))

    def standardise(self, inputs: Sequence[Sequence[Tensor]]) -> None:
        """Take mean and spread of every channel from examples of all inputs, image first, each (B, channels, ...).

        Features of foreign networks come in any unit; the head starts from numbers about 1.
        """
        seen = [(image, *self._seen(image, *answer)) for image, *answer in inputs]
        for number, examples in enumerate(zip(*seen, strict=True)):
            flat = torch.cat([one.transpose(0, 1).flatten(1) for one in examples], 1)
            middle, spread = self.get_buffer(f"middle_{number}"), self.get_buffer(f"spread_{number}")
            middle.copy_(flat.mean(1).reshape(middle.shape))
            spread.copy_(flat.std(1).clamp(min=1e-3).reshape(spread.shape))

    def forward(self, image: Tensor, logits: Tensor, *features: Tensor) -> Tensor:  # type: ignore[override]
        """ln of the factor of every voxel's logits.

        What is linear happens where it is cheapest: mean and spread go into the weights of the first convolution, and
        what the coarse grid adds to the last layers is brought to the finest grid after its weights.
        """
        finest, *stages = self._seen(image, logits, *features)
        near = self._fine(torch.cat([finest, image], 1))
        pooled = torch.cat([self._standard(self._pooled(finest), 1), self._standard(self._pooled(image), 0)], 1)
        rough = self._pooled(self._rough(image)) / self.get_buffer("spread_0")
        coarser = [self._standard(self._onto(stage, pooled), number) for number, stage in enumerate(stages, 2)]
        around = self._around(torch.cat([pooled, rough, *coarser], 1))
        weight, bias = _weights(self.join)
        first, rest = weight.split([near.shape[1], around.shape[1]], 1)
        added = interpolate(self._convolve(around, rest, bias), size=image.shape[2:], mode=self._linear)
        joined = self.last(torch.relu(self._convolve(near, first, None) + added))
        log_factor: Tensor = LIMIT * torch.tanh(joined / LIMIT)
        return log_factor

    def _seen(self, image: Tensor, logits: Tensor, finest: Tensor, *stages: Tensor) -> tuple[Tensor, ...]:
        """Features and what the answer is, on the image's grid; coarser features as they are."""
        logarithms = class_logarithms(logits, self._kind)
        entropy = class_entropy(logarithms)[:, None]
        answer = entropy, entropy.log(), logarithms[:, :1].exp()
        return (torch.cat([self._onto(finest, image), *answer], 1), *stages)

    def _fine(self, seen: Tensor) -> Tensor:
        """The finest branch on features and image as they are."""
        weight, bias = _weights(self.fine)
        middle, spread = (
            torch.cat([self.get_buffer(f"{what}_1"), self.get_buffer(f"{what}_0")], 1) for what in ("middle", "spread")
        )
        scaled = weight / spread
        moved = bias - (scaled * middle).flatten(1).sum(1)
        near: Tensor = self.fine[1:](self._convolve(seen, scaled, moved))
        return near

    def _convolve(self, values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return conv2d(values, weight, bias) if values.ndim == 4 else conv3d(values, weight, bias)

    def _onto(self, features: Tensor, grid: Tensor) -> Tensor:
        """Features on the grid of another array; as they are where they lie there already."""
        same = features.shape[2:] == grid.shape[2:]
        return features if same else interpolate(features, size=grid.shape[2:], mode=self._linear)

    def _standard(self, values: Tensor, number: int) -> Tensor:
        return (values - self.get_buffer(f"middle_{number}")) / self.get_buffer(f"spread_{number}")


def _weights(layers: nn.Sequential) -> tuple[Tensor, Tensor]:
    """Kernel and bias of the first of some layers, a convolution."""
    return layers[0].get_parameter("weight"), layers[0].get_parameter("bias")
