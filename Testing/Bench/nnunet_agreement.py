"""Imported nnU-Nets against nnU-Net's own predictor, both in one process: masks, structure by structure, and time.

Networks come from ``nnunet_trainings.py``. Scans are cases of nnU-Net's data folder as they are, resampled, stored
flipped, and in a border of zeros; windows are smaller than all of them. Run in an environment with nnunetv2 beside
this library; writes one JSON. No scan is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from nnunet_trainings import STUDIES, Study, results_folder, set_up

ROOT = Path(__file__).resolve().parents[2]
CASES = ("case_000", "case_003")
LEAST_VOXELS = 500
"""Smaller structures stand apart: in them a single voxel costs more than 0.001 of Dice."""

Images = list[sitk.Image]


def resampled(images: Images) -> Images:
    """To a spacing of its own along every axis."""
    return [_resample(image, (1.27, 0.83, 1.61)) for image in images]


def thick(images: Images) -> Images:
    """Slices four times as thick along the first axis as stored, so that it is resampled apart."""
    return [_resample(image, (4.0, 1.0, 1.0)) for image in images]


def flipped(images: Images) -> Images:
    """Stored against two of its axes; the same patient."""
    return [sitk.Flip(image, (True, False, True)) for image in images]


def bordered(images: Images) -> Images:
    """Wide zeros around it."""
    return [sitk.ConstantPad(image, (17, 9, 11), (8, 21, 6), 0.0) for image in images]


def as_stored(images: Images) -> Images:
    """Unchanged."""
    return images


VARIANTS: tuple[Callable[[Images], Images], ...] = (as_stored, resampled, thick, flipped, bordered)


def _resample(image: sitk.Image, factors: Sequence[float]) -> sitk.Image:
    spacing = [mm * factor for mm, factor in zip(image.GetSpacing(), factors, strict=True)]
    size = [max(1, int(n / factor)) for n, factor in zip(image.GetSize(), factors, strict=True)]
    return sitk.Resample(
        image, size, sitk.Transform(), sitk.sitkLinear, image.GetOrigin(), spacing, image.GetDirection(), 0.0
    )


def read_case(work: Path, study: Study, case: str) -> Images:
    """The channels of one case of nnU-Net's data folder."""
    folder = work / "raw" / study.folder / "imagesTr"
    return [sitk.ReadImage(str(path), sitk.sitkFloat32) for path in sorted(folder.glob(f"{case}_*.nii.gz"))]


def nnunet_mask(predictor: Any, files: Sequence[Path]) -> tuple[np.ndarray, float]:
    """nnU-Net's label map (k, j, i) of a scan in files, and the seconds of processor time for it."""
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO

    start = time.process_time()
    image, properties = SimpleITKIO().read_images([str(path) for path in files])
    mask = predictor.predict_single_npy_array(image, properties, None, None, False)
    return np.asarray(mask), time.process_time() - start


def our_mask(package: Any, engine: Any, files: Sequence[Path]) -> tuple[np.ndarray, float]:
    """This library's label map of the same files, with its maps, and the seconds of processor time for it."""
    from SUREUncertaintyLib.files.reading import read_volume
    from SUREUncertaintyLib.inference.segmenter import segment

    start = time.process_time()
    volumes = [read_volume(path) for path in files]
    names = [channel.name for channel in package.metadata.pipeline.channels]
    others = dict(zip(names[1:], volumes[1:], strict=True))
    result = segment(volumes[0], package, engine, channels=others)
    return result.labels.array, time.process_time() - start


def dice(one: np.ndarray, other: np.ndarray, value: int) -> float | None:
    """Of one structure; None where neither has it."""
    a, b = one == value, other == value
    return 2.0 * int((a & b).sum()) / int(a.sum() + b.sum()) if a.any() or b.any() else None


