"""More small nnU-Nets for ``nnunet_variants_agreement.py``: planners, trainers, readers and files of other kinds.

Scans are made up (bodies of different brightness in noise), so that no data is needed. nnU-Net's own planner,
preprocessor and trainers make the networks; only their length and width are cut. Run in an environment with nnunetv2.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from nnunet_trainings import WORKERS, set_up, shrink
from numpy.typing import NDArray

CASES = 6
EPOCHS = 3
WIDTHS = (8, 16, 32)
ODD_NAMES = (
    *("Löwe links", "左肾", "a/b (c)", "it's", "x=1", "tab\there"),
    *("10%", "ÖDEM", "vessel", "vessel 2", "ã", "last"),
)


@dataclass(frozen=True)
class Variant:
    """One data set and its trainings.

    Attributes:
        channels, labels, order, ending: as ``dataset.json`` holds them.
        trainings: configuration, trainer and folds.
        shape, spacing: of the scans as stored (i, j, k).
        border: voxels of zeros around every scan.
        reader: an entry that overrides the choice by the ending.
        best_only, old_plans: what is done to the folder after the training.
    """

    number: int
    name: str
    channels: tuple[str, ...]
    labels: dict[str, Any]
    trainings: tuple[tuple[str, str, tuple[int | str, ...]], ...]
    patches: dict[str, tuple[int, ...]]
    planner: str = "ExperimentPlanner"
    order: tuple[int, ...] | None = None
    ending: str = ".nii.gz"
    reader: str | None = None
    shape: tuple[int, int, int] = (48, 44, 40)
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    border: int = 0
    iterations: int = 80
    best_only: bool = False
    old_plans: bool = False

    @property
    def folder(self) -> str:
        """As nnU-Net names it."""
        return f"Dataset{self.number:03d}_{self.name}"

    @property
    def values(self) -> int:
        """The largest label that scans hold, the ignored one left out."""
        kept = [value for name, value in self.labels.items() if name != "ignore"]
        return max(max(value) if isinstance(value, list) else value for value in kept)


NESTED = {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "inner": [3]}
VARIANTS = (
    Variant(
        911, "Ignore", ("MRI",), {"background": 0, "left kidney": 1, "Läsion (groß)": 2, "ignore": 3},
        (("3d_fullres", "nnUNetTrainerNoMirroring", ("all",)),), {"3d_fullres": (24, 32, 32)},
        "nnUNetPlannerResEncL", ending=".nrrd",
    ),
    Variant(
        912, "Stages", ("CT", "T1 w/ Gd", "noNorm", "rescale_to_0_1"), NESTED,
        (("3d_fullres", "nnUNetTrainer", (0,)), ("3d_lowres", "nnUNetTrainer", (0,))),
        {"3d_fullres": (24, 24, 24), "3d_lowres": (16, 16, 16)},
        order=(1, 2, 3), ending=".mha", border=6,
    ),
    Variant(
        913, "Many", ("MRI",), {"background": 0, **{name: n for n, name in enumerate(ODD_NAMES, 1)}},
        (("3d_fullres", "nnUNetTrainerAdam1en3", (0,)),), {"3d_fullres": (8, 32, 32)},
        reader="NibabelIOWithReorient", shape=(56, 20, 52), spacing=(1.1, 4.5, 0.9), old_plans=True, iterations=120,
    ),
    Variant(
        914, "Flat", ("MRI", "zscore"), {"background": 0, "a": 1, "b": 2},
        (("2d", "nnUNetTrainerNoDeepSupervision", (0,)),), {"2d": (32, 32)},
        reader="SimpleITKIOWithReorient", spacing=(0.8, 0.9, 5.0), shape=(52, 56, 14), border=10, best_only=True,
    ),
    Variant(
        915, "Batch", ("CT",), {"background": 0, "a": 1, "b": 2},
        (("3d_fullres", "nnUNetTrainerBN", (0,)),), {"3d_fullres": (24, 24, 24)}, "nnUNetPlannerResEncM",
    ),
)  # fmt: skip


def made_up(variant: Variant, seed: int) -> tuple[list[sitk.Image], sitk.Image]:
    """The channels of a scan and its labels: one ellipsoid a label, or one inside the other for regions."""
    rng = np.random.default_rng(1000 * variant.number + seed)
    label = _bodies(variant, rng)
    if "ignore" in variant.labels and seed < CASES:
        label[:3] = variant.labels["ignore"]
    images = []
    for number in range(len(variant.channels)):
        base = np.where(label > variant.values, 0, label).astype(np.float32)
        image = (60.0 + 90.0 * base + rng.normal(0, 12.0, label.shape)).astype(np.float32)
        images.append(image / 100.0 if variant.channels[number] == "noNorm" else image + 20.0 * number)
    width = [(variant.border, variant.border)] * 3
    made = [_itk(np.pad(image, width), variant) for image in images]
    return made, _itk(np.pad(label, width), variant)


def _itk(array: NDArray[Any], variant: Variant) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(variant.spacing)
    image.SetOrigin((-31.0, 12.5, 4.0))
    return image


def _bodies(variant: Variant, rng: np.random.Generator) -> NDArray[np.uint8]:
    shape = variant.shape[::-1]
    label = np.zeros(shape, dtype=np.uint8)
    axes = np.meshgrid(*(np.linspace(-1.0, 1.0, n) for n in shape), indexing="ij")
    for value in range(1, variant.values + 1):
        if variant.order:
            centre, radius = rng.uniform(-0.05, 0.05, 3), np.full(3, 1.0 - 0.25 * value) * rng.uniform(0.9, 1.1, 3)
        else:
            angle = 2.0 * np.pi * value / variant.values + rng.uniform(-0.1, 0.1)
            centre = np.array([rng.uniform(-0.3, 0.3), 0.55 * np.sin(angle), 0.55 * np.cos(angle)])
            radius = np.array([0.6, 1.0, 1.0]) * (0.42 if variant.values < 4 else 0.26) * rng.uniform(0.85, 1.15, 3)
        inside = sum(((x - c) / r) ** 2 for x, c, r in zip(axes, centre, radius, strict=True)) < 1.0
        label[inside] = value
    return label


def write_raw(work: Path, variant: Variant) -> None:
    """The data set as nnU-Net wants it."""
    root = work / "raw" / variant.folder
    for name in ("imagesTr", "labelsTr"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for number in range(CASES):
        images, label = made_up(variant, number)
        for channel, image in enumerate(images):
            sitk.WriteImage(image, str(root / "imagesTr" / f"case_{number:03d}_{channel:04d}{variant.ending}"))
        sitk.WriteImage(label, str(root / "labelsTr" / f"case_{number:03d}{variant.ending}"))
    document: dict[str, Any] = {
        "channel_names": {str(number): name for number, name in enumerate(variant.channels)},
        "labels": variant.labels,
        "numTraining": CASES,
        "file_ending": variant.ending,
    }
    if variant.reader:
        document["overwrite_image_reader_writer"] = variant.reader
    if variant.order:
        document["regions_class_order"] = list(variant.order)
    (root / "dataset.json").write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")


def plan(work: Path, variant: Variant) -> str:
    """nnU-Net's own plans, narrower. Returns their name."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess

    os.environ[WORKERS] = "1"
    extract_fingerprints([variant.number], num_processes=1)
    name = str(plan_experiments([variant.number], variant.planner, gpu_memory_target_in_gb=None))
    path = work / "preprocessed" / variant.folder / f"{name}.json"
    plans = json.loads(path.read_text(encoding="utf-8"))
    configurations = plans["configurations"]
    if (
        "3d_lowres" in variant.patches
    ):  # the planner leaves it out for small scans; these are its entries for large ones
        low = json.loads(json.dumps(configurations["3d_fullres"]))
        low["spacing"] = [1.9 * mm for mm in low["spacing"]]
        low |= {"data_identifier": f"{name}_3d_lowres", "next_stage": "3d_cascade_fullres"}
        configurations["3d_lowres"] = low
        configurations["3d_cascade_fullres"] = {"inherits_from": "3d_fullres", "previous_stage": "3d_lowres"}
    for configuration, patch in variant.patches.items():
        shrink(configurations[configuration], patch, WIDTHS)
    path.write_text(json.dumps(plans, indent=2), encoding="utf-8")
    preprocess([variant.number], name, tuple(variant.patches), (1,) * len(variant.patches))
    return name


