"""The facts of a model package, as ``configs/metadata.json`` holds them and ``metadata_parsing.py`` checks them.

The format is described for people who make packages in ``docs/packages.md``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..core.labels import Label
from ..core.latent_levels import carries_nothing
from .fitted_head import FittedHead
from .locator import Locator
from .pipeline import Pipeline
from .whole import Whole

ENTROPY_THRESHOLD = 0.5
"""Normalised entropy above which a voxel counts as uncertain where nothing is fitted: about P = 0.89 of two classes."""


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


TUNING_DICE = "tuning_dice"
"""In the section ``training`` of the metadata; null where no scan was set aside."""


@dataclass(frozen=True)
class TrainingRecord:
    """What a package says about how it came about, as far as programs ask for it.

    Attributes:
        training_ids, tuning_ids: the cases that it was trained, and tuned, on; empty where it does not say.
        tuning_dice: mean Dice over set-aside scans and structures; None without any.
        start: the package whose weights it began with; None for fresh ones.
        licence: of the data.
    """

    training_ids: tuple[str, ...] = ()
    tuning_ids: tuple[str, ...] = ()
    tuning_dice: float | None = None
    start: Mapping[str, Any] | None = None
    licence: str = ""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> TrainingRecord:
        """From the whole document of a package, checked or not."""
        found = document.get("training")
        record = found if isinstance(found, Mapping) else {}
        trained, tuned = (tuple(str(name) for name in record.get(key, ())) for key in ("training_ids", "tuning_ids"))
        dice = record.get(TUNING_DICE)
        known = float(dice) if isinstance(dice, int | float) and math.isfinite(dice) else None
        return cls(trained, tuned, known, record.get("start"), str(record.get("licence") or ""))

    @property
    def seen(self) -> frozenset[str]:
        """Every case that the weights or the settings know."""
        return frozenset((*self.training_ids, *self.tuning_ids))


@dataclass(frozen=True)
class Cavity:
    """The beating cavity that a model of the heart outlines (``analysis.ejection_fraction``).

    Attributes:
        value: its label.
        outline_factor: fitted on tuning patients, for the interval of the ejection fraction; NaN where it was not.
    """

    value: int
    outline_factor: float = math.nan


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
        cavity: for models of the beating heart, whose scans over time give an ejection fraction; None for all others.
        pipeline: the steps of a network that another program trained; None for those of this library.
        wholes: what several of its structures make up together.
        locator: how the structures are found in a whole scan, None for a model that searches itself or needs a box.
        fitted: the head that ``sure fit`` added; None without one.
        raw: the whole JSON document, for whoever writes or prints it; facts are read by the attributes here.
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
    cavity: Cavity | None = None
    pipeline: Pipeline | None = None
    locator: Locator | None = None
    wholes: tuple[Whole, ...] = ()
    fitted: FittedHead | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def foreground(self) -> tuple[Label, ...]:
        """The labels without background."""
        return tuple(label for label in self.labels if label.value != 0)

    @property
    def source_program(self) -> str:
        """The program that trained the network, "" for those of this library."""
        return str((self.raw.get("source") or {}).get("program", ""))

    @property
    def centred(self) -> bool:
        """Whether the model outlines one thing in the middle of a box, and sees one window there."""
        return self.raw.get("centred", False) is True

    @property
    def one_piece(self) -> bool:
        """Whether each structure is one piece, so that of several the largest is kept (``inference.one_piece``)."""
        return self.raw.get("one_piece", False) is True

    @property
    def size_stretch(self) -> float:
        """How much wider than the middle 90 % of its samples' sizes the interval of a size is; 1 when not fitted."""
        return float(self.raw.get("uncertainty", {}).get("size_stretch", 1.0))

    @property
    def sample_temperature(self) -> float:
        """What the logits of a sample are divided by (``SampleSource``); 1 when not fitted."""
        return float(self.raw.get("uncertainty", {}).get("sample_temperature", 1.0))

    @property
    def volume_probability(self) -> float | None:
        """The fitted q of the range of a volume, which is that of P > q to P > 1 - q; None when not fitted."""
        found = self.raw.get("uncertainty", {}).get("volume_probability")
        return None if found is None else float(found)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What every run of the model has to say about its uncertainty."""
        return tuple(str(text) for text in self.raw.get("uncertainty", {}).get("warnings", ()))

    @property
    def silent_levels(self) -> frozenset[int] | None:
        """Latent levels that carry nothing, by the probe on tuning cases; None for a package that was not probed."""
        probe = self.raw.get("uncertainty", {}).get("probe")
        return None if not probe else frozenset(int(level["level"]) for level in probe if carries_nothing(level))

    @property
    def intended_use(self) -> str:
        """What it was made for; empty where it does not say."""
        return str(self.raw.get("intended_use", ""))

    @property
    def limits(self) -> str:
        """What it cannot do; empty where it does not say."""
        return str(self.raw.get("limits", ""))

    @property
    def licence(self) -> str:
        """Of the training data, of weights that other people trained, or the copyright."""
        return self.training.licence or str(self.raw.get("licence") or self.raw.get("copyright", "not given"))

    @property
    def reference(self) -> Mapping[str, Any] | None:
        """Scans to compare a new one with, as ``analysis.difficulty_reference`` reads them; None without."""
        found = self.raw.get("reference")
        return found if isinstance(found, Mapping) else None

    @property
    def quality(self) -> Mapping[str, Any] | None:
        """How results are foretold, as ``analysis.quality.quality_model`` reads it; None without."""
        found = self.raw.get("quality")
        return found if isinstance(found, Mapping) else None

    @property
    def training(self) -> TrainingRecord:
        """How it came about."""
        return TrainingRecord.of(self.raw)

    def without_fit(self) -> PackageMetadata:
        """Without the threshold and the volume range that were fitted to another kind of uncertainty than entropy."""
        if self.primary == "entropy":
            return self
        fitted = self.raw.get("uncertainty", {})
        kept = {name: value for name, value in fitted.items() if name != "volume_probability"}
        return replace(self, threshold=ENTROPY_THRESHOLD, raw={**self.raw, "uncertainty": kept})

    def with_fitted_head(self) -> PackageMetadata:
        """As the maps of a run with the fitted head are read: by its threshold, without what other maps promised."""
        if self.fitted is None:
            return self
        fitted = self.raw.get("uncertainty", {})
        kept = {name: value for name, value in fitted.items() if name != "volume_probability"}
        raw = {**{key: value for key, value in self.raw.items() if key != "quality"}, "uncertainty": kept}
        return replace(self, threshold=self.fitted.threshold, raw=raw)

    @property
    def channels(self) -> int:
        """Number of input channels."""
        inputs = self.raw.get("network_data_format", {}).get("inputs", {})
        return int(inputs.get("image", {}).get("num_channels", 1))
