"""PyTorch engine: CPU, CUDA and Apple's MPS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import EngineError
from .engine import OneNetwork

if TYPE_CHECKING:
    from ..packages.package import Package

Float32 = NDArray[np.float32]
INSTALL = "Install it with: pip install 'sure-uncertainty[torch]', or use the OpenVINO engine."


class TorchEngine(OneNetwork):
    """Runs the package's network from its safetensors weights in float32.

    Args:
        package: a checked package.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; None takes CUDA, then MPS, then the CPU.
        threads: CPU threads, None leaves PyTorch's choice.

    Raises:
        EngineError: PyTorch, the device or fitting weights are missing.
    """

    name = "torch"

    def __init__(self, package: Package, device: str | None = None, threads: int | None = None) -> None:
        if package.metadata.fitted is not None:
            raise EngineError(
                f"The head that sure fit added to the model '{package.metadata.name}' reads the network's graph, which "
                "only OpenVINO runs. Choose --engine openvino, or another estimator, such as softmax."
            )
        torch = import_torch()
        self.device = choose_device(torch, device)
        if threads:
            torch.set_num_threads(threads)
        self.threads = int(torch.get_num_threads())
        self.version = str(torch.__version__)
        self._torch = torch
        self._network = _load_network(package).to(self.device).eval()

    def logits(self, windows: Float32) -> Float32:
        """Raw network outputs (B, C, ...) float32 for windows (B, channels, ...)."""
        return self._run(lambda batch: (self._network(batch),), windows)[0]

    def factored(self, windows: Float32) -> tuple[Float32, Float32]:
        """Logits, and what an evidence-scaling head multiplied them by (B, 1, ...); 1 without such a head."""
        if getattr(self._network, "scale", None) is None:
            return super().factored(windows)
        logits, factor = self._run(self._network.with_factor, windows)
        return logits, factor

    def _run(self, network: Callable[[Any], Sequence[Any]], windows: Float32) -> list[Float32]:
        with exactly(self._torch, self.device):
            batch = self._torch.from_numpy(np.ascontiguousarray(windows)).to(self.device)
            return [np.asarray(part.float().cpu().numpy(), dtype=np.float32) for part in network(batch)]

    @property
    def has_dropout(self) -> bool:
        """Whether the network holds a dropout layer that drops anything."""
        return bool(self._dropout_layers())

    def dropout_logits(self, windows: Float32, seed: int) -> Float32:
        """As ``logits`` with the dropout layers on; the same seed drops the same units in windows of one shape."""
        device = self._torch.device(self.device)
        layers, cuda = self._dropout_layers(), [device] if device.type == "cuda" else []
        with self._torch.random.fork_rng(devices=cuda):
            self._torch.manual_seed(seed)
            try:
                for layer in layers:
                    layer.train()
                return self.logits(windows)
            finally:
                for layer in layers:
                    layer.eval()

    def _dropout_layers(self) -> list[Any]:
        kind = self._torch.nn.modules.dropout._DropoutNd
        return [module for module in self._network.modules() if isinstance(module, kind) and module.p > 0]


@contextmanager
def exactly(torch: Any, device: str) -> Iterator[None]:
    """Inference in full float32 and the same every time; torch's errors become ours."""
    flags = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False)
    try:
        with torch.inference_mode(), flags:
            yield
    except torch.OutOfMemoryError as error:
        raise MemoryError(f"The device {device} has too little memory for one window.") from error
    except RuntimeError as error:
        raise EngineError(f"The network failed on {device}: {_first_line(error)}") from error


def import_torch() -> Any:
    """The torch module, or ``EngineError`` with what to do."""
    try:
        import torch
        import torch.backends.cudnn
    except ImportError as error:
        raise EngineError(f"PyTorch is not installed here. {INSTALL}") from error
    except OSError as error:
        raise EngineError(f"PyTorch is installed but does not start ({_first_line(error)}). {INSTALL}") from error
    return torch


def choose_device(torch: Any, device: str | None) -> str:
    """The device to use, checked to exist."""
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device is None:
        return "cuda:0" if has_cuda else "mps" if has_mps else "cpu"
    kind, _, index = device.lower().partition(":")
    if kind == "cpu" or (kind == "mps" and has_mps):
        return kind
    if kind == "cuda" and has_cuda and (index or "0").isdigit() and int(index or 0) < torch.cuda.device_count():
        return f"cuda:{index or 0}"
    there = ["cpu", *(f"cuda:{n}" for n in range(torch.cuda.device_count() if has_cuda else 0)), *["mps"] * has_mps]
    raise EngineError(f"The device '{device}' is not available here. Available: {', '.join(there)}.")


def _load_network(package: Package) -> Any:
    try:
        from ..packages.weights import load_network

        return load_network(package)
    except ImportError as error:
        raise EngineError(f"The torch engine lacks the Python package '{error.name}'. {INSTALL}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
