"""How a package that was trained by another program wants its scans prepared, cut and read: one field a step.

Packages without a ``pipeline`` in ``configs/metadata.json`` work as this library's own do. Everything here is in the
order in which it happens; docs/foreign.md describes the fields.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Resampling:
    """Spline interpolation to another spacing.

    Attributes:
        order: of the spline, 0..5.
        order_z: of the spline along the thick axis when that is treated apart.
        separate_z: always, never, or (None) when voxels are more than ``threshold`` times as long as wide.
    """

    order: int
    order_z: int = 0
    separate_z: bool | None = None
    threshold: float = 3.0


@dataclass(frozen=True)
class ChannelNormalisation:
    """Intensities of one channel.

    Attributes:
        kind: ``"zscore"``; ``"ct"`` (clip to low..high, then ``mean`` and ``std``); ``"none"``; ``"unit"`` (0..1 by the
            extremes); ``"rgb"`` (divided by 255).
        masked: z-score over the voxels that are not zero, the others stay zero.
        low, high, mean, std: of ``"ct"``, in the scan's unit.
    """

    kind: str
    masked: bool = False
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    std: float = 1.0


@dataclass(frozen=True)
class Channel:
    """One input image; the first is the scan itself, the others are given by name."""

    name: str
    normalisation: ChannelNormalisation


@dataclass(frozen=True)
class Member:
    """One trained network of several: its ONNX graph and its weights, files inside the package."""

    name: str
    graph: str
    weights: str


@dataclass(frozen=True)
class Region:
    """One output channel of a network with overlapping regions; ``value`` is what it paints in the label map."""

    name: str
    value: int


@dataclass(frozen=True)
class Pipeline:
    """Every step from the stored voxels to the label map.

    Attributes:
        orientation: ``"native"``, axes as stored, or an anatomical code such as ``"RAS"`` of the axes (i, j, k).
        transpose: order of the array's axes (k, j, i) in which the network sees them; the fields below follow it.
        crop: ``"nonzero"``: to the box around all voxels that are not zero in any channel.
        spacing: mm a voxel; two numbers for a network that works slice by slice along the first axis.
        image, logits: resampling of the normalised image, and of the network's output back.
        step: share of a window by which the next one is moved at most; windows are spread evenly.
        mirror_axes: spatial axes along which mirrored passes are allowed, counted from 0.
        members: at least one network.
        channels: at least one input image.
        regions: output channels in the order in which they paint; empty for one class a voxel.
    """

    orientation: str
    transpose: tuple[int, int, int]
    crop: str
    spacing: tuple[float, ...]
    image: Resampling
    logits: Resampling
    step: float
    mirror_axes: tuple[int, ...]
    members: tuple[Member, ...]
    channels: tuple[Channel, ...]
    regions: tuple[Region, ...] = ()

    @property
    def mirrorings(self) -> tuple[tuple[int, ...], ...]:
        """Every combination of mirrored axes, none first."""
        found: tuple[tuple[int, ...], ...] = ((),)
        for axis in self.mirror_axes:
            found = (*found, *((*before, axis) for before in found))
        return tuple(sorted(found, key=lambda axes: (len(axes), axes)))

    @property
    def outputs(self) -> int:
        """Output channels of a network with regions; 0 where the labels say it."""
        return len(self.regions)


def to_document(pipeline: Pipeline) -> dict[str, Any]:
    """The ``pipeline`` object of ``configs/metadata.json``; ``pipeline_parsing.parse_pipeline`` reads it."""
    document = asdict(pipeline)
    return {
        "orientation": pipeline.orientation,
        "transpose": list(pipeline.transpose),
        "crop": pipeline.crop,
        "normalise": "before resampling",
        "spacing": list(pipeline.spacing),
        "resample": {"image": document["image"], "logits": document["logits"]},
        "tiles": "even",
        "step": pipeline.step,
        "blend": "gaussian",
        "blend_on": "logits",
        "mirror_axes": list(pipeline.mirror_axes),
        "members": list(document["members"]),
        "channels": list(document["channels"]),
        "regions": list(document["regions"]),
    }
