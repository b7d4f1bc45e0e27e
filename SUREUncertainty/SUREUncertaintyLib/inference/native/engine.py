"""Several networks and mirrored passes as one engine, with one network in memory at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...packages.pipeline import Member
from ..engine import NATIVE, Engine, unfactored
from .choice import MemberChoice, Pass, choose_passes

if TYPE_CHECKING:
    from ...packages.package import Package

Float32 = NDArray[np.float32]
OpenMember = Callable[["Package"], Engine]
"""Starts the engine of a package with one network."""


class MemberEngine:
    """Runs the chosen passes of a package that holds several networks.

    Args:
        package: one with a pipeline.
        open_member: starts an engine.
        estimator: name of the estimator, which says what passes there are; see ``choose_passes``.
        choice: the user's own choice of folds and mirrors.
        inner_passes: how many runs of a network stand behind one call of an engine that ``open_member`` starts.
        open_looking: starts the networks that say where the others look; as ``open_member`` when None.

    Raises:
        InputError: a fold that does not exist. EngineError: the first network cannot be started.
    """

    seed: int | None = None

    def __init__(
        self,
        package: Package,
        open_member: OpenMember,
        estimator: str = "native",
        choice: MemberChoice | None = None,
        inner_passes: int = 1,
        open_looking: OpenMember | None = None,
    ) -> None:
        pipeline = package.metadata.pipeline
        if pipeline is None:
            raise ValueError(f"the package {package.name} has no pipeline")
        self.package, self.pipeline, self.estimator = package, pipeline, estimator
        self.run = choose_passes(pipeline, estimator, choice or MemberChoice())
        self._open_member, self._inner_passes = open_member, inner_passes
        self._open_looking = open_looking or open_member
        fitted = package.metadata.fitted
        plain = estimator == NATIVE and len(self.run) == 1 and not self.run[0].mirrored
        self._fitted = fitted if plain and fitted is not None and fitted.member == self.run[0].member.name else None
        self._open: tuple[Member, Engine] = self._start(self.run[0].member)

    @property
    def passes(self) -> int:
        """Runs of a network a window."""
        return len(self.run) * self._inner_passes

    @property
    def scales(self) -> bool:
        """Whether the head of a fit reads this run: a single pass of the network that it was fitted to."""
        return self._fitted is not None

    @property
    def is_single(self) -> bool:
        """Whether there is one answer, instead of several that may disagree."""
        return len(self.run) == 1 or bool(self.pipeline.parts)

    @property
    def name(self) -> str:
        """``"torch"`` or ``"openvino"``."""
        return self._open[1].name

    @property
    def device(self) -> str:
        """Where it runs."""
        return self._open[1].device

    @property
    def threads(self) -> int | None:
        """CPU threads; None where nobody knows."""
        return self._open[1].threads

    @property
    def version(self) -> str:
        """Of the library that computes."""
        return self._open[1].version

    @property
    def precision(self) -> str:
        """Of the arithmetic."""
        return self._open[1].precision

    def fastest(self) -> MemberEngine:
        """The first network without mirrors, for previews; parts all run."""
        if self.pipeline.parts or self.scales:
            return self
        return MemberEngine(self.package, self._open_member, "softmax")

    def where_to_look(self) -> MemberEngine:
        """The networks that say where the others look; the pipeline must have them."""
        crop = self.pipeline.crop_by
        assert crop is not None
        metadata = replace(self.package.metadata, pipeline=crop.pipeline, patch=crop.patch)
        return MemberEngine(replace(self.package, metadata=metadata), self._open_looking)

    def pass_logits(self, one: Pass, windows: Float32) -> Float32:
        """Logits (B, C, ...) of one pass for windows (B, channels, ...), on the voxels of the windows."""
        if self._open[0] != one.member:
            self._open = self._start(one.member)
        axes = tuple(axis + 2 for axis in one.mirrored)
        turned = np.ascontiguousarray(np.flip(windows, axes)) if axes else windows
        logits = self._open[1].logits(turned)
        return np.flip(logits, axes) if axes else logits

    def logits(self, windows: Float32) -> Float32:
        """Mean logits (B, C, ...) of all passes."""
        total = sum((self.pass_logits(one, windows) for one in self.run[1:]), self.pass_logits(self.run[0], windows))
        return np.asarray(total / np.float32(len(self.run)), dtype=np.float32)

    def factored(self, windows: Float32) -> tuple[Float32, Float32]:
        """As ``Engine``; imported networks have no evidence-scaling head."""
        return unfactored(self.logits(windows))

    def _start(self, member: Member) -> tuple[Member, Engine]:
        graphs = {"main": member.graph}
        own = replace(self.package.metadata, graphs=graphs, weights=member.weights, pipeline=None, fitted=self._fitted)
        return member, self._open_member(replace(self.package, metadata=own))
