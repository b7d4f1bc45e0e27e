"""The network that stays as it is: its answers and its features, window by window, from its graph in OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..arrays.heads import create_head, normalised_entropy
from ..core.errors import InputError
from ..inference.engine_choice import create_member_engine
from ..inference.graph_taps import GraphTaps, find_taps
from ..inference.native.choice import MemberChoice
from ..inference.native.engine import MemberEngine
from ..inference.native.reading import Reader, reader_of
from ..inference.openvino_engine import OpenVinoSettings
from ..inference.openvino_graph import HeadGraph, OpenVinoGraph, read_graph
from ..inference.sampling.encoding import has_latents
from ..nn.losses.scaled_uncertainty import OutputKind
from ..packages.package import Package
from ..packages.pipeline import Member

Float32 = NDArray[np.float32]

ALREADY = (
    "The model '{name}' has a head for its uncertainty already, trained with labels. sure fit is for networks that "
    "have none."
)
DRAWS = "The model '{name}' draws samples for its uncertainty; sure fit is for networks that give one answer."
PARTS = (
    "The networks of the model '{name}' share out the structures among one another, and their maps are joined "
    "afterwards; sure fit works on a network that answers by itself."
)


@dataclass(frozen=True, eq=False)
class Passed:
    """What the network says of windows: logits (B, C, ...) and its features, finest first, each (B, channels, ...)."""

    logits: Float32
    features: tuple[Float32, ...]


class FrozenNetwork:
    """One network of a package.

    Args:
        package: checked, without a fitted head.
        threads: of the processor; None leaves it to OpenVINO.

    Raises:
        InputError: a network that cannot be fitted; the sentence says why.
        EngineError: OpenVINO or the graph is missing.
    """

    def __init__(self, package: Package, threads: int | None = None) -> None:
        self.package = package
        self._threads = threads
        metadata = package.metadata
        if has_latents(metadata):
            raise InputError(DRAWS.format(name=metadata.name))
        if metadata.pipeline is not None and metadata.pipeline.parts:
            raise InputError(PARTS.format(name=metadata.name))
        self.member: Member | None = None if metadata.pipeline is None else metadata.pipeline.members[0]
        self._settings = OpenVinoSettings.create(threads=threads)
        graph = read_graph(self._settings.core, self.path, metadata.name)
        if len(graph.outputs) > 1:
            raise InputError(ALREADY.format(name=metadata.name))
        self.taps: GraphTaps = find_taps(graph, metadata.name)
        self._tapped = self._graph(tapped=self.taps.seen)

    @property
    def path(self) -> Path:
        """The ONNX file."""
        if self.member is None:
            return self.package.graph_path("main")
        return self.package.file_path(self.member.graph)

    @property
    def planar(self) -> bool:
        """Whether it works slice by slice."""
        return len(self.package.metadata.patch) == 2

    def run(self, windows: Float32) -> Passed:
        """Windows (B, channels, ...)."""
        logits, *features = self._tapped.run((windows,))
        return Passed(logits, tuple(features))

    def scaled_graph(self, head: Path) -> OpenVinoGraph:
        """The network with a head on it: logits and ln of the factor."""
        return self._graph(head=HeadGraph(head, self.taps.names))

    def plain_graph(self) -> OpenVinoGraph:
        """The network as it is."""
        return self._graph()

    def _graph(self, head: HeadGraph | None = None, tapped: Sequence[str] = ()) -> OpenVinoGraph:
        settings, name = self._settings, self.package.metadata.name
        return OpenVinoGraph(settings.core, self.path, settings.config, name, head, tapped)

    @cached_property
    def teachers(self) -> MemberEngine | None:
        """Every fold and mirrored pass; None where there is but one."""
        if self.member is None:
            return None
        engine = create_member_engine(self.package, "openvino", threads=self._threads, choice=MemberChoice())
        return None if engine.passes == 1 else engine

    def taught(self, windows: Float32) -> Float32 | None:
        """Mean probability of the classes (C, ...) over every fold and mirrored pass for one window (1, channels, ...).

        None where there is but one pass.
        """
        engine = self.teachers
        if engine is None:
            return None
        total: Float32 | None = None
        for one in engine.run:
            found = self.probability(np.ascontiguousarray(engine.pass_logits(one, windows)[0]))
            total = found if total is None else total + found
        assert total is not None  # an engine has passes
        return np.asarray(total / np.float32(len(engine.run)), dtype=np.float32)

    @cached_property
    def kind(self) -> OutputKind:
        """How the losses read its outputs."""
        metadata = self.package.metadata
        pipeline, count = metadata.pipeline, len(metadata.labels)
        if pipeline is None:
            return OutputKind("evidential" if metadata.head == "evidential" else "softmax", count)
        if not pipeline.regions:
            return OutputKind("softmax", count)
        positions = {label.value: number for number, label in enumerate(metadata.labels)}
        order = sorted(range(len(pipeline.regions)), key=lambda channel: pipeline.regions[channel].rank)
        values = tuple(positions[pipeline.regions[channel].value] for channel in order)
        return OutputKind("regions", count, tuple(order), values)

    @cached_property
    def _reader(self) -> Reader:
        return reader_of(self.package.metadata, activated=False)

    def labels(self, logits: Float32) -> NDArray[np.uint8]:
        """Position (...) in the package's labels of what wins, from logits (C, ...)."""
        if self.member is None:
            return logits.argmax(axis=0).astype(np.uint8)
        return self._reader.labels(logits)

    def probability(self, logits: Float32) -> Float32:
        """Of every class (C, ...), from logits."""
        if self.member is None:
            head = create_head(self.package.metadata.head)
            return head.probability(head.blended(logits))
        return self._reader.classes(self._reader.probability(logits))

    def uncertainty(self, logits: Float32, log_factor: Float32 | None = None) -> Float32:
        """The map (...) of logits (C, ...), as a run reads it; under a factor, ln of which is (...)."""
        scaled = logits if log_factor is None else logits * np.exp(log_factor)
        if self.kind.name == "evidential":
            head = create_head(self.package.metadata.head)
            return head.belief(head.blended(scaled)).uncertainty
        return normalised_entropy(self.probability(scaled))


def open_network(package: Package, threads: int | None = None) -> FrozenNetwork:
    """The network of a package, which may have been fitted before. Raises as ``FrozenNetwork``."""
    return FrozenNetwork(replace(package, metadata=replace(package.metadata, fitted=None)), threads)
