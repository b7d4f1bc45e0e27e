"""Networks that encode a window once and decode it many times: what an engine must offer for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...core.errors import PackageError
from ...nn.registry import LATENT_NETWORKS
from ...packages.metadata import PackageMetadata
from ..engine import Engine

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Encoding:
    """What a window's encoder says.

    Attributes:
        features: bottleneck, then skips, finest first, in the engine's own form.
        means, deviations: mu and sigma of the prior a level (B, latent_dim, ...), float32, finest first.
        bytes: memory that all of it takes.
    """

    features: tuple[Any, ...]
    means: tuple[Float32, ...]
    deviations: tuple[Float32, ...]
    bytes: int


class LatentEngine(Engine, Protocol):
    """Also runs the two halves of a network with latents; its logits are those with latents at their mean."""

    def encode(self, windows: Float32) -> Encoding:
        """The encoder on windows (B, channels, ...)."""
        ...

    def decode(self, encoding: Encoding, latents: Sequence[Float32]) -> Float32:
        """Logits (N, C, ...) for latents (N, latent_dim, ...) a level; any N where one window was encoded, else B."""
        ...


@dataclass(frozen=True)
class LatentLayout:
    """Where latents live: ``strides`` (k, j, i) of the image's voxels a location and level, finest first."""

    strides: tuple[tuple[int, int, int], ...]
    latent_dim: int
    multiple: tuple[int, int, int]
    planar: bool

    @property
    def levels(self) -> int:
        """Number of levels."""
        return len(self.strides)


def has_latents(metadata: PackageMetadata) -> bool:
    """Whether a package's network can be sampled."""
    return metadata.network in LATENT_NETWORKS


def latent_layout(metadata: PackageMetadata) -> LatentLayout:
    """The layout that follows from the network's arguments.

    Raises:
        PackageError: the package's network has no latents.
    """
    if not has_latents(metadata):
        raise PackageError(
            f"The model '{metadata.name}' has no decoder of its own and gives one answer only, no samples. "
            "Leave out the options about samples (samples, seed, levels), or choose a model with latents such as "
            "lung-nodule-ct."
        )
    levels = len(metadata.network_arguments["channels"]) - 1
    planar = len(metadata.patch) == 2
    return make_layout(levels, int(metadata.network_arguments.get("latent_dim", 1)), planar)


def make_layout(levels: int, latent_dim: int, planar: bool) -> LatentLayout:
    """Strides 1, 2, 4 ... of the U-Net's skips; windows must fit the bottleneck's stride 2^levels."""

    def along(stride: int) -> tuple[int, int, int]:
        return (1 if planar else stride, stride, stride)

    return LatentLayout(tuple(along(2**level) for level in range(levels)), latent_dim, along(2**levels), planar)
