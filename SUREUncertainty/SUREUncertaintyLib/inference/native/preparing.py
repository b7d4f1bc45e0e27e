"""A block of a scan as a network with a pipeline wants it: turned, cropped, normalised, resampled."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...core.volume import Volume
from ...packages.pipeline import Pipeline
from ..network_regions import Region
from .axes import ArrayAxes, Box, axes_of
from .cropping import crop_box, nonzero_mask
from .normalising import normalise_channel
from .resampling import (
    BackResampler,
    Shape,
    Spacing,
    as_float32,
    resample_image,
    resampled_shape,
    separate_axis,
    steps_between,
    wanted_spacing,
)

Float32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What the network sees, and the way back.

    Attributes:
        image: (channels, ...) float32 on the network's grid.
        spacing: of the network's grid along its axes, mm.
        axes: the turn; box: the part of the turned block that is analysed.
        back: brings outputs (C, ...) to the voxels of the box; back_labels: a label map (1, ...).
    """

    image: Float32
    spacing: tuple[float, float, float]
    axes: ArrayAxes
    box: Box
    back: BackResampler
    back_labels: BackResampler

    def with_image(self, image: Float32) -> Prepared:
        """The same with other intensities."""
        return replace(self, image=image)


def prepare(channels: Sequence[Volume], region: Region, pipeline: Pipeline, within: Box | None = None) -> Prepared:
    """Prepare a region of the channels' common grid; steps in the order of ``Pipeline``.

    Args:
        within: part of the region's block (k, j, i) that another network cut out (``Pipeline.crop_by``), where grey
            values are cut off to whole numbers; None for all of it.

    Raises:
        InputError: a channel whose values cannot be what it says.
    """
    axes = axes_of(region.grid, pipeline)
    turned = np.stack([axes.forward(volume.array[region.slices]).astype(np.float32) for volume in channels])
    making = _Making(turned, axes.spacing(region.grid.spacing_kji), pipeline)
    if within is not None:
        making.cut(axes.turned(within))
    for step in pipeline.order:
        making.take(step)
    box, back, back_labels = making.way_back()
    return Prepared(making.image, making.spacing, axes, box, back, back_labels)


class _Making:
    """An image on its way to the network; it remembers where it was cut and how it was resampled."""

    def __init__(self, image: Float32, spacing: Spacing, pipeline: Pipeline) -> None:
        self.image, self.spacing, self._pipeline = image, spacing, pipeline
        self._stored = spacing
        self._of_scan = crop_box(image[:1], pipeline) if pipeline.crop == "scan" else None
        self._before: Box = _whole(image.shape[1:])
        self._resampled: Shape | None = None
        self._after: Box | None = None

    def cut(self, box: Box) -> None:
        """Leave a box, before anything else, and the whole part of its values."""
        self.image, self._before = np.trunc(self.image[(slice(None), *box)]), box

    def take(self, step: str) -> None:
        """Do one of the steps of ``Pipeline.order``."""
        if step == "crop":
            self._crop()
        elif step == "normalise":
            self._normalise()
        else:
            self._resample()

    def _crop(self) -> None:
        if self._pipeline.crop == "none":
            return
        box = self._of_scan or crop_box(self.image, self._pipeline)
        self.image = self.image[(slice(None), *box)]
        if self._resampled is None:
            a, b, c = (
                slice(one.start + part.start, one.start + part.stop)
                for one, part in zip(self._before, box, strict=True)
            )
            self._before = (a, b, c)
        else:
            self._after = box

    def _normalise(self) -> None:
        self.image = np.ascontiguousarray(self.image)
        channels = self._pipeline.channels
        masked = any(one.masked and one.kind == "zscore" for channel in channels for one in channel.normalisation)
        mask = nonzero_mask(self.image) if masked else np.ones(self.image.shape[1:], bool)
        for channel, entry in zip(self.image, channels, strict=True):
            normalise_channel(channel, mask, entry.normalisation, entry.name)

    def _resample(self) -> None:
        settings, shape = self._pipeline.image, self.image.shape[1:]
        wanted = wanted_spacing(self._stored, self._pipeline, shape)
        onto = resampled_shape(shape, self._stored, wanted, settings.align)
        if min(onto) < 1:
            raise InputError("The scan is thinner than half a voxel of the model. Choose a scan with more slices.")
        apart = separate_axis(settings, self._stored, wanted)
        steps = steps_between(shape, onto, self._stored, wanted, settings.align)
        if not (settings.align == "ends" and as_float32(self._stored) == wanted):
            turn = self._pipeline.transpose
            made = [resample_image(channel, onto, settings, apart, steps, turn) for channel in self.image]
            self.image = np.stack(made)
        self.spacing, self._resampled = wanted, onto

    def way_back(self) -> tuple[Box, BackResampler, BackResampler]:
        """The part of the turned block that is analysed, and what brings outputs and label maps to its voxels."""
        assert self._resampled is not None  # every order has the step
        target = tuple(part.stop - part.start for part in self._before)
        pipeline = self._pipeline
        if pipeline.image.align == "edges":
            apart = separate_axis(pipeline.logits, self.spacing, self._stored)
            back = BackResampler.covering(self._resampled, target, pipeline.logits, apart)  # type: ignore[arg-type]
            return self._before, back, BackResampler.covering(self._resampled, target, pipeline.labels, apart)  # type: ignore[arg-type]
        steps = steps_between(self._resampled, target, self.spacing, self._stored, pipeline.image.align)
        ways = [
            BackResampler.from_first(self._resampled, target, settings, steps, self._after)  # type: ignore[arg-type]
            for settings in (pipeline.logits, pipeline.labels)
        ]
        (back, filled), (back_labels, _) = ways
        pairs = zip(self._before, filled, strict=True)
        a, b, c = (slice(one.start + two.start, one.start + two.stop) for one, two in pairs)
        return (a, b, c), back, back_labels


def _whole(shape: Sequence[int]) -> Box:
    return (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2]))


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
    given = " ".join(f"--channel {_for_a_shell(f'{name}=FILE')}" for name in names[1:])
    return (
        f"The scan is '{names[0]}'. On the command line the others are given by {given}, in a list of cases by columns "
        f"such as image_{names[1]}, in Slicer and on the page by a selector of that name."
    )


def _for_a_shell(text: str) -> str:
    return text if re.fullmatch(r"[\w.=:+-]+", text) else f'"{text}"'
