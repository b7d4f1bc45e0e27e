"""Writes ``Testing/Data/nnunet``: tiny nnU-Nets trained on phantoms, and what nnU-Net's own predictor makes of others.

Every set holds ``plans.json``, ``dataset.json``, the weights of its folds as safetensors, nnU-Net's label maps with
and without mirrors, and the versions that made them. The phantoms are made by code (``nnunet_phantoms.py``), so the
tests make the same scans and compare. Run in an environment with nnunetv2 beside this library.
"""

# ruff: noqa: E402
from __future__ import annotations

import argparse
import json
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from nnunet_agreement import nnunet_mask, versions
from nnunet_trainings import Case, Study, results_folder, set_up, train_all

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Testing" / "Python"))
from nnunet_phantoms import (
    SCANS,
    Phantom,
    make_phantom,
)

DESTINATION = ROOT / "Testing" / "Data" / "nnunet"


def images(phantom: Phantom) -> list[sitk.Image]:
    """The channels as ITK images."""
    return [_image(array, phantom.spacing) for array in phantom.channels]


def _image(array: np.ndarray, spacing: tuple[float, float, float]) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin((3.0, -20.0, 5.0))
    return image


def cases(data: Path, shape: tuple[int, int, int], spacing: tuple[float, float, float], **options: int) -> list[Case]:
    """Ten phantoms to train on; ``data`` is not read."""
    found = [make_phantom(seed, shape, spacing, **options) for seed in range(10)]
    return [(images(phantom), _image(phantom.labels, phantom.spacing)) for phantom in found]


SETS = {
    "plain": Study(
        911, "PhantomPlain", ("MRI",), {"background": 0, "shell": 1, "core": 2},
        partial(cases, shape=(26, 30, 28), spacing=(1.0, 1.0, 1.0)),
        (("3d_fullres", (0, 1)),), {"3d_fullres": (16, 16, 16)}, widths=(4, 8, 12), iterations=50,
    ),
    "regions": Study(
        912, "PhantomRegions", ("MRI", "CT"), {"background": 0, "body": [1, 2], "core": 2, "ignore": 3},
        partial(cases, shape=(30, 28, 10), spacing=(3.5, 1.0, 1.0), channels=2, border=3),
        (("3d_fullres", (0,)),), {"3d_fullres": (8, 16, 16)}, "nnUNetPlannerResEncM", (1, 2), (4, 8, 12), 50,
    ),
    "slices": Study(
        913, "PhantomSlices", ("rescale_to_0_1",), {"background": 0, "shell": 1, "core": 2},
        partial(cases, shape=(9, 34, 30), spacing=(1.0, 1.0, 4.0)),
        (("2d", (0,)),), {"2d": (16, 24)}, widths=(4, 8, 12), iterations=250,
    ),
}  # fmt: skip


def predictions(work: Path, study: Study, name: str) -> dict[str, np.ndarray]:
    """nnU-Net's label maps (k, j, i) of every scan of a set, with and without mirrors."""
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    (configuration, folds) = study.trainings[0]
    found = {}
    for mirrors in (False, True):
        predictor = nnUNetPredictor(
            perform_everything_on_device=False, use_mirroring=mirrors, device=torch.device("cpu"), allow_tqdm=False
        )
        predictor.initialize_from_trained_model_folder(str(results_folder(work, study, configuration)), folds)
        for scan, arguments in SCANS[name].items():
            phantom = make_phantom(**arguments)  # type: ignore[arg-type]
            files = []
            for number, image in enumerate(images(phantom)):
                files.append(work / f"{number}.nii.gz")
                sitk.WriteImage(image, str(files[-1]))
            mask, _ = nnunet_mask(predictor, files)
            found[f"{scan}-{'mirrors' if mirrors else 'plain'}"] = mask.astype(np.uint8)
            print(name, scan, mirrors, np.bincount(mask.ravel()), np.bincount(phantom.labels.ravel()), flush=True)
    return found


def store(work: Path, study: Study, name: str) -> None:
    """Write one set."""
    from SUREUncertaintyLib.packages.nnunet.checkpoint import convert_nnunet_checkpoint

    target = DESTINATION / name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    (configuration, folds) = study.trainings[0]
    root = results_folder(work, study, configuration)
    for document in ("plans.json", "dataset.json"):
        shutil.copyfile(root / document, target / document)
    facts: Any = None
    for fold in folds:
        source = root / f"fold_{fold}" / "checkpoint_final.pth"
        facts = convert_nnunet_checkpoint(source, target / f"fold_{fold}.safetensors")
    np.savez_compressed(target / "masks.npz", **predictions(work, study, name))
    made = {
        "configuration": facts.configuration,
        "trainer": facts.trainer,
        "mirror_axes": list(facts.mirror_axes),
        "versions": versions(),
    }
    (target / "made.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Train what is not there yet and write every set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(SETS), help="names of sets")
    options = parser.parse_args()
    set_up(options.work)
    import torch

    torch.set_num_threads(1)
    for name in options.only:
        train_all(options.work, SETS[name], options.work)
        store(options.work, SETS[name], name)


if __name__ == "__main__":
    main()
