"""Which engine runs a package."""

from __future__ import annotations

import ctypes
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..core.errors import EngineError, InputError
from .engine import Engine
from .native.choice import MemberChoice
from .native.engine import MemberEngine
from .openvino_engine import OpenVinoEngine
from .sampling.encoding import has_latents
from .sampling.openvino_latent import OpenVinoLatentEngine
from .sampling.torch_latent import TorchLatentEngine
from .torch_engine import TorchEngine

if TYPE_CHECKING:
    from ..packages.package import Package

ENGINES = ("auto", "torch", "openvino")


def create_engine(
    package: Package, engine: str = "auto", device: str | None = None, threads: int | None = None
) -> Engine:
    """The engine for a package, loaded and ready.

    Args:
        engine: ``"torch"``, ``"openvino"``, or ``"auto"``: CUDA when torch and a CUDA device are there, then OpenVINO,
            then torch; OpenVINO for a package with a head that ``sure fit`` added.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``; None lets the engine choose.
        threads: CPU threads; None lets the engine choose.

    Raises:
        InputError: unknown engine name.
        EngineError: what was asked for is not available; the sentence says what to install or choose.
    """
    if engine not in ENGINES:
        raise InputError(f"Unknown engine '{engine}'. Choose one of: {', '.join(ENGINES)}.")
    if package.metadata.pipeline is not None:
        return create_member_engine(package, engine, device, threads)
    fitted = package.metadata.fitted is not None and device in (None, "cpu")
    chosen = engine if engine != "auto" else "openvino" if fitted else choose_engine(device)
    if has_latents(package.metadata):
        kind = TorchLatentEngine if chosen == "torch" else OpenVinoLatentEngine
        return kind(package, device, threads)
    if chosen == "torch":
        return TorchEngine(package, device, threads)
    return OpenVinoEngine(package, device, threads)


def create_member_engine(
    package: Package,
    engine: str = "auto",
    device: str | None = None,
    threads: int | None = None,
    estimator: str = "native",
    choice: MemberChoice | None = None,
) -> MemberEngine:
    """The engine of a package with a pipeline, which runs several passes; see ``MemberEngine``.

    Raises:
        InputError, EngineError: as ``create_engine``; InputError also for a fold that does not exist.
    """
    return MemberEngine(package, lambda one: create_engine(one, engine, device, threads), estimator, choice)


def choose_engine(device: str | None = None) -> str:
    """What ``auto`` means on this machine for the wanted device.

    Raises:
        EngineError: neither engine is installed.
    """
    has_torch, has_openvino = is_installed("torch"), is_installed("openvino")
    if not has_torch and not has_openvino:
        raise EngineError("Neither OpenVINO nor PyTorch is installed. Install one with: pip install openvino.")
    if device not in (None, "cpu"):
        return "torch"
    if device is None and has_torch and cuda_is_available():
        return "torch"
    return "openvino" if has_openvino else "torch"


def is_installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def cuda_is_available() -> bool:
    """Whether torch can use CUDA. Without NVIDIA's driver torch, which takes seconds to load, is not even imported."""
    if not _has_nvidia_driver():
        return False
    try:
        import torch
    except (ImportError, OSError):
        return False
    return bool(torch.cuda.is_available())


def _has_nvidia_driver() -> bool:
    if sys.platform == "darwin":
        return False
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
