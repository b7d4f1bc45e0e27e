"""A PyTorch checkpoint to safetensors, in a child process.

A ``.pt`` file is a pickle. ``torch.load(weights_only=True)`` builds nothing but tensors and plain containers, and it
runs in a process of its own, so that whatever a hostile file does to the reader ends with that process.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import PackageError

if TYPE_CHECKING:
    import torch

LIBRARY_PARENT = Path(__file__).resolve().parents[2]
REFUSED_NAME = re.compile(r"GLOBAL (\S+)|Trying to \S+ (?:class|function) (\S+)|Unsupported (?:class|operand) (\S+)")
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


def _convert(source: Path, destination: Path) -> None:
    import torch
    from safetensors.torch import save

    content = torch.load(source, map_location="cpu", weights_only=True)
    tensors = {name: tensor.contiguous().clone() for name, tensor in state_dict_of(content).items()}
    destination.write_bytes(save(tensors))


def child_main(convert: Callable[[Path, Path], None], arguments: Sequence[str]) -> int:
    """What a reader does in its own process: convert one file to another, or say in one line why not.

    Returns:
        the exit status.
    """
    import pickle

    try:
        convert(Path(arguments[0]), Path(arguments[1]))
    except pickle.UnpicklingError as error:
        print(refusal(error), file=sys.stderr)
        return 2
    except Exception as error:  # a damaged file fails in many ways; all of them end here as one sentence
        print(" ".join(str(error).split())[:300] or type(error).__name__, file=sys.stderr)
        return 2
    return 0


def refusal(error: Exception) -> str:
    """Why a pickle was refused, with the name of what it wanted to build."""
    found = REFUSED_NAME.search(" ".join(str(error).split()))
    name = next((part for part in found.groups() if part), "") if found else ""
    what = f" ({name.strip('`.,')})" if name else ""
    return f"it holds Python objects beside tensors{what}, which are refused."


if __name__ == "__main__":
    sys.exit(child_main(_convert, sys.argv[1:]))
