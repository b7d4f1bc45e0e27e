"""One ONNX graph in OpenVINO, compiled once a set of input shapes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import EngineError
from ..files.locales import decimal_points

Float32 = NDArray[np.float32]
SHAPES_KEPT = 4


class OpenVinoGraph:
    """Runs a graph on the CPU, float32 in and out.

    Args:
        core: ``openvino.Core()``.
        path: the ONNX file.
        config: properties of the compiled model.
        package: the package's name, for sentences.

    Raises:
        EngineError: the graph cannot be read.
    """

    def __init__(self, core: Any, path: Path, config: dict[str, Any], package: str) -> None:
        self._core, self._config = core, config
        self._compiled: dict[tuple[tuple[int, ...], ...], Any] = {}
        try:
            with decimal_points():
                self._model = core.read_model(str(path))
        except RuntimeError as error:
            raise EngineError(
                f"OpenVINO cannot read the ONNX graph {path.name} of the package '{package}'. "
                "Import the package again from its source, or use the torch engine."
            ) from error

    def run(self, inputs: Sequence[Float32]) -> list[Float32]:
        """Every output for the inputs, both in the graph's order."""
        arrays = [np.ascontiguousarray(array, dtype=np.float32) for array in inputs]
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
