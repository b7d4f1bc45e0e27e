"""Class-logit networks: every model package of ours, and MONAI bundles that were imported.

Logits are stitched on the whole volume first, then each class gives one map: the mean of the scales of windows would
be another statistic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...arrays.slice_axis import slices_first
from ...core.checks import check_scan
from ...core.errors import InputError
from ...core.volume import Volume
from ...inference.engine import Engine, logits_and_own
from ...inference.network_regions import plan_regions, prepare_region
from ...inference.sampling.encoding import has_latents
from ...inference.windows import blend_windows
from ...packages.package_fingerprint import Fingerprint, package_fingerprint
from .extractor import ClassMap

if TYPE_CHECKING:
    from ...packages.package import Package

MEMORY_BYTES = 1 << 30
KIND = "class-logits"


@dataclass(frozen=True)
class ClassLogits:
    """One package on one engine. Needs no labels.

    Attributes:
        memory_bytes: bound on stitched logits held at once; with more, the network runs once a group of classes.
    """

    kind: ClassVar[str] = KIND
    needs_labels: ClassVar[bool] = False

    package: Package
    engine: Engine
    memory_bytes: int = MEMORY_BYTES

    def __post_init__(self) -> None:
        if has_latents(self.package.metadata):
            raise InputError(
                f"The model '{self.package.name}' answers with samples, not with one map a class. "
                "Choose a model without latents to score with."
            )
        if self.package.metadata.pipeline is not None:
            raise InputError(
                f"The model '{self.package.name}' was imported with the pipeline of another program, whose maps this "
                "measure was not made for. Choose a model of this library to score with."
            )

    @property
    def fingerprint(self) -> Fingerprint:
        """See ``package_fingerprint``."""
        return package_fingerprint(self.package)

    @property
    def centred(self) -> bool:
        """Whether the network sees a window around the middle of a box, and so more than a tight box holds."""
        return self.package.metadata.centred

    @property
    def known(self) -> dict[int, str]:
        """The package's structures."""
        return {label.value: label.name for label in self.package.metadata.foreground}

    def seen(self, case_id: str) -> bool:
        """Whether the package lists the case among those it was trained or tuned on."""
        return case_id in training_ids(self.package)

    def extract(self, scan: Volume, labels: Volume | None = None, case_id: str = "") -> Iterator[ClassMap]:
        """The foreground logits of the segmentation itself, a class at a time."""
        facts = self.package.metadata
        check_scan(scan, needs_3d=len(facts.patch) == 3)
        (region,) = plan_regions(scan.grid, facts)
        image = prepare_region(scan, region, facts)
        channels = [n for n, label in enumerate(facts.labels) if label.value != 0]
        for group in _groups(channels, self.memory_bytes // max(1, 4 * image.size)):
            logits = self._stitched(image, group)
            for number, channel in enumerate(group):
                yield ClassMap(facts.labels[channel].name, slices_first(logits[number], facts.orientation))
            del logits

    def _stitched(self, image: NDArray[np.float32], channels: Sequence[int]) -> NDArray[np.float32]:
        chosen = list(channels)
        facts = self.package.metadata
        return blend_windows(image, facts.patch, facts.overlap, lambda w: logits_and_own(self.engine, w)[1][:, chosen])


@dataclass(frozen=True)
class CrossFitted:
    """Fold models of one task: each scan is scored by a model that never saw it.

    Raises:
        InputError: no model, or models of different tasks.
    """

    kind: ClassVar[str] = KIND
    needs_labels: ClassVar[bool] = False

    folds: tuple[ClassLogits, ...]

    def __post_init__(self) -> None:
        names = {tuple(label.name for label in fold.package.metadata.labels) for fold in self.folds}
        if len(names) != 1:
            raise InputError("Cross-fitting needs at least one model, and all of them with the same structures.")

    @property
    def fingerprint(self) -> Fingerprint:
        """All folds together."""
        parts = [fold.fingerprint for fold in self.folds]
        name = "crossfit:" + "+".join(part.name.removeprefix("package:") for part in parts)
        return Fingerprint(name, "+".join(part.sha256 for part in parts), parts[0].preprocessing)

    @property
    def centred(self) -> bool:
        """See ``ClassLogits.centred``."""
        return self.folds[0].centred

    @property
    def known(self) -> dict[int, str]:
        """The folds' structures."""
        return self.folds[0].known

    def seen(self, case_id: str) -> bool:
        """Whether every fold has seen the case."""
        return all(fold.seen(case_id) for fold in self.folds)

    def extract(self, scan: Volume, labels: Volume | None = None, case_id: str = "") -> Iterator[ClassMap]:
        """The maps of the first fold that was not trained on the case.

        Raises:
            InputError: all of them were.
        """
        unseen = [fold for fold in self.folds if not fold.seen(case_id)]
        if not unseen:
            raise InputError(f"Every fold model was trained on the case '{case_id}', so none can judge it.")
        yield from unseen[0].extract(scan, labels, case_id)


def training_ids(package: Package) -> frozenset[str]:
    """Ids of the cases that the package was trained or tuned on, as its metadata says."""
    return package.metadata.training.seen


def _groups(channels: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    step = max(1, size)
    for start in range(0, len(channels), step):
        yield channels[start : start + step]
