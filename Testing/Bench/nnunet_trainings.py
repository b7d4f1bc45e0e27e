"""Small nnU-Nets, trained by nnU-Net's own planner and trainer, for ``nnunet_agreement.py``.

Every data set asks for something else of the pipeline: plain, regions with two channels and a mask, slices with thick
spacing, and CT stored so that nnU-Net transposes its axes. Run in an environment with nnunetv2; no scan leaves WORK.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

WIDTHS = (8, 16, 32, 48)
EPOCHS = 5
ITERATIONS = 200
WORKERS = "nnUNet_n_proc_DA"
"""nnU-Net's variable for processes that augment; the planner refuses 0, which trains in one process."""
Case = tuple[list[sitk.Image], sitk.Image]


@dataclass(frozen=True)
class Study:
    """One data set and the networks that are trained on it."""

    number: int
    name: str
    channels: tuple[str, ...]
    labels: dict[str, Any]
    cases: Callable[[Path], list[Case]]
    trainings: tuple[tuple[str, tuple[int, ...]], ...]
    patches: dict[str, tuple[int, ...]]
    planner: str = "ExperimentPlanner"
    order: tuple[int, ...] | None = None
    widths: tuple[int, ...] = WIDTHS
    iterations: int = ITERATIONS

    @property
    def folder(self) -> str:
        """As nnU-Net names it."""
        return f"Dataset{self.number:03d}_{self.name}"


def hippocampi(data: Path) -> list[Case]:
    """Ten T1 crops of the training split, 1 mm."""
    root = data / "msd_hippocampus"
    rows = [line.split(",") for line in (root / "splits.csv").read_text().splitlines()[1:]]
    names = [row[0] for row in rows if row[3] == "train"][:10]
    pairs = [(sitk.ReadImage(str(root / "images" / n)), sitk.ReadImage(str(root / "labels" / n))) for n in names]
    return [([sitk.Cast(image, sitk.sitkFloat32)], sitk.Cast(label, sitk.sitkUInt8)) for image, label in pairs]


def bordered(data: Path) -> list[Case]:
    """The same in a wide border of zeros, so that nnU-Net crops and masks; a smoothed copy is the second channel."""
    found = []
    for (image,), label in hippocampi(data):
        wide = sitk.ConstantPad(image + 1.0, (15, 20, 12), (20, 15, 18), 0.0)
        soft = sitk.DiscreteGaussian(wide, 2.0) * sitk.Cast(wide != 0, sitk.sitkFloat32)
        found.append(([wide, soft], sitk.ConstantPad(label, (15, 20, 12), (20, 15, 18), 0)))
    return found


def hearts(data: Path) -> list[Case]:
    """Ten cine crops with slices of 5 to 10 mm."""
    root = data / "acdc_noncommercial" / "roi"
    names = sorted(path.name.removesuffix("_ED.nii.gz") for path in root.glob("*_ED.nii.gz"))[:10]
    read = [(root / f"{name}_ED.nii.gz", root / f"{name}_ED_gt.nii.gz") for name in names]
    return [
        ([sitk.ReadImage(str(image), sitk.sitkFloat32)], sitk.ReadImage(str(label), sitk.sitkUInt8))
        for image, label in read
    ]


def spleens(data: Path) -> list[Case]:
    """One CT five times, shifted and cut differently, stored with its thick axis last: nnU-Net has to transpose."""
    root = data / "ood_io" / "msd_spleen_crop"
    image = sitk.ReadImage(str(next(root.glob("sub-*/**/*.nii.gz"))), sitk.sitkFloat32)
    label = sitk.ReadImage(str(next((root / "derivatives").rglob("*.nii.gz"))), sitk.sitkUInt8)
    found = []
    for number in range(5):
        low = [4 * number, 3 * number, 0]
        cut = [slice(a, a + 144) for a in low[:2]]
        part, mask = image[cut[0], cut[1], :] + 3.0 * number, label[cut[0], cut[1], :]
        found.append(([_sideways(part)], _sideways(mask)))
    return found


def _sideways(image: sitk.Image) -> sitk.Image:
    return sitk.PermuteAxes(image, [2, 0, 1])


STUDIES = (
    Study(
        901, "Plain", ("MRI",), {"background": 0, "anterior": 1, "posterior": 2}, hippocampi,
        (("3d_fullres", (0, 1)), ("2d", (0,))), {"3d_fullres": (24, 32, 24), "2d": (40, 32)},
    ),
    Study(
        902, "Regions", ("MRI", "rescale_to_0_1"), {"background": 0, "whole": [1, 2], "posterior": 2}, bordered,
        (("3d_fullres", (0,)),), {"3d_fullres": (24, 32, 24)}, "nnUNetPlannerResEncM", (1, 2),
    ),
    Study(
        903, "Slices", ("MRI",), {"background": 0, "rv": 1, "myocardium": 2, "lv": 3}, hearts,
        (("2d", (0,)),), {"2d": (64, 64)},
    ),
    Study(
        904, "Sideways", ("CT",), {"background": 0, "spleen": 1}, spleens,
        (("3d_fullres", (0,)),), {"3d_fullres": (8, 32, 32)},
    ),
)  # fmt: skip


