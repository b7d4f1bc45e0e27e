"""The networks of ``nnunet_variants.py``, imported, against nnU-Net's own predictor on scans of many kinds.

Both sides read the same files, nnU-Net by the reader of the training. Scans are made up and were not trained on. Run in
an environment with nnunetv2 beside this library; writes one JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from nnunet_agreement import LEAST_VOXELS, ROOT, Images, bordered, dice, flipped, our_mask, resampled, thick, versions
from nnunet_float32 import float32_sums
from nnunet_trainings import set_up
from nnunet_variants import VARIANTS, Variant, chosen, made_up, results_folder

SEED = 100
MIRRORED = ("as_stored", "sideways")


def as_stored(images: Images) -> Images:
    """Unchanged."""
    return images


def sideways(images: Images) -> Images:
    """Stored with its axes in another order; the same patient."""
    return [sitk.PermuteAxes(image, [2, 0, 1]) for image in images]


def oblique(images: Images) -> Images:
    """The stack leans by 17 degrees about one axis and 23 about another."""
    turn = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.3, 0.0, 0.4).GetMatrix()
    for image in images:
        image.SetDirection(turn)
    return images


def leaning_and_flipped(images: Images) -> Images:
    """As oblique, stored against two axes and in another order."""
    return sideways(flipped(oblique(images)))


def small(images: Images) -> Images:
    """Cut to less than a window along every axis."""
    low = [max(0, n // 2 - 9) for n in images[0].GetSize()]
    size = [min(19, n) for n in images[0].GetSize()]
    return [sitk.RegionOfInterest(image, size, low) for image in images]


def wide(images: Images) -> Images:
    """Beside itself twice: many windows."""
    return [sitk.Tile([image, image, image, image], [2, 2, 1]) for image in images]


def one_slice(images: Images) -> Images:
    """A stack of one slice."""
    return _slices(images, 1)


def three_slices(images: Images) -> Images:
    """A stack of three slices."""
    return _slices(images, 3)


def _slices(images: Images, count: int) -> Images:
    first = images[0].GetSize()[2] // 2
    return [image[:, :, first : first + count] for image in images]


def whole_numbers(images: Images) -> Images:
    """Stored as int16."""
    return [sitk.Cast(image, sitk.sitkInt16) for image in images]


def bytes_only(images: Images) -> Images:
    """Stored as uint8, cut off at 255."""
    return [sitk.Cast(sitk.Clamp(image, sitk.sitkFloat32, 0.0, 255.0), sitk.sitkUInt8) for image in images]


def empty(images: Images) -> Images:
    """Nothing but zeros."""
    return [image * 0.0 for image in images]


SCANS: tuple[Callable[[Images], Images], ...] = (
    *(as_stored, resampled, thick, flipped, sideways, oblique, leaning_and_flipped, bordered, small, wide),
    *(one_slice, three_slices, whole_numbers, bytes_only, empty),
)


def predictor_of(root: Path, folds: Sequence[int | str], mirrors: bool, checkpoint: str) -> Any:
    """nnU-Net's own predictor of a training."""
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(
        use_mirroring=mirrors, device=torch.device("cpu"), allow_tqdm=False, perform_everything_on_device=False
    )
    predictor.initialize_from_trained_model_folder(str(root), tuple(folds), checkpoint)  # type: ignore[arg-type]
    return predictor


def nnunet_mask(predictor: Any, files: Sequence[Path], folder: Path) -> np.ndarray:
    """nnU-Net's label map (k, j, i) as stored, read and written by the reader of the training."""
    reader = predictor.plans_manager.image_reader_writer_class()
    image, properties = reader.read_images([str(path) for path in files])
    mask = predictor.predict_single_npy_array(image, properties, None, None, False)
    written = folder / f"mask{files[0].name[len('0') :]}"
    reader.write_seg(mask, str(written), properties)
    return sitk.GetArrayFromImage(sitk.ReadImage(str(written)))


