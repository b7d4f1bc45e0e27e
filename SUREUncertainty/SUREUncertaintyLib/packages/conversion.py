"""A PyTorch checkpoint to safetensors, in a child process.

A ``.pt`` file is a pickle. ``torch.load(weights_only=True)`` builds nothing but tensors and plain containers, and it
runs in a process of its own, so that whatever a hostile file does to the reader ends with that process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import PackageError

if TYPE_CHECKING:
    import torch

LIBRARY_PARENT = Path(__file__).resolve().parents[2]
WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net")


def convert_checkpoint(source: Path, destination: Path) -> None:
    """Write the state dict in ``source`` (.pt, .pth, .ckpt) to ``destination`` as safetensors.

    Raises:
        PackageError: TorchScript, objects other than tensors, or an unreadable file.
    """
    read_in_child(__name__, source, destination)


def read_in_child(module: str, source: Path, destination: Path) -> None:
    """Run ``module`` as a program of its own that reads ``source`` and writes ``destination``.

    Raises:
        PackageError: TorchScript, or whatever the program says in its last line.
    """
    if is_torchscript(source):
        raise PackageError(f"{source.name} is TorchScript, a program and not only weights. It is always refused.")
    path = os.pathsep.join([str(LIBRARY_PARENT), *filter(None, [os.environ.get("PYTHONPATH")])])
    child = subprocess.run(
        [sys.executable, "-m", module, str(source), str(destination)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if child.returncode or not destination.is_file():
        reason = (child.stderr.strip().splitlines() or ["the reader stopped without a word"])[-1]
        raise PackageError(f"{source.name} cannot be converted: {reason}")


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive, by its contents or its name."""
    if path.suffix == ".ts":
        return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def state_dict_of(content: Any) -> dict[str, torch.Tensor]:
    """The state dict in a loaded checkpoint: the checkpoint itself, or one of its usual entries.

    Raises:
        PackageError: there is none.
    """
    import torch

    candidates = [content, *(content.get(key) for key in WRAPPERS)] if isinstance(content, Mapping) else []
    for candidate in candidates:
        if (
            isinstance(candidate, Mapping)
            and candidate
            and all(isinstance(v, torch.Tensor) for v in candidate.values())
        ):
            names = [str(name) for name in candidate]
            cut = len("module.") if all(name.startswith("module.") for name in names) else 0
            return {str(name)[cut:]: tensor for name, tensor in candidate.items()}
    raise PackageError("it holds no state dict, a table from names to tensors.")


def _convert(source: str, destination: str) -> None:
    import torch
    from safetensors.torch import save

    content = torch.load(source, map_location="cpu", weights_only=True)
    tensors = {name: tensor.contiguous().clone() for name, tensor in state_dict_of(content).items()}
    Path(destination).write_bytes(save(tensors))


def main(arguments: list[str]) -> int:
    """The child process: two paths, source and destination. Returns its exit status."""
    import pickle

    try:
        _convert(*arguments)
    except pickle.UnpicklingError:
        print("it holds Python objects beside tensors, which are refused.", file=sys.stderr)
        return 2
    except (PackageError, OSError, RuntimeError, ValueError, EOFError) as error:
        print(" ".join(str(error).split())[:300], file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
