"""One ONNX graph in OpenVINO, compiled once a set of input shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import EngineError
from ..core.openvino_import import import_openvino
from ..files.locales import decimal_points
from .graph_taps import output_named
from .one_value import LatestOutputs, is_repeatable, one_value

Float32 = NDArray[np.float32]
SHAPES_KEPT = 4


@dataclass(frozen=True)
class HeadGraph:
    """A graph whose inputs are the image and tensors ``taps`` of another graph."""

    path: Path
    taps: tuple[str, ...]


class OpenVinoGraph:
    """Runs a graph on the CPU, float32 in and out.

    Args:
        core: ``openvino.Core()``.
        path: the ONNX file.
        config: properties of the compiled model.
        package: the package's name, for sentences.
        head: a second graph that reads tensors of the first; the first output of both is given, and no other.
        tapped: names of tensors of the graph that become outputs after its first one.

    Raises:
        EngineError: a graph cannot be read.
    """

    def __init__(
        self,
        core: Any,
        path: Path,
        config: dict[str, Any],
        package: str,
        head: HeadGraph | None = None,
        tapped: Sequence[str] = (),
    ) -> None:
        self._core, self._config = core, config
        self._compiled: dict[tuple[tuple[int, ...], ...], Any] = {}
        self._model = read_graph(core, path, package)
        if head is not None:
            self._model = joined_graphs(self._model, read_graph(core, head.path, package), head.taps)
        if tapped:
            self._model = tapped_graph(self._model, tapped)
        self._latest = LatestOutputs() if is_repeatable(self._model.get_ops()) else None

    def run(self, inputs: Sequence[Float32]) -> list[Float32]:
        """Every output for the inputs, both in the graph's order; see ``one_value`` for inputs of one value."""
        arrays = [np.ascontiguousarray(array, dtype=np.float32) for array in inputs]
        key = None if self._latest is None else one_value(arrays)
        if self._latest is None or key is None:
            return self._infer(arrays)
        outputs = self._latest.get(key)
        if outputs is None:
            outputs = self._infer(arrays)
            self._latest.keep(key, outputs)
        return outputs

    def _infer(self, arrays: Sequence[Float32]) -> list[Float32]:
        shapes = tuple(array.shape for array in arrays)
        try:
            outputs = self._request(shapes).infer(dict(enumerate(arrays)), share_inputs=True)
        except RuntimeError as error:
            if "alloc" in str(error).lower():
                raise MemoryError("There is too little memory for one window.") from error
            raise EngineError(f"OpenVINO failed on a window of shape {shapes[0]}: {error}") from error
        return [np.asarray(array, dtype=np.float32) for array in outputs.values()]

    def _request(self, shapes: tuple[tuple[int, ...], ...]) -> Any:
        """The inference request for some shapes; fixed shapes run faster than dynamic ones."""
        if shapes not in self._compiled:
            if len(self._compiled) >= SHAPES_KEPT:
                self._compiled.pop(next(iter(self._compiled)))
            names = [port.get_any_name() for port in self._model.inputs]
            self._model.reshape({name: list(shape) for name, shape in zip(names, shapes, strict=True)})
            with decimal_points():
                compiled = self._core.compile_model(self._model, "CPU", self._config)
            self._compiled[shapes] = compiled.create_infer_request()
        return self._compiled[shapes]


def read_graph(core: Any, path: Path, package: str) -> Any:
    """An ONNX file as ``openvino.Model``. Raises ``EngineError``."""
    try:
        with decimal_points():
            return core.read_model(str(path))
    except RuntimeError as error:
        raise EngineError(
            f"OpenVINO cannot read the ONNX graph {path.name} of the package '{package}'. "
            "Import the package again from its source, or use the torch engine."
        ) from error


def joined_graphs(main: Any, head: Any, taps: Sequence[str]) -> Any:
    """One model: the first output of ``main``, and that of ``head`` on the image and on the tensors ``taps`` of it."""
    openvino = import_openvino()
    sources = [main.inputs[0], *(output_named(main, name) for name in taps)]
    for parameter, source in zip(head.get_parameters(), sources, strict=True):
        for target in parameter.output(0).get_target_inputs():
            target.replace_source_output(source.get_node().output(source.get_index()))
    return openvino.Model([main.get_results()[0], head.get_results()[0]], main.get_parameters(), "joined")


def tapped_graph(main: Any, taps: Sequence[str]) -> Any:
    """The model with its first output, and the tensors ``taps`` as further ones."""
    openvino = import_openvino()
    from openvino import opset13 as opset

    results = [opset.result(output_named(main, name)) for name in taps]
    return openvino.Model([main.get_results()[0], *results], main.get_parameters(), "tapped")
