"""The inputs of one SURE step: clean, and twice the same patches of noise at two levels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..evidential import dirichlet
from .damaged_copies import damaged_copies
from .geometry import SampleGeometry
from .noise_fields import blurred_copies, kind_of_copies, noisy_copies, voxels_near
from .noise_patches import REFERENCE_SPREAD, draw_tiles, noisy_image, place_patches, sides_of
from .settings import BLURRED, DAMAGED, NOISY, SureSettings

HARD_LEVEL = 0.5
Forward = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class NoisyInputs:
    """Two noisy copies of a batch and the voxels at which they are read.

    Attributes:
        images: (B, channels, ...) at the first and at the second level.
        levels: both drawn once a batch.
        centres: (n, dims) int64 a sample, on the batch's device: patch centres, or voxels near a boundary.
        kind: whether they are noisy, blurred or damaged, see ``settings``.
    """

    images: tuple[Tensor, Tensor]
    levels: tuple[float, float]
    centres: list[Tensor]
    kind: str = NOISY

    @property
    def noisier(self) -> int:
        """Which copy, 0 or 1, has the higher level."""
        return int(self.levels[1] > self.levels[0])


@contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Batch normalisation uses the batch but does not remember it: noisy passes must not teach it noise."""
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    for module in norms:
        module.track_running_stats = False
    try:
        yield
    finally:
        for module in norms:
            module.track_running_stats = True


@torch.no_grad()
def hard_voxels(forward: Forward, image: Tensor, clean: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    """Voxels whose uncertainty does not rise under noise, (B, ...) bool: they break P2.

    ``kind="spread"``: a field of spread 0.5 an image. ``"mean"``: one field N(0.5, 0.3^2) for all images and channels,
    as the reference has it.
    """
    if kind == "spread":
        field = HARD_LEVEL * torch.randn(image.shape, generator=generator)
    else:
        field = HARD_LEVEL + REFERENCE_SPREAD * torch.randn(image.shape[2:], generator=generator)
    noisy = dirichlet(forward(image + field.to(image.device))).vacuity
    return noisy - clean <= 0


def noisy_inputs(
    image: Tensor,
    label: Tensor,
    hard: Tensor,
    geometries: Sequence[SampleGeometry | None],
    classes: int,
    spacing: Sequence[float] | None,
    settings: SureSettings,
    generator: torch.Generator,
) -> NoisyInputs:
    """Draw levels, places and noise, and put the noise in; ``hard`` is where patches are wanted."""
    rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    levels = (float(rng.uniform(0.0, settings.largest_level)), float(rng.uniform(0.0, settings.largest_level)))
    if settings.noise_place == "field":
        kind = kind_of_copies(settings, generator)
        if kind == DAMAGED:
            copies = damaged_copies(image, levels, spacing, rng)
        else:
            blurred = kind == BLURRED
            copies = blurred_copies(image, levels) if blurred else noisy_copies(image, levels, settings, generator)
        return NoisyInputs(copies, levels, [voxels_near(g, settings.points, generator) for g in geometries], kind)
    sides = sides_of(settings, spacing, label.ndim - 1)
    first, second, centres = [], [], []
    for x, y, h, geometry in zip(image, label, hard, geometries, strict=True):
        near = geometry.near.cpu().numpy() if geometry is not None else np.zeros(tuple(y.shape), dtype=bool)
        places = place_patches(y.cpu().numpy(), h.cpu().numpy(), near, classes, sides, settings.num_patch, rng)
        tiles = draw_tiles(len(places), x.shape[0], sides, generator).to(x)
        first.append(noisy_image(x, places, tiles, levels[0], settings.noise_kind))
        second.append(noisy_image(x, places, tiles, levels[1], settings.noise_kind))
        centres.append(torch.from_numpy(places).to(image.device))
    return NoisyInputs((torch.stack(first), torch.stack(second)), levels, centres)
