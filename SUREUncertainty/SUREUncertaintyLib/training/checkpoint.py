"""The state of an interrupted training: safetensors and JSON, written whole or not at all, never a pickle."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.errors import InputError

FOLDER = "checkpoint"
OBJECTIVE = "objective.safetensors"


def save_checkpoint(
    output: Path,
    network: nn.Module,
    average: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    state: dict[str, Any],
    learnt: dict[str, Tensor] | None = None,
) -> None:
    """Replace the checkpoint in ``output``; a kill at any moment leaves the old or the new one.

    ``learnt``: what the objective itself has learnt, if anything.
    """
    from safetensors.torch import save_file

    fresh, old, final = output / f"{FOLDER}.new", output / f"{FOLDER}.old", output / FOLDER
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    save_file(_contiguous(network.state_dict()), fresh / "network.safetensors")
    save_file(_contiguous(average), fresh / "average.safetensors")
    save_file(_moments(optimizer), fresh / "optimizer.safetensors")
    if learnt:
        save_file(_contiguous(learnt), fresh / OBJECTIVE)
    (fresh / "state.json").write_text(json.dumps(state, indent=1), encoding="utf-8")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        os.replace(final, old)
    os.replace(fresh, final)
    shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(
    output: Path, network: nn.Module, average: dict[str, Tensor], optimizer: torch.optim.Optimizer
) -> dict[str, Any] | None:
    """Restore the newest whole checkpoint in ``output`` in place and return its state, or None without one."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    folder = next(
        (output / name for name in (FOLDER, f"{FOLDER}.old") if (output / name / "state.json").is_file()), None
    )
    if folder is None:
        return None
    try:
        network.load_state_dict(load_file(folder / "network.safetensors"))
        average.update(load_file(folder / "average.safetensors"))
        _restore_moments(optimizer, load_file(folder / "optimizer.safetensors"))
        state: dict[str, Any] = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise InputError(f"The checkpoint in {folder} cannot be used ({error}). Remove it to start afresh.") from error
    return state


def load_learnt(output: Path) -> dict[str, Tensor]:
    """What the objective had learnt at the newest checkpoint in ``output``; empty without any."""
    from safetensors.torch import load_file

    for name in (FOLDER, f"{FOLDER}.old"):
        if (output / name / "state.json").is_file():
            path = output / name / OBJECTIVE
            return load_file(path) if path.is_file() else {}
    return {}


def _contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    entries = optimizer.state_dict()["state"]
    flat = {
        f"{index}.{key}": torch.as_tensor(value) for index, entry in entries.items() for key, value in entry.items()
    }
    return _contiguous(flat)


def _restore_moments(optimizer: torch.optim.Optimizer, flat: dict[str, Tensor]) -> None:
    entries: dict[int, dict[str, Tensor]] = {}
    for name, tensor in flat.items():
        index, key = name.split(".", 1)
        entries.setdefault(int(index), {})[key] = tensor
    document = optimizer.state_dict()
    document["state"] = entries
    optimizer.load_state_dict(document)
