"""Where a network's own features lie in its graph: found by position, walking backwards from the output.

The input of the last convolution is what the network knows of a voxel before it decides. The inputs of the last
upsampling stages say what lies around it. No name is looked at: exporters and programs give them as they like.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..core.errors import InputError

CONVOLUTIONS = frozenset({"Convolution", "GroupConvolution"})
UPSAMPLING = frozenset({"ConvolutionBackpropData", "GroupConvolutionBackpropData", "Interpolate"})
PASSED_BY = frozenset({"Constant", "ShapeOf"})
"""What carries no features: weights, and the sizes of arrays."""
MOST_STAGES = 2
NO_FEATURES = (
    "The network of the model '{model}' has no features that a map of uncertainty could be read from: its output comes "
    "straight from the image. sure fit needs a network of several layers."
)


@dataclass(frozen=True)
class GraphTaps:
    """Names of tensors of the graph, as the graph itself has them.

    Attributes:
        answer: the logits; features: on the finest grid; stages: on coarser ones, finest first, up to ``MOST_STAGES``.
    """

    answer: str
    features: str
    stages: tuple[str, ...]

    @property
    def seen(self) -> tuple[str, ...]:
        """All features, finest first."""
        return (self.features, *self.stages)

    @property
    def names(self) -> tuple[str, ...]:
        """Answer and features: what a head reads after the image."""
        return (self.answer, *self.seen)


def find_taps(graph: Any, model: str) -> GraphTaps:
    """The taps of an ``openvino.Model`` whose first output are the logits.

    Raises:
        InputError: there is no layer before the last convolution.
    """
    last = _nearest(graph.outputs[0].get_node(), CONVOLUTIONS)
    source = None if last is None else last.input_value(0)
    if source is None or source.get_node().get_type_name() == "Parameter" or not _has_layer(source.get_node()):
        raise InputError(NO_FEATURES.format(model=model))
    stages: list[str] = []
    node = source.get_node()
    while len(stages) < MOST_STAGES and (up := _nearest(node, UPSAMPLING)) is not None:
        stages.append(name_of(up.input_value(0)))
        node = up.input_value(0).get_node()
    return GraphTaps(name_of(graph.outputs[0]), name_of(source), tuple(stages))


def name_of(output: Any) -> str:
    """One name of a tensor; a tensor that has none gets one from its place among the graph's nodes."""
    names = sorted(output.get_names())
    return str(names[0]) if names else f"{output.get_node().get_friendly_name()}:{output.get_index()}"


def output_named(graph: Any, name: str) -> Any:
    """The tensor of a name. Raises ``InputError`` where the graph has none."""
    for node in graph.get_ordered_ops():
        for output in node.outputs():
            if name in output.get_names() or name_of(output) == name:
                return output
    raise InputError(f"The network's graph has no tensor '{name}' any more. Fit the model again with sure fit.")


def _has_layer(node: Any) -> bool:
    kinds = CONVOLUTIONS | UPSAMPLING | {"MatMul"}
    return node.get_type_name() in kinds or _nearest(node, kinds) is not None


def _nearest(node: Any, kinds: frozenset[str]) -> Any | None:
    """The first node of some kinds on the way back to the image, breadth first."""
    for before in _backwards(node):
        if before.get_type_name() in kinds:
            return before
    return None


def _backwards(node: Any) -> Iterator[Any]:
    """Nodes before a node, nearest first; only along features."""
    seen, waiting = {node.get_friendly_name()}, deque([node])
    while waiting:
        current = waiting.popleft()
        values = current.input_values()
        # of an upsampling or a convolution only the first input holds features; the others are sizes and weights
        single = current.get_type_name() in CONVOLUTIONS | UPSAMPLING
        for value in values[:1] if single else values:
            before = value.get_node()
            name = before.get_friendly_name()
            if before.get_type_name() not in PASSED_BY and name not in seen:
                seen.add(name)
                yield before
                waiting.append(before)
