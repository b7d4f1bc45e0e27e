"""A block of a scan as a network with a pipeline wants it: turned, cropped, normalised, resampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...core.volume import Volume
from ...packages.pipeline import Pipeline
from ..network_regions import Region
from .axes import ArrayAxes, Box, axes_of
from .cropping import box_around, nonzero_mask
from .normalising import normalise_channel
from .resampling import BackResampler, resample_image, resampled_shape, separate_axis

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the network sees, and the way back.

    Attributes:
        image: (channels, ...) float32 on the network's grid.
        spacing: of the network's grid along its axes, mm.
        axes: the turn; box: what was cut out of the turned block.
        back: brings logits (C, ...) to the voxels of the box.
    """

    image: Float32
    spacing: tuple[float, float, float]
    axes: ArrayAxes
    box: Box
    back: BackResampler

    def with_image(self, image: Float32) -> Prepared:
        """The same with other intensities."""
        return replace(self, image=image)


def prepare(channels: Sequence[Volume], region: Region, pipeline: Pipeline) -> Prepared:
    """Prepare a region of the channels' common grid; steps in the order of ``Pipeline``.

    Raises:
        InputError: a channel whose values cannot be what it says.
    """
    axes = axes_of(region.grid, pipeline)
    turned = np.stack([axes.forward(volume.array[region.slices]).astype(np.float32) for volume in channels])
    mask = nonzero_mask(turned)
    box = box_around(mask)
    image, mask = turned[(slice(None), *box)], mask[box]
    for channel, entry in zip(image, pipeline.channels, strict=True):
        normalise_channel(channel, mask, entry.normalisation, entry.name)
    stored = axes.spacing(region.grid.spacing_kji)
    wanted = _wanted(stored, pipeline)
    shape = resampled_shape(mask.shape, stored, wanted)
    if min(shape) < 1:
        raise InputError("The scan is thinner than half a voxel of the model. Choose a scan with more slices.")
    there = separate_axis(pipeline.image, stored, wanted)
    onto = np.stack([resample_image(channel, shape, pipeline.image, there) for channel in image])
    back = BackResampler(shape, image.shape[1:], pipeline.logits, separate_axis(pipeline.logits, wanted, stored))
    return Prepared(onto, wanted, axes, box, back)


def channels_in_order(
    volume: Volume, others: Mapping[str, Volume], pipeline: Pipeline, model: str
) -> tuple[Volume, ...]:
    """The scan and the other channels in the order that the networks were trained with.

    Raises:
        InputError: a channel is missing, unknown, or on another grid than the scan.
    """
    names = [channel.name for channel in pipeline.channels]
    unknown = sorted(set(others) - set(names[1:]))
    if unknown:
        raise InputError(f"The model '{model}' takes no further image named '{unknown[0]}'. {_wants(names)}")
    missing = [name for name in names[1:] if name not in others]
    if missing:
        raise InputError(
            f"The model '{model}' wants {len(names)} images of one patient, and '{missing[0]}' was not given. "
            f"{_wants(names)}"
        )
    for name in names[1:]:
        if not others[name].grid.matches(volume.grid):
            raise InputError(
                f"The image '{name}' does not lie on the scan's grid (same size, spacing and position). "
                "Register and resample it to the scan first, for instance with Slicer's BRAINS or Elastix modules."
            )
    return (volume, *(others[name] for name in names[1:]))


def _wants(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"It takes the scan ('{names[0]}') alone."
    given = " ".join(f"--channel {name}=FILE" for name in names[1:])
    return (
        f"The scan is '{names[0]}'. The command line takes the others: sure segment SCAN {given}. "
        "Panel, page, evaluate and robustness run models of one image for now."
    )


def _wanted(stored: tuple[float, float, float], pipeline: Pipeline) -> tuple[float, float, float]:
    """The network's spacing; one that works slice by slice keeps the scan's distance between slices."""
    a, b, c = (stored[0], *pipeline.spacing) if len(pipeline.spacing) == 2 else pipeline.spacing
    return (a, b, c)
