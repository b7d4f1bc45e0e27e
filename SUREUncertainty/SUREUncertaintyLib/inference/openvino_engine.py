"""OpenVINO engine: runs the package's ONNX graph on the CPU, without torch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import EngineError

if TYPE_CHECKING:
    from ..packages.package import Package

Float32 = NDArray[np.float32]
SHAPES_KEPT = 4
INSTALL = "Install it with: pip install openvino, or use the torch engine."


class OpenVinoEngine:
    """Runs ``graphs["main"]`` in float32, compiled once a window shape.

    Args:
        package: a checked package.
        device: only ``"cpu"`` or None.
        threads: CPU threads, None leaves OpenVINO's choice.

    Raises:
        EngineError: OpenVINO or a readable graph is missing, or another device was asked for.
    """

    name = "openvino"
    device = "cpu"

    def __init__(self, package: Package, device: str | None = None, threads: int | None = None) -> None:
        if device not in (None, "cpu"):
            raise EngineError(f"The OpenVINO engine runs on the CPU only, not on '{device}'. Use the torch engine.")
        openvino = import_openvino()
        self.version = str(openvino.__version__)
        self._core = openvino.Core()
        self._config: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if threads:
            self._config["INFERENCE_NUM_THREADS"] = threads
        self._compiled: dict[tuple[int, ...], Any] = {}
        try:
            self._model = self._core.read_model(str(package.graph_path("main")))
        except RuntimeError as error:
            raise EngineError(
                f"OpenVINO cannot read the ONNX graph of the package '{package.metadata.name}'. "
                "Import the package again from its source, or use the torch engine."
            ) from error
        self.threads = threads or int(self._core.get_property("CPU", "INFERENCE_NUM_THREADS")) or None

    def logits(self, windows: Float32) -> Float32:
        """Raw network outputs (B, C, ...) float32 for windows (B, channels, ...)."""
        batch = np.ascontiguousarray(windows, dtype=np.float32)
        try:
            output = self._request(batch.shape).infer({0: batch}, share_inputs=True)
        except RuntimeError as error:
            if "alloc" in str(error).lower():
                raise MemoryError("There is too little memory for one window.") from error
            raise EngineError(f"OpenVINO failed on a window of shape {batch.shape}: {error}") from error
        return np.asarray(next(iter(output.values())), dtype=np.float32)

    def _request(self, shape: tuple[int, ...]) -> Any:
        """The inference request for a window shape; fixed shapes run faster than dynamic ones."""
        if shape not in self._compiled:
            if len(self._compiled) >= SHAPES_KEPT:
                self._compiled.pop(next(iter(self._compiled)))
            self._model.reshape({self._model.input(0).get_any_name(): list(shape)})
            self._compiled[shape] = self._core.compile_model(self._model, "CPU", self._config).create_infer_request()
        return self._compiled[shape]


def import_openvino() -> Any:
    """The openvino module, imported so that its telemetry package is never loaded.

    ``import openvino`` reports itself through ``openvino_telemetry`` when that package is importable and falls back to
    its own silent stand-in when it is not. A None entry in ``sys.modules`` is Python's way to say "not importable".
    """
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        import openvino
    except ImportError as error:
        raise EngineError(f"OpenVINO is not installed here. {INSTALL}") from error
    return openvino
