"""Three of the five folds that nnU-Net makes, trained on hippocampi, for ``Testing/Studies/frozen_study.py``.

Trained on neither the tuning nor the validation patients of ``hippocampus-t1-plain``. nnU-Net's own planner, split and
trainer, a narrow network, 1000 steps a fold: minutes each on one core. Run in an environment with nnunetv2 beside this
library; no scan leaves WORK. What it prints last is the folder for ``sure models import``.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import replace
from pathlib import Path

import SimpleITK as sitk
import yaml
from nnunet_trainings import Case, Study, results_folder, set_up, train_all

RECIPE = Path("SUREUncertainty") / "SUREUncertaintyLib" / "recipes" / "hippocampus-t1-plain.yaml"
CONFIGURATION = "3d_fullres"


def training_hippocampi(data: Path) -> list[Case]:
    """T1 crops of the training split without the tuning patients, 1 mm."""
    root, recipe = data / "msd_hippocampus", Path(__file__).resolve().parents[2] / RECIPE
    tuning = {str(group) for group in yaml.safe_load(recipe.read_text(encoding="utf-8"))["data"]["tuning_groups"]}
    with (root / "splits.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "train" and row["subject_group"] not in tuning]
    return [
        (
            [sitk.ReadImage(str(root / "images" / row["file"]), sitk.sitkFloat32)],
            sitk.ReadImage(str(root / "labels" / row["file"]), sitk.sitkUInt8),
        )
        for row in rows
    ]


FOLDS = Study(
    910, "Hippocampus", ("MRI",), {"background": 0, "anterior": 1, "posterior": 2}, training_hippocampi,
    ((CONFIGURATION, (0, 1, 2)),), {CONFIGURATION: (24, 32, 24)},
)  # fmt: skip


def main() -> None:
    """Every fold asked for that is not there yet; folds may be trained side by side once the first has begun."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--folds", type=int, nargs="*", default=[0, 1, 2])
    options = parser.parse_args()
    set_up(options.work)
    import torch

    torch.set_num_threads(1)
    train_all(options.work, replace(FOLDS, trainings=((CONFIGURATION, tuple(options.folds)),)), options.data)
    print(results_folder(options.work, FOLDS, CONFIGURATION))


if __name__ == "__main__":
    sys.exit(main())