def compare(work: Path, study: Study, configuration: str, folds: tuple[int, ...], package: Any) -> list[dict[str, Any]]:
    """One row a scan, variant and choice of mirrors."""
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from SUREUncertaintyLib.inference.engine_choice import create_member_engine
    from SUREUncertaintyLib.inference.native.choice import MemberChoice

    rows = []
    for mirrors in (False, True):
        options = {"use_mirroring": mirrors, "device": torch.device("cpu"), "allow_tqdm": False}
        predictor = nnUNetPredictor(perform_everything_on_device=False, **options)
        predictor.initialize_from_trained_model_folder(str(results_folder(work, study, configuration)), folds)
        engine = create_member_engine(package, "openvino", "cpu", 1, choice=MemberChoice(None, mirrors))
        # mirrors cost nnU-Net eight times as long
        for case, variant in product(CASES[:1], VARIANTS[:2]) if mirrors else product(CASES, VARIANTS):
            row = _row(predictor, package, engine, variant(read_case(work, study, case)))
            names = {"study": study.name, "configuration": configuration, "folds": len(folds), "mirrors": mirrors}
            rows.append({**names, "case": case, "variant": variant.__name__, "passes": engine.passes, **row})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def _row(predictor: Any, package: Any, engine: Any, images: Images) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.nii.gz" for number in range(len(images))]
        for image, path in zip(images, files, strict=True):
            sitk.WriteImage(image, str(path))
        theirs, their_seconds = nnunet_mask(predictor, files)
        ours, our_seconds = our_mask(package, engine, files)
    labels = package.metadata.foreground
    scores = {label.name: dice(theirs, ours, label.value) for label in labels}
    sizes = {label.name: int((theirs == label.value).sum()) for label in labels}
    found = [score for name, score in scores.items() if score is not None and sizes[name] >= LEAST_VOXELS]
    return {
        "shape": list(theirs.shape),
        "voxels": int((theirs != 0).sum()),
        "differing": int((theirs != ours).sum()),
        "dice": scores,
        "structure_voxels": sizes,
        "lowest_dice": min(found) if found else None,
        "nnunet_s": round(their_seconds, 2),
        "sure_s": round(our_seconds, 2),
    }


def imported(work: Path, study: Study, configuration: str) -> Any:
    """The package of a training, imported once."""
    from SUREUncertaintyLib.packages.importing import import_package
    from SUREUncertaintyLib.packages.package import load_package

    os.environ["SURE_MODELS"] = str(work / "models")
    name = f"{study.name}-{configuration}"
    if (work / "models" / name).is_dir():
        return load_package(work / "models" / name)
    return import_package(results_folder(work, study, configuration), name)


def versions() -> dict[str, str]:
    """What both sides ran on."""
    from importlib.metadata import version

    import nnunetv2  # noqa: F401 - its presence is the point
    import openvino
    import torch

    names = ("nnunetv2", "dynamic_network_architectures", "numpy", "scipy", "scikit-image", "SimpleITK")
    found = {name: version(name) for name in names}
    return {**found, "torch": torch.__version__, "openvino": openvino.__version__, "python": platform.python_version()}


def _compared(work: Path, study: Study, configuration: str, folds: tuple[int, ...]) -> list[dict[str, Any]]:
    """The rows of one training, from an earlier call where they are there; none before it is trained."""
    root = results_folder(work, study, configuration)
    if not all((root / f"fold_{fold}" / "checkpoint_final.pth").is_file() for fold in folds):
        return []
    kept = work / "agreement" / f"{study.name}-{configuration}.json"
    if not kept.is_file():
        rows = compare(work, study, configuration, folds, imported(work, study, configuration))
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(rows), encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Compare everything that was trained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=ROOT / "Testing" / "Bench" / "results" / "nnunet-agreement.json")
    parser.add_argument("--only", type=int, nargs="*", help="numbers of data sets")
    options = parser.parse_args()
    set_up(options.work)
    import torch

    torch.set_num_threads(1)
    rows = []
    for study in STUDIES:
        for configuration, folds in study.trainings:
            if options.only and study.number not in options.only:
                continue
            rows += _compared(options.work, study, configuration, folds)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = [row["lowest_dice"] for row in rows if row["lowest_dice"] is not None]
    document = {
        "schema": "sure-uncertainty/nnunet-agreement/1",
        "commit": commit.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, 1 thread",
        "versions": versions(),
        "lowest_dice": min(found) if found else None,
        "rows": rows,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
