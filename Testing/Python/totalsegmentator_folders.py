"""Folders as TotalSegmentator downloads them, with networks whose weights are made at random or by rule.

Used by the tests, and by the benchmarks that run TotalSegmentator itself or networks of the published size on them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from needed_torch import torch
from nnunet_folders import FINAL, checkpoint_of, read_plans, with_second_names
from SUREUncertaintyLib.nn.registry import create_network

TRAINER = "nnUNetTrainerNoMirroring"
CT = {"percentile_00_5": 60.0, "percentile_99_5": 260.0, "mean": 140.0, "std": 50.0}


@dataclass(frozen=True)
class Size:
    """How large a network is; three levels and windows of 16 voxels are enough for a test."""

    features: tuple[int, ...] = (4, 8, 12)
    patch: int = 16

    @property
    def architecture(self) -> dict[str, Any]:
        """``arch_kwargs`` of plans.json that depend on the size."""
        stages = len(self.features)
        return {
            "n_stages": stages,
            "features_per_stage": list(self.features),
            "kernel_sizes": [[3, 3, 3]] * stages,
            "strides": [[1, 1, 1]] + [[2, 2, 2]] * (stages - 1),
            "n_conv_per_stage": [2] * stages,
            "n_conv_per_stage_decoder": [2] * (stages - 1),
        }


SMALL = Size()
PUBLISHED = Size((32, 64, 128, 256, 320, 320), 128)
"""As the networks of the task ``total``: 31 million parameters."""


def plans_of(name: str, spacing_kji: Sequence[float], configuration: str, mean: float, size: Size) -> dict[str, Any]:
    """A plans file with one configuration."""
    plans = read_plans("plain")
    plans["dataset_name"] = name
    plans["foreground_intensity_properties_per_channel"] = {"0": {**CT, "mean": mean}}
    settings = plans["configurations"].pop("3d_fullres")
    settings |= {"spacing": list(spacing_kji), "normalization_schemes": ["CTNormalization"]}
    settings["patch_size"] = [size.patch] * 3
    settings["architecture"]["arch_kwargs"] |= size.architecture
    plans["configurations"] = {configuration: settings}
    return plans


def random_network(classes: int, seed: int, size: Size = SMALL) -> Any:
    """One that finds every class somewhere in noise."""
    torch.manual_seed(seed)
    network = _empty(classes, size)
    with torch.no_grad():
        last = _last_layer(network, classes)
        last.weight *= 8.0  # a random network hardly prefers any class
        seen = network(torch.randn(1, 1, *[size.patch // 2 if size is PUBLISHED else size.patch] * 3))
        last.bias -= seen.mean(dim=(0, 2, 3, 4))
    return network


def bright_network(classes: int, marked: int, size: Size = SMALL) -> Any:
    """One that calls what is brighter than its surroundings ``marked``, and all else background.

    Every layer hands its first channel on, whose middle tap is 1.
    """
    network = _empty(classes, size)
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, torch.nn.Conv3d | torch.nn.ConvTranspose3d):
                part.weight.zero_()
                part.bias.zero_()
            if isinstance(part, torch.nn.Conv3d) and part.kernel_size == (3, 3, 3):
                here = part.in_channels // 2 if part.in_channels == 2 * part.out_channels else 0  # a skip comes second
                part.weight[0, here, 1, 1, 1] = 1.0
        last = _last_layer(network, classes)
        last.weight[marked, 0] = 4.0
        last.bias[marked] = -2.0
        last.bias[0] = 0.0
        last.bias[[number for number in range(1, classes) if number != marked]] = -50.0
    return network


def _empty(classes: int, size: Size) -> Any:
    plain = {"dimension": 3, "channels": 1, "bias": True, "eps": 1e-5, "slope": 0.01, "classes": classes}
    shape = size.architecture
    stages = {
        "features": shape["features_per_stage"],
        "kernels": shape["kernel_sizes"],
        "strides": shape["strides"],
        "convolutions": shape["n_conv_per_stage"],
        "decoder_convolutions": shape["n_conv_per_stage_decoder"],
    }
    return create_network("nnunet_plain", {**plain, **stages}).eval()


def _last_layer(network: Any, classes: int) -> Any:
    """The layer that writes the outputs at full resolution."""
    layers = [part for part in network.modules() if isinstance(part, torch.nn.Conv3d) and part.kernel_size == (1, 1, 1)]
    return next(part for part in reversed(layers) if part.out_channels == classes)


def write_dataset(
    results: Path,
    folder: str,
    names: Sequence[str],
    spacing_kji: Sequence[float],
    network: Any,
    trainer: str = TRAINER,
    configuration: str = "3d_fullres",
    folds: Sequence[int] = (0,),
    size: Size = SMALL,
) -> None:
    """One data set's folder; every fold holds the same network."""
    root = results / folder / f"{trainer}__nnUNetPlans__{configuration}"
    plans = plans_of(folder, spacing_kji, configuration, 140.0 + len(names) % 10, size)
    labels = {"background": 0, **{name: value for value, name in enumerate(names, 1)}}
    dataset = {"channel_names": {"0": "CT"}, "labels": labels, "numTraining": 3, "file_ending": ".nii.gz"}
    content = checkpoint_of("plain")
    content |= {
        "network_weights": with_second_names(network.state_dict()),
        "trainer_name": trainer,
        "inference_allowed_mirroring_axes": None if "NoMirroring" in trainer else (0, 1, 2),
        "init_args": {**content["init_args"], "plans": plans, "configuration": configuration, "dataset_json": dataset},
    }
    for fold in folds:
        (root / f"fold_{fold}").mkdir(parents=True)
        torch.save(content, root / f"fold_{fold}" / FINAL)
    (root / "plans.json").write_text(json.dumps(plans), encoding="utf-8")
    (root / "dataset.json").write_text(json.dumps(dataset), encoding="utf-8")
