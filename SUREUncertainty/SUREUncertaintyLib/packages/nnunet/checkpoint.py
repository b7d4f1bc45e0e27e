"""An nnU-Net checkpoint to safetensors and JSON, in the child process for foreign files.

``checkpoint_final.pth`` is a pickle that holds NumPy scalars beside tensors. ``torch.load(weights_only=True)`` builds
tensors and plain containers alone; the names of NumPy scalars are answered with an empty stand-in, so that no NumPy
object is built, and every other name is refused. See ``packages.conversion``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.errors import PackageError
from ..conversion import child_main, read_in_child

if TYPE_CHECKING:
    import torch

SCALARS = (
    "numpy._core.multiarray.scalar",
    "numpy.core.multiarray.scalar",
    "numpy.dtype",
    *(f"numpy.dtypes.{kind}DType" for kind in ("Float16", "Float32", "Float64", "Bool", "Long", "ULong")),
    *(f"numpy.dtypes.{sign}Int{bits}DType" for sign in ("", "U") for bits in (8, 16, 32, 64)),
)
KEYS = ("network_weights", "init_args", "trainer_name")


class Nothing:
    """Stands where a NumPy scalar was."""

    def __init__(self, *arguments: object) -> None:
        """Whatever it was made from is dropped."""

    def __setstate__(self, state: object) -> None:
        """Whatever it held is dropped."""


@dataclass(frozen=True)
class CheckpointFacts:
    """What a checkpoint says about itself beside its tensors.

    ``batch_norm``: whether its tensors hold the means of batch normalisation.
    """

    configuration: str
    trainer: str
    mirror_axes: tuple[int, ...]
    plans: dict[str, Any]
    batch_norm: bool = False


def convert_nnunet_checkpoint(source: Path, destination: Path) -> CheckpointFacts:
    """Write the network's tensors in ``source``, each under one name, to ``destination`` as safetensors.

    Raises:
        PackageError: the file is damaged, no nnU-Net checkpoint, or holds anything that is refused.
    """
    read_in_child(__name__, source, destination)
    notes = _notes_path(destination)
    document = json.loads(notes.read_text(encoding="utf-8"))
    notes.unlink()
    return CheckpointFacts(
        document["configuration"],
        document["trainer"],
        tuple(document["mirror_axes"]),
        document["plans"],
        bool(document["batch_norm"]),
    )


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint's content with tensors and plain values only.

    Raises:
        pickle.UnpicklingError: anything else is in it.
        PackageError: it is no nnU-Net checkpoint.
    """
    import torch

    with torch.serialization.safe_globals([(Nothing, name) for name in SCALARS]):
        content = torch.load(path, map_location="cpu", weights_only=True)
    missing = [key for key in KEYS if not isinstance(content, Mapping) or key not in content]
    if missing:
        raise PackageError(f"it is no nnU-Net v2 checkpoint: it has no '{missing[0]}'.")
    return dict(content)


def distinct_tensors(weights: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The tensors of a network's state dict, each under one name.

    nnU-Net names a block's layers a second time in ``all_modules`` and the encoder a second time in the decoder.

    Raises:
        PackageError: an entry is no tensor, or a second name holds other numbers than the first.
    """
    import torch

    cut = len("module.") if all(name.startswith("module.") for name in weights) else 0
    named = {name[cut:].replace("_orig_mod.", ""): value for name, value in weights.items()}
    if not named or not all(isinstance(value, torch.Tensor) for value in named.values()):
        raise PackageError("its 'network_weights' are no table from names to tensors.")
    second = {name for name in named if ".all_modules." in name or name.startswith("decoder.encoder.")}
    found = {name: value for name, value in named.items() if name not in second}
    for name in second:
        if not any(_same(named[name], found[other]) for other in _first_names(name) if other in found):
            raise PackageError(f"its tensor '{name}' differs from the one that it should repeat.")
    return found


def _first_names(second: str) -> list[str]:
    name = second.removeprefix("decoder.encoder.")
    name = name if name == second else f"encoder.{name}"
    block, found, rest = name.partition(".all_modules.")
    return [f"{block}.{layer}.{rest.partition('.')[2]}" for layer in ("conv", "norm")] if found else [name]


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    import torch

    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return one.data_ptr() == other.data_ptr() or torch.equal(one, other)


def _facts(content: Mapping[str, Any]) -> dict[str, Any]:
    arguments = content["init_args"]
    if not isinstance(arguments, Mapping) or not isinstance(arguments.get("plans"), Mapping):
        raise PackageError("its 'init_args' do not hold the plans of the training.")
    axes = content.get("inference_allowed_mirroring_axes") or ()
    return {
        "configuration": str(arguments.get("configuration")),
        "trainer": str(content["trainer_name"]),
        "mirror_axes": [int(axis) for axis in axes],
        "plans": arguments["plans"],
        "batch_norm": any(name.endswith(".running_mean") for name in content["network_weights"]),
    }


def _plain(value: object) -> None:
    """What JSON cannot hold is left out of the notes."""


def _notes_path(destination: Path) -> Path:
    return destination.with_suffix(".json")


def _convert(source: Path, destination: Path) -> None:
    import torch
    from safetensors.torch import save

    content = load_checkpoint(source)
    tensors = distinct_tensors(content["network_weights"])
    if any(not torch.isfinite(value).all() for value in tensors.values()):
        raise PackageError("its weights hold values that are no numbers; the training went wrong.")
    _notes_path(destination).write_text(json.dumps(_facts(content), default=_plain), encoding="utf-8")
    destination.write_bytes(save({name: value.float().contiguous().clone() for name, value in tensors.items()}))


if __name__ == "__main__":
    sys.exit(child_main(_convert, sys.argv[1:]))
