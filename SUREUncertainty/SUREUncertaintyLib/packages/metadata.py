"""The facts of a model package, as ``configs/metadata.json`` holds them and ``parsing.py`` checks them.

The format is described for people who make packages in ``docs/packages.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .locator import Locator

ENTROPY_THRESHOLD = 0.5
"""Normalised entropy above which a voxel counts as uncertain where nothing was fitted: about P = 0.89 of two classes."""


@dataclass(frozen=True)
class Code:
    """One coded concept: value, scheme, meaning; for instance ("10200004", "SCT", "Liver")."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Label:
    """One class. ``color`` is RGB in 0..1; category and type as Slicer's terminology wants them."""

    value: int
    name: str
    color: tuple[float, float, float] = (0.5, 0.5, 0.5)
    category: Code | None = None
    type: Code | None = None
    modifier: Code | None = None


@dataclass(frozen=True)
class Expected:
    """What the training data looked like; outside of it a run warns. Each is (low, high), extents and spacing in mm.

    ``volume_ml`` bounds each structure's volume by the label's name.
    ``contrast`` bounds intensity statistics that survive any scaling: keys are names of
    ``analysis.intensity_fingerprint`` measures, values are (low, high).
    """

    spacing_mm: tuple[float, float] | None = None
    extent_mm: tuple[float, float] | None = None
    contrast: dict[str, tuple[float, float]] = field(default_factory=dict)
    volume_ml: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class PackageMetadata:
    """``configs/metadata.json`` of a package: MONAI Bundle fields plus ours.

    Attributes:
        network: registry name and its arguments.
        head: ``"evidential"`` (softplus evidence) or ``"softmax"``.
        weights: safetensors file inside the package, or "" for a package that only has graphs.
        graphs: ONNX files by role; ``{"main": ...}`` or ``{"encoder": ..., "decoder": ...}``.
        orientation: anatomical code of the model's array axes (i, j, k), e.g. ``"RAS"``: i runs to the right.
        spacing: mm along (i, j, k), or None for a network that works in pixels.
        normalisation: ``{"kind": "zscore"}`` and its options.
        patch: window in the order of the array's axes (k, j, i); (j, i) for 2D networks, which run slice by slice.
        labels: every class, background first, in channel order.
        primary: the kind of uncertainty that ``uncertainty.nrrd`` holds; ``kinds`` are all that exist.
        threshold: uncertainty above which a voxel counts as uncertain.
        locator: how the structures are found in a whole scan, None for a model that searches itself or needs a box.
        raw: the whole JSON document.
    """

    name: str
    version: str
    task: str
    description: str
    modality: str
    network: str
    network_arguments: dict[str, Any]
    head: str
    weights: str
    graphs: dict[str, str]
    orientation: str
    spacing: tuple[float, float, float] | None
    normalisation: dict[str, Any]
    patch: tuple[int, ...]
    overlap: float
    labels: tuple[Label, ...]
    primary: str
    kinds: tuple[str, ...]
    threshold: float
    expected: Expected
    locator: Locator | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def foreground(self) -> tuple[Label, ...]:
        """The labels without background."""
        return tuple(label for label in self.labels if label.value != 0)

    @property
    def centred(self) -> bool:
        """Whether the model outlines one thing in the middle of a box, and sees one window there."""
        return self.raw.get("centred", False) is True

    @property
    def size_stretch(self) -> float:
        """How much wider than the middle 90 % of its samples' sizes the interval of a size is; 1 when not fitted."""
        return float(self.raw.get("uncertainty", {}).get("size_stretch", 1.0))

    @property
    def channels(self) -> int:
        """Number of input channels."""
        inputs = self.raw.get("network_data_format", {}).get("inputs", {})
        return int(inputs.get("image", {}).get("num_channels", 1))