def train(work: Path, variant: Variant, plans_name: str, training: tuple[str, str], fold: int | str) -> None:
    """One of nnU-Net's own trainers with few short epochs, and without its validation of whole scans."""
    import nnunetv2
    import torch
    from nnunetv2.utilities.find_class_by_name import recursive_find_python_class

    configuration, trainer_name = training
    root = work / "preprocessed" / variant.folder
    plans = json.loads((root / f"{plans_name}.json").read_text(encoding="utf-8")) | {"continue_training": False}
    dataset = json.loads((root / "dataset.json").read_text(encoding="utf-8"))
    torch.manual_seed(variant.number)
    os.environ[WORKERS] = "0"
    place = str(Path(nnunetv2.__path__[0]) / "training" / "nnUNetTrainer")
    kind = recursive_find_python_class(place, trainer_name, "nnunetv2.training.nnUNetTrainer")
    trainer = kind(plans, configuration, fold, dataset, torch.device("cpu"))
    trainer.num_epochs, trainer.num_iterations_per_epoch = EPOCHS, variant.iterations
    trainer.num_val_iterations_per_epoch = 2
    trainer.run_training()


def results_folder(work: Path, variant: Variant, configuration: str, trainer: str) -> Path:
    """What a person would point at."""
    (found,) = (work / "results" / variant.folder).glob(f"{trainer}__*__{configuration}")
    return found


