"""Folders as nnU-Net v2 writes them, made from the small trained networks in ``Testing/Data/nnunet``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from needed_torch import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

DATA = Path(__file__).resolve().parents[1] / "Data" / "nnunet"
FINAL = "checkpoint_final.pth"


def read_made(name: str) -> dict[str, Any]:
    """Configuration, trainer, mirror axes and versions of a set."""
    made: dict[str, Any] = json.loads((DATA / name / "made.json").read_text(encoding="utf-8"))
    return made


def read_plans(name: str) -> dict[str, Any]:
    """The plans of a set."""
    plans: dict[str, Any] = json.loads((DATA / name / "plans.json").read_text(encoding="utf-8"))
    return plans


def nnunet_masks(name: str) -> dict[str, NDArray[np.uint8]]:
    """nnU-Net's own label maps of a set by scan and mirrors."""
    with np.load(DATA / name / "masks.npz") as stored:
        return {key: stored[key] for key in stored.files}


def weights_of(name: str, fold: int = 0) -> dict[str, torch.Tensor]:
    """The tensors of a fold, each under one name."""
    return load_file(DATA / name / f"fold_{fold}.safetensors")


def with_second_names(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The state dict as nnU-Net saves it: layers again in ``all_modules``, the encoder again in the decoder."""
    blocks: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        blocks[name] = tensor
        for number, layer in enumerate(("conv", "norm")):
            head, found, tail = name.rpartition(f".{layer}.")
            if found:
                blocks[f"{head}.all_modules.{number}.{tail}"] = tensor
    again = {f"decoder.{name}": tensor for name, tensor in blocks.items() if name.startswith("encoder.")}
    return {**blocks, **again}


def checkpoint_of(name: str, fold: int = 0) -> dict[str, Any]:
    """A checkpoint with every key of nnU-Net's trainer, NumPy scalars included."""
    made = read_made(name)
    dataset = json.loads((DATA / name / "dataset.json").read_text(encoding="utf-8"))
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([parameter], 0.01, momentum=0.9)
    return {
        "network_weights": with_second_names(weights_of(name, fold)),
        "optimizer_state": optimizer.state_dict(),
        "grad_scaler_state": None,
        "logging": {
            "ema_fg_dice": [np.float64(0.81), np.float64(0.9)],
            "dice_per_class_or_region": [[np.float32(0.5), np.float32(0.25)]],
            "epoch_start_timestamps": [1.0],
        },
        "_best_ema": np.float64(0.9),
        "current_epoch": 5,
        "init_args": {
            "plans": read_plans(name),
            "configuration": made["configuration"],
            "fold": fold,
            "dataset_json": dataset,
            "device": torch.device("cpu"),
        },
        "trainer_name": made["trainer"],
        "inference_allowed_mirroring_axes": tuple(made["mirror_axes"]),
    }


def write_training(parent: Path, name: str, folds: int = 1) -> Path:
    """``parent/Dataset.../Trainer__Plans__configuration`` with its folds; returns the results folder."""
    made, plans = read_made(name), read_plans(name)
    root = parent / plans["dataset_name"] / f"{made['trainer']}__{plans['plans_name']}__{made['configuration']}"
    root.mkdir(parents=True)
    for document in ("plans.json", "dataset.json"):
        shutil.copyfile(DATA / name / document, root / document)
    for fold in range(folds):
        (root / f"fold_{fold}").mkdir()
        torch.save(checkpoint_of(name, fold), root / f"fold_{fold}" / FINAL)
    return root


def change_plans(root: Path, **changes: Any) -> None:
    """Change fields of the trained configuration in ``plans.json`` and in every checkpoint's copy of it."""
    _change(root, lambda plans, name: plans["configurations"][name].update(changes))


def change_top(root: Path, **changes: Any) -> None:
    """Change top-level fields of ``plans.json`` and of every checkpoint's copy of it."""
    _change(root, lambda plans, _: plans.update(changes))


def _change(root: Path, apply: Any) -> None:
    configuration = root.name.rpartition("__")[2]
    plans = json.loads((root / "plans.json").read_text(encoding="utf-8"))
    apply(plans, configuration)
    (root / "plans.json").write_text(json.dumps(plans), encoding="utf-8")
    for file in root.glob(f"fold_*/{FINAL}"):
        content = torch.load(file, weights_only=False)
        apply(content["init_args"]["plans"], configuration)
        torch.save(content, file)


def old_plans(plans: dict[str, Any], configuration: str) -> dict[str, Any]:
    """The plans as nnU-Net wrote them before 2024: the network's numbers one by one."""
    found: dict[str, Any] = json.loads(json.dumps(plans))
    chosen = found["configurations"][configuration]
    arguments = chosen.pop("architecture")["arch_kwargs"]
    features = arguments["features_per_stage"]
    chosen |= {
        "UNet_class_name": "PlainConvUNet",
        "UNet_base_num_features": features[0],
        "unet_max_num_features": features[-1],
        "n_conv_per_stage_encoder": arguments["n_conv_per_stage"],
        "n_conv_per_stage_decoder": arguments["n_conv_per_stage_decoder"],
        "num_pool_per_axis": [len(features) - 1] * len(chosen["patch_size"]),
        "pool_op_kernel_sizes": arguments["strides"],
        "conv_kernel_sizes": arguments["kernel_sizes"],
    }
    return found