def set_up(work: Path) -> None:
    """Tell nnU-Net where its folders are; before it is imported."""
    for name in ("raw", "preprocessed", "results"):
        (work / name).mkdir(parents=True, exist_ok=True)
        os.environ[f"nnUNet_{name}"] = str(work / name)
    os.environ |= {WORKERS: "1", "nnUNet_def_n_proc": "1", "nnUNet_compile": "f"}


def results_folder(work: Path, study: Study, configuration: str) -> Path:
    """What a person would point at."""
    plans = "nnUNetPlans" if study.planner == "ExperimentPlanner" else "nnUNetResEncUNetMPlans"
    return work / "results" / study.folder / f"nnUNetTrainer_{EPOCHS}epochs__{plans}__{configuration}"


def write_raw(work: Path, study: Study, data: Path) -> None:
    """The data set as nnU-Net wants it."""
    root = work / "raw" / study.folder
    for name in ("imagesTr", "labelsTr"):
        (root / name).mkdir(parents=True, exist_ok=True)
    cases = study.cases(data)
    for number, (images, label) in enumerate(cases):
        for channel, image in enumerate(images):
            sitk.WriteImage(image, str(root / "imagesTr" / f"case_{number:03d}_{channel:04d}.nii.gz"))
        label.CopyInformation(images[0])
        sitk.WriteImage(label, str(root / "labelsTr" / f"case_{number:03d}.nii.gz"))
    document: dict[str, Any] = {
        "channel_names": {str(number): name for number, name in enumerate(study.channels)},
        "labels": study.labels,
        "numTraining": len(cases),
        "file_ending": ".nii.gz",
    }
    if study.order:
        document["regions_class_order"] = list(study.order)
    (root / "dataset.json").write_text(json.dumps(document, indent=2))


def plan(work: Path, study: Study) -> str:
    """nnU-Net's own plans with narrow networks and small windows, so that minutes are enough. Returns their name."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess

    extract_fingerprints([study.number], num_processes=1)
    name = str(plan_experiments([study.number], study.planner, gpu_memory_target_in_gb=None))
    path = work / "preprocessed" / study.folder / f"{name}.json"
    plans = json.loads(path.read_text())
    for configuration, patch in study.patches.items():
        shrink(plans["configurations"][configuration], patch, study.widths)
    path.write_text(json.dumps(plans, indent=2))
    preprocess([study.number], name, tuple(study.patches), (1,) * len(study.patches))
    return name


def shrink(configuration: dict[str, Any], patch: Sequence[int], widths: Sequence[int]) -> None:
    """Cut a configuration's network and window to few stages of these widths."""
    arguments = configuration["architecture"]["arch_kwargs"]
    stages = min(len(widths), int(arguments["n_stages"]))
    arguments |= {"n_stages": stages, "features_per_stage": list(widths[:stages])}
    for name in ("kernel_sizes", "strides", "n_conv_per_stage", "n_blocks_per_stage"):
        if name in arguments:
            arguments[name] = arguments[name][:stages]
    arguments["n_conv_per_stage_decoder"] = arguments["n_conv_per_stage_decoder"][: stages - 1]
    configuration |= {"patch_size": list(patch), "batch_size": 2}
    for axis, size in enumerate(patch):
        total = int(np.prod([stride[axis] for stride in arguments["strides"]]))
        if size % total:
            raise SystemExit(f"the window {patch} is no multiple of {total} along axis {axis}")


def train(work: Path, study: Study, plans_name: str, configuration: str, fold: int) -> None:
    """nnU-Net's own trainer with few iterations an epoch."""
    import torch
    from nnunetv2.training.nnUNetTrainer.variants.training_length.nnUNetTrainer_Xepochs import nnUNetTrainer_5epochs

    if (results_folder(work, study, configuration) / f"fold_{fold}" / "checkpoint_final.pth").is_file():
        return
    root = work / "preprocessed" / study.folder
    plans = json.loads((root / f"{plans_name}.json").read_text()) | {"continue_training": False}
    dataset = json.loads((root / "dataset.json").read_text())
    torch.manual_seed(fold)
    os.environ[WORKERS] = "0"
    trainer = nnUNetTrainer_5epochs(plans, configuration, fold, dataset, torch.device("cpu"))
    trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = study.iterations, 5
    trainer.run_training()


def main() -> None:
    """Everything that is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of data sets")
    options = parser.parse_args()
    set_up(options.work)
    import torch

    torch.set_num_threads(1)
    for study in STUDIES:
        if not options.only or study.number in options.only:
            train_all(options.work, study, options.data)


def train_all(work: Path, study: Study, data: Path) -> None:
    """The data set, its plans and every training of a study, as far as they are not there yet."""
    plans = "nnUNetPlans" if study.planner == "ExperimentPlanner" else "nnUNetResEncUNetMPlans"
    if not (work / "preprocessed" / study.folder / f"{plans}.json").is_file():
        write_raw(work, study, data)
        os.environ[WORKERS] = "1"
        plans = plan(work, study)
    for configuration, folds in study.trainings:
        for fold in folds:
            train(work, study, plans, configuration, fold)


if __name__ == "__main__":
    sys.exit(main())
