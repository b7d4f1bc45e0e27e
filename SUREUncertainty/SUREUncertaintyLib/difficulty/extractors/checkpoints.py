"""Weights from a local file. Nothing is ever downloaded, and nothing stands in for a file that is missing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.errors import InputError
from ...packages.conversion import convert_checkpoint

if TYPE_CHECKING:
    import torch

PICKLED = (".pt", ".pth", ".ckpt", ".bin")


def require_checkpoint(path: Path | None, extractor: str) -> Path:
    """The checkpoint's path.

    Raises:
        InputError: none was given, or there is no such file; the sentence names it.
    """
    if path is None:
        raise InputError(f"The network '{extractor}' needs its weights: give the local file with --checkpoint.")
    if not Path(path).is_file():
        raise InputError(
            f"There is no checkpoint {path} for the network '{extractor}'. Get the file from its authors and give "
            "its path; nothing is downloaded, and no other weights are taken instead."
        )
    return Path(path)


def read_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file, or of a PyTorch checkpoint that a child process converts first.

    Raises:
        InputError: the file is not readable. PackageError: a checkpoint that holds more than tensors.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix not in PICKLED:
            return load_file(path)
        with tempfile.TemporaryDirectory() as folder:
            converted = Path(folder) / "weights.safetensors"
            convert_checkpoint(path, converted)
            return {name: tensor.clone() for name, tensor in load_file(converted).items()}
    except (OSError, SafetensorError) as error:
        raise InputError(f"The checkpoint {path} cannot be read ({error}). Expected is safetensors or .pt.") from error


def load_into(network: Any, path: Path, prefix: str = "") -> Any:
    """Put a checkpoint's tensors into a network, in evaluation mode.

    Args:
        prefix: only tensors whose name starts with it, the prefix cut off.

    Raises:
        InputError: names or shapes differ from the network's.
    """
    tensors = read_state_dict(path)
    chosen = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    try:
        network.load_state_dict(chosen)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"The checkpoint {path} does not belong to this network: {reason}") from error
    return network.eval()