def row_of(variant: Variant, predictor: Any, package: Any, engine: Any, images: Images) -> dict[str, Any]:
    """One scan by both, nnU-Net as it is and with sums in float32."""
    from SUREUncertaintyLib.core.errors import InputError

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = [folder / f"{number}{variant.ending}" for number in range(len(images))]
        for image, path in zip(images, files, strict=True):
            sitk.WriteImage(image, str(path))
        theirs = nnunet_mask(predictor, files, folder)
        with float32_sums():
            exact = nnunet_mask(predictor, files, folder)
        try:
            ours = our_mask(package, engine, files)[0]
        except InputError as refusal:
            return {"shape": list(theirs.shape), "refused": str(refusal)}
    return {**scores_of(theirs, ours, package), "differing_float32": int((exact != ours).sum())}


def scores_of(theirs: np.ndarray, ours: np.ndarray, package: Any) -> dict[str, Any]:
    """Both label maps, structure by structure."""
    labels = package.metadata.foreground
    scores = {label.name: dice(theirs, ours, label.value) for label in labels}
    sizes = {label.name: int((theirs == label.value).sum()) for label in labels}
    large = [score for name, score in scores.items() if score is not None and sizes[name] >= LEAST_VOXELS]
    return {
        "shape": list(theirs.shape),
        "voxels": int((theirs != 0).sum()),
        "differing": int((theirs != ours).sum()),
        "lowest_dice": min(large) if large else None,
    }


def compare(work: Path, variant: Variant, training: tuple[str, str, tuple[int | str, ...]]) -> list[dict[str, Any]]:
    """One row a scan and choice of mirrors."""
    from SUREUncertaintyLib.inference.engine_choice import create_member_engine
    from SUREUncertaintyLib.inference.native.choice import MemberChoice

    configuration, trainer, folds = training
    root = results_folder(work, variant, configuration, trainer)
    package = imported(work, root, f"{variant.name}-{configuration}")
    checkpoint = "checkpoint_best.pth" if variant.best_only else "checkpoint_final.pth"
    rows = []
    for mirrors in (False, True):
        predictor = predictor_of(root, folds, mirrors, checkpoint)
        engine = create_member_engine(package, "openvino", "cpu", 1, choice=MemberChoice(None, mirrors))
        for scan in SCANS:
            if mirrors and scan.__name__ not in MIRRORED:
                continue
            row = row_of(variant, predictor, package, engine, scan(made_up(variant, SEED)[0]))
            names = {"study": variant.name, "configuration": configuration, "trainer": trainer, "folds": len(folds)}
            rows.append({**names, "mirrors": mirrors, "passes": engine.passes, "scan": scan.__name__, **row})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def imported(work: Path, root: Path, name: str) -> Any:
    """The package of a training, imported once."""
    from SUREUncertaintyLib.packages.importing import import_package
    from SUREUncertaintyLib.packages.package import load_package

    os.environ["SURE_MODELS"] = str(work / "models")
    place = work / "models" / name
    return load_package(place) if place.is_dir() else import_package(root, name)


def compared(work: Path, variant: Variant, training: tuple[str, str, tuple[int | str, ...]]) -> list[dict[str, Any]]:
    """The rows of one training, from an earlier call where they are there."""
    kept = work / "agreement" / f"{variant.name}-{training[0]}.json"
    if not kept.is_file():
        rows = compare(work, variant, training)
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(rows), encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def document_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What is recorded."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = [row["lowest_dice"] for row in rows if row.get("lowest_dice") is not None]
    return {
        "schema": "sure-uncertainty/nnunet-variants/1",
        "commit": commit.strip(),
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, 1 thread",
        "versions": versions(),
        "lowest_dice": min(found) if found else None,
        "rows": list(rows),
    }


def main() -> None:
    """Compare everything that was trained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=ROOT / "Testing" / "Bench" / "results" / "nnunet-variants.json")
    parser.add_argument("--only", type=int, nargs="*", help=f"numbers of data sets, of {len(VARIANTS)}")
    options = parser.parse_args()
    set_up(options.work)
    import torch

    torch.set_num_threads(1)
    rows = []
    for variant in chosen(options.only):
        for training in variant.trainings:
            rows += compared(options.work, variant, training)
    options.output.write_text(json.dumps(document_of(rows), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