def age(root: Path) -> None:
    """Rewrite ``plans.json`` as nnU-Net wrote it before 2024: the network's numbers one by one."""
    plans = json.loads((root / "plans.json").read_text(encoding="utf-8"))
    for chosen in plans["configurations"].values():
        if "architecture" not in chosen:
            continue
        arguments = chosen.pop("architecture")["arch_kwargs"]
        features = arguments["features_per_stage"]
        chosen |= {
            "UNet_class_name": "PlainConvUNet",
            "UNet_base_num_features": features[0],
            "unet_max_num_features": max(features),
            "n_conv_per_stage_encoder": arguments["n_conv_per_stage"],
            "n_conv_per_stage_decoder": arguments["n_conv_per_stage_decoder"],
            "num_pool_per_axis": [len(features) - 1] * len(chosen["patch_size"]),
            "pool_op_kernel_sizes": arguments["strides"],
            "conv_kernel_sizes": arguments["kernel_sizes"],
        }
    (root / "plans.json").write_text(json.dumps(plans, indent=2), encoding="utf-8")


def train_all(work: Path, variant: Variant) -> None:
    """The data set, its plans and its trainings, once."""
    done = work / "done" / variant.folder
    if done.exists():
        return
    folder = work / "preprocessed" / variant.folder
    if not (folder / "splits_final.json").is_file():
        write_raw(work, variant)
        plan(work, variant)
    (name,) = (path.stem for path in folder.glob("*Plans.json"))
    for configuration, trainer, folds in variant.trainings:
        for fold in folds:
            train(work, variant, name, (configuration, trainer), fold)
        root = results_folder(work, variant, configuration, trainer)
        if variant.best_only:
            for fold in root.glob("fold_*"):
                shutil.move(fold / "checkpoint_final.pth", fold / "checkpoint_best.pth")
        if variant.old_plans:
            age(root)
    done.parent.mkdir(exist_ok=True)
    done.write_text("", encoding="utf-8")


def chosen(numbers: Sequence[int] | None) -> list[Variant]:
    """All of them, or those with the numbers."""
    return [variant for variant in VARIANTS if not numbers or variant.number in numbers]


def main() -> None:
    """Everything that is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of data sets")
    options = parser.parse_args()
    set_up(options.work)
    import torch

    torch.set_num_threads(1)
    for variant in chosen(options.only):
        train_all(options.work, variant)


if __name__ == "__main__":
    sys.exit(main())
