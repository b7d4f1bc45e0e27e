"""The weights of a package as safetensors. Only used where torch is: for training and for the torch engine."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import PackageError
from ..nn.registry import create_network
from .package import Package

if TYPE_CHECKING:
    import torch


def rounded_to_half(network: torch.nn.Module) -> torch.nn.Module:
    """A copy on the CPU in evaluation mode whose kernels (tensors of two or more axes) are rounded to float16.

    Computation stays float32. Both files of a package are written from this copy, so that the engines hold the same
    numbers. Vectors (biases, normalisation) stay as they are: they are small, and variances need float32's range.
    """
    import torch

    rounded = copy.deepcopy(network).cpu().eval()
    limit = torch.finfo(torch.float16).max
    with torch.no_grad():
        for parameter in rounded.parameters():
            if parameter.ndim >= 2 and float(parameter.abs().max()) <= limit:
                parameter.copy_(parameter.half().float())
    return rounded


def save_weights(network: torch.nn.Module, path: Path) -> None:
    """Write the state dict as safetensors; tensors that float16 holds exactly are stored as float16."""
    from safetensors.torch import save

    path.write_bytes(save({name: _smallest(tensor) for name, tensor in network.state_dict().items()}))


def load_network(package: Package) -> torch.nn.Module:
    """The package's network with its weights, float32, on the CPU, in evaluation mode.

    Raises:
        PackageError: the weights are unreadable or do not belong to the network that the metadata names.
    """
    network = create_network(package.metadata.network, package.metadata.network_arguments)
    load_weights(network, package.weights_path)
    return network.eval()


def load_weights(network: torch.nn.Module, path: Path, partly: bool = False) -> None:
    """Copy the tensors of a safetensors file into the network, every one of them.

    Args:
        partly: parts of the network that the file does not know keep what they hold.

    Raises:
        PackageError: the file is unreadable, or names and shapes differ from the network's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    kept = network.state_dict() if partly else {}
    try:
        network.load_state_dict({**kept, **load_file(path)})
    except (OSError, SafetensorError) as error:
        raise PackageError(f"The weights {path} cannot be read: {error}") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise PackageError(f"The weights {path} do not fit the network that the package names: {reason}") from error


def _smallest(tensor: torch.Tensor) -> torch.Tensor:
    import torch

    tensor = tensor.detach().cpu().contiguous().clone()
    half = tensor.half() if tensor.dtype == torch.float32 and tensor.ndim >= 2 else tensor
    return half if torch.equal(half.to(tensor.dtype), tensor) else tensor
