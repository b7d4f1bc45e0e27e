"""OpenVINO engine: runs the package's ONNX graph on the CPU, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import EngineError
from ..core.openvino_import import import_openvino
from .engine import FULL_PRECISION, OneNetwork, unfactored
from .openvino_graph import HeadGraph, OpenVinoGraph

if TYPE_CHECKING:
    from ..packages.package import Package

Float32 = NDArray[np.float32]
EXACT, QUICK = FULL_PRECISION, "bf16"
"""Precision of the arithmetic inside a network; inputs, weights on disk and outputs are float32 either way."""


@dataclass(frozen=True)
class OpenVinoSettings:
    """OpenVINO's core with the properties that every graph of ours is compiled with."""

    core: Any
    config: dict[str, Any]
    version: str
    threads: int | None
    precision: str = EXACT

    @classmethod
    def create(cls, device: str | None = None, threads: int | None = None, precision: str = EXACT) -> OpenVinoSettings:
        """Start OpenVINO. ``"bf16"`` is used only where the processor computes in it, elsewhere it would be slower.

        Raises:
            EngineError: it is not installed, or another device than the CPU was asked for.
        """
        if device not in (None, "cpu"):
            raise EngineError(f"The OpenVINO engine runs on the CPU only, not on '{device}'. Use the torch engine.")
        openvino = import_openvino()
        core = openvino.Core()
        if precision.upper() not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            precision = EXACT
        config: dict[str, Any] = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        config["ENABLE_CPU_PINNING"] = False  # pinned threads wait for a core that another program uses
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        used = threads or int(core.get_property("CPU", "INFERENCE_NUM_THREADS")) or None
        return cls(core, config, str(openvino.__version__), used, precision)


class OpenVinoEngine(OneNetwork):
    """Runs ``graphs["main"]``, compiled once a window shape.

    Args:
        package: a checked package.
        device: only ``"cpu"`` or None.
        threads: CPU threads, None leaves OpenVINO's choice.
        precision: ``EXACT``, or ``QUICK`` for previews; the attribute says which one it is on this processor.

    Raises:
        EngineError: OpenVINO or a readable graph is missing, or another device was asked for.
    """

    name = "openvino"
    device = "cpu"

    def __init__(
        self, package: Package, device: str | None = None, threads: int | None = None, precision: str = EXACT
    ) -> None:
        settings = OpenVinoSettings.create(device, threads, precision)
        self.version, self.threads, self.precision = settings.version, settings.threads, settings.precision
        path, fitted = package.graph_path("main"), package.metadata.fitted
        extra = None if fitted is None else HeadGraph(package.file_path(fitted.graph), fitted.taps)
        self.scales = fitted is not None
        self._graph = OpenVinoGraph(settings.core, path, settings.config, package.metadata.name, extra)

    def logits(self, windows: Float32) -> Float32:
        """As ``Engine``, float32."""
        found = self._graph.run((windows,))
        return np.concatenate(found, axis=1) if self.scales else found[0]

    def factored(self, windows: Float32) -> tuple[Float32, Float32]:
        """Logits, and what an evidence-scaling head multiplied them by (B, 1, ...); 1 where there is no such output."""
        if self.scales:
            return unfactored(self.logits(windows))
        found = self._graph.run((windows,))
        return (found[0], found[1]) if len(found) > 1 else unfactored(found[0])
