"""How a package that was trained by another program wants its scans prepared, cut and read: one field a step.

Packages without a ``pipeline`` in ``configs/metadata.json`` work as this library's own do. Everything here is in the
order in which it happens; docs/foreign.md describes the fields.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Resampling:
    """Spline interpolation to another spacing.

    Attributes:
        order: of the spline, 0..5; with ``align`` ``"first"`` 0 or 1.
        order_z: of the spline along the thick axis when that is treated apart.
        separate_z: always, never, or (None) when voxels are more than ``threshold`` times as long as wide.
        align: ``"edges"``: both grids cover the same field of view (nnU-Net); ``"first"``: the middles of their first
            voxels coincide (MONAI); ``"ends"``: those of the first and of the last ones (TotalSegmentator).
        whole: whether values are cut off to whole numbers where anything was resampled (TotalSegmentator).
        keep: (low, high) as shares of the wanted spacing between which an axis keeps its own; () for never.
    """

    order: int
    order_z: int = 0
    separate_z: bool | None = None
    threshold: float = 3.0
    align: str = "edges"
    keep: tuple[float, ...] = ()
    whole: bool = False


LINEAR, NEAREST = (Resampling(order, separate_z=False, align="first") for order in (1, 0))
"""As MONAI's Spacing and its inverse do it."""


@dataclass(frozen=True)
class ChannelNormalisation:
    """One step of one channel's intensities.

    The kinds of nnU-Net: ``"zscore"``; ``"ct"`` (clip to low..high, then ``mean`` and ``std``); ``"none"``; ``"unit"``
    (0..1 by the extremes); ``"rgb"`` (divided by 255). The kinds of MONAI's transforms:

    ``"standardise"``: as z-score, but a constant is only centred; ``"shift"``: minus ``mean``, divided by ``std``;
    ``"range"``: low..high to ``to_low``..``to_high``, clipped where ``clip``; ``"extremes"``: the smallest and largest
    value to ``to_low``..``to_high``; ``"percentiles"``: clipped to the percentiles low..high; ``"sigmoid"``;
    ``"tanh"``: 3 tanh(x / 3).

    Attributes:
        masked: statistics are those of the voxels that are not zero, and the others stay zero.
        low, high, mean, std, to_low, to_high, clip: see above.
    """

    kind: str
    masked: bool = False
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    std: float = 1.0
    to_low: float = 0.0
    to_high: float = 1.0
    clip: bool = False


@dataclass(frozen=True)
class Channel:
    """One input image; the first is the scan itself, the others are given by name. Steps in their order."""

    name: str
    normalisation: tuple[ChannelNormalisation, ...]


@dataclass(frozen=True)
class Member:
    """One trained network of several: its ONNX graph and its weights ("" without), files inside the package."""

    name: str
    graph: str
    weights: str


@dataclass(frozen=True)
class Region:
    """One output channel of a network with overlapping regions.

    Attributes:
        value: what it paints in the label map.
        rank: regions of a higher rank paint over those of a lower one.
    """

    name: str
    value: int
    rank: int


@dataclass(frozen=True)
class LargestParts:
    """Of some labels only the largest connected parts stay; what is left becomes background.

    Attributes:
        labels: values; empty for every structure.
        together: the labels count as one thing, instead of one by one.
        connectivity: steps along axes by which neighbours may differ, 1..3.
        count: how many parts stay; 0 for any number.
        grid: ``"network"``: before the label map goes back to the scan; ``"scan"``: after it.
        above_mm3: parts that are not larger than this go too; on the network's grid only.
    """

    labels: tuple[int, ...]
    together: bool
    connectivity: int
    count: int
    grid: str
    above_mm3: float = 0.0


@dataclass(frozen=True)
class Part:
    """One network of several that find different structures in the same image; the later ones win where they overlap.

    Attributes:
        member: name of its ``Member``.
        normalisation: further steps of intensities, one list a channel.
        values: label value of every output channel, 0 for the background.
    """

    member: str
    normalisation: tuple[tuple[ChannelNormalisation, ...], ...]
    values: tuple[int, ...]


@dataclass(frozen=True)
class CropBy:
    """Another network, which says where in the scan the networks of a pipeline look (TotalSegmentator).

    Attributes:
        pipeline: of that network; it has parts.
        patch: its window.
        names, values: structures of its label map, around which the box lies.
        margin_mm: of the box on every side, rounded down to whole voxels. In the box, grey values are cut off to whole
            numbers.
    """

    pipeline: Pipeline
    patch: tuple[int, ...]
    names: tuple[str, ...]
    values: tuple[int, ...]
    margin_mm: float


NNUNET_ORDER = ("crop", "normalise", "resample")


@dataclass(frozen=True)
class Pipeline:
    """Every step from the stored voxels to the label map.

    Attributes:
        orientation: ``"native"``, axes as stored, or an anatomical code such as ``"RAS"`` of the axes (i, j, k).
        transpose: order of the array's axes (k, j, i) in which the network sees them; the fields below follow it.
        crop: ``"nonzero"``: to the box around all voxels that are not zero in any channel; ``"foreground"``: to that of
            all voxels above ``crop_above``, and ``crop_margin`` voxels more on every side; ``"scan"``: as foreground,
            of the first channel as it is stored; ``"none"``.
        order: of the three steps before the network.
        spacing: mm a voxel; two numbers for a network that works slice by slice along the first axis and keeps the
            distance of slices; () for a network that works in voxels as they are.
        image, logits: resampling of the image, and of the network's output back.
        read_on: what goes back to the scan's grid: ``"logits"``, ``"probability"``, or ``"labels"`` (the label map is
            made on the network's grid; maps go back as probabilities).
        labels: resampling of a label map that goes back; order 0, or 1 with halves rounded up.
        tiles: ``"even"``: spread evenly, at most ``step`` of a window apart; ``"monai"``: ``step`` of a window apart,
            the last one moved back; ``"whole"``: the image is one window.
        blend: ``"gaussian"`` or ``"constant"`` weights.
        pad: ``"zero"`` or ``"edge"``: what surrounds an image that is smaller than a window.
        mirror_axes: spatial axes along which mirrored passes are allowed, counted from 0.
        members: at least one network.
        channels: at least one input image.
        regions: output channels in the network's order; empty for one class a voxel.
        postprocessing: of the label map.
        parts: what each member finds, where they do not vote on the same structures but share them out.
        crop_by: where to look, before anything else; None for everywhere.
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
    order: tuple[str, ...] = NNUNET_ORDER
    crop_above: float = 0.0
    crop_margin: int = 0
    read_on: str = "logits"
    labels: Resampling = Resampling(0)
    tiles: str = "even"
    blend: str = "gaussian"
    pad: str = "zero"
    postprocessing: tuple[LargestParts, ...] = ()
    parts: tuple[Part, ...] = ()
    crop_by: CropBy | None = None

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
    document = asdict(replace(pipeline, crop_by=None))
    if pipeline.crop_by is not None:
        document["crop_by"] = {**asdict(pipeline.crop_by), "pipeline": to_document(pipeline.crop_by.pipeline)}
    resample = {name: _plain(document.pop(name)) for name in ("image", "logits", "labels")}
    kept = {key: _plain(value) for key, value in document.items() if key != "crop_by" or value}
    return {**kept, "resample": resample, "blend_on": "logits"}


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value
