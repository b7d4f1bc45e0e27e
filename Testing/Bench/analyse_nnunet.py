"""``sure analyse`` on probabilities that nnU-Net itself has written: does its label map come back?

Raw outputs are made up here; resampling, crop, transposes, reader and files are nnU-Net's own. Run it in an environment
with nnunetv2, with the library on PYTHONPATH:

    python Testing/Bench/analyse_nnunet.py
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.fusion.analyse import FusionInput, analyse_probabilities
from SUREUncertaintyLib.fusion.class_names import read_naming

READERS = ("SimpleITKIO", "NibabelIO", "NibabelIOWithReorient")
ORDERS = ("RAS", "LPS", "PSL", "IRA")
TRANSPOSES = ([0, 1, 2], [2, 0, 1])
DATASETS: dict[str, dict[str, Any]] = {
    "classes": {"labels": {"background": 0, "Liver": 1, "Tumour": 2}},
    "regions": {"labels": {"background": 0, "whole": [1, 2], "core": [2]}, "regions_class_order": [1, 2]},
}


def rows() -> Iterator[dict[str, Any]]:
    """One a kind of output, reader, storage order and transpose."""
    with tempfile.TemporaryDirectory() as scratch:
        for kind, reader, order, forward in product(DATASETS, READERS, ORDERS, TRANSPOSES):
            folder = Path(scratch) / f"{kind}-{reader}-{order}-{forward[0]}"
            folder.mkdir()
            yield {"kind": kind, "reader": reader, "order": order, "transpose": forward} | _differences(
                folder, kind, reader, order, forward
            )


def _differences(folder: Path, kind: str, reader: str, order: str, forward: list[int]) -> dict[str, int]:
    dataset = DATASETS[kind] | {"channel_names": {"0": "MRI"}, "numTraining": 1, "file_ending": ".nii.gz"}
    (folder / "dataset.json").write_text(json.dumps(dataset))
    scan = _write_scan(folder / "scan_0000.nii.gz", order)
    _export(scan, folder / "case", dataset, reader, forward)
    naming = read_naming(str(folder / "dataset.json"))
    found = analyse_probabilities(FusionInput(scan, [folder / "case.npz"], naming))
    expected = read_volume(folder / "case.nii.gz")
    if not expected.grid.matches(found.labels.grid):
        raise SystemExit(f"{folder.name}: the label map of nnU-Net lies elsewhere")
    different = np.count_nonzero(expected.array != found.labels.array)
    return {
        "different": int(different),
        "marked": int(np.count_nonzero(expected.array)),
        "voxels": found.labels.array.size,
    }


def _write_scan(path: Path, order: str) -> Path:
    """Smooth noise of 1 x 1.2 x 2 mm inside a border of zeros, which nnU-Net crops off."""
    array = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(18, 30, 26)), 2.0)
    image = sitk.GetImageFromArray(np.pad(array * 100 + 50, ((1, 2), (3, 1), (2, 4))).astype(np.float32))
    image.SetSpacing((1.0, 1.2, 2.0))
    sitk.WriteImage(sitk.DICOMOrient(image, order), str(path))
    return path


def _export(scan: Path, target: Path, dataset: dict[str, Any], reader: str, forward: list[int]) -> None:
    """Preprocess the scan, take its grey values as raw outputs, and let nnU-Net write what it writes."""
    import torch
    from nnunetv2.inference.export_prediction import export_prediction_from_logits
    from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    plans = PlansManager(_plans(reader, forward))
    configuration = plans.get_configuration("3d_fullres")
    prepared = DefaultPreprocessor(verbose=False).run_case([str(scan)], None, plans, configuration, dataset)
    image, properties = np.asarray(prepared[0][0]), prepared[2]
    classes = [image, 3 * image - 2] if "regions_class_order" in dataset else [0.3 + 0 * image, image, -image]
    logits = torch.from_numpy(np.stack(classes).astype(np.float32) * 2)
    export_prediction_from_logits(logits, properties, configuration, plans, dataset, str(target), True, 1)


def _plans(reader: str, forward: list[int]) -> dict[str, Any]:
    """As much of a plans.json as preprocessing and export look at."""
    resampling = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
    functions = {f"resampling_fn_{name}": "resample_data_or_seg_to_shape" for name in ("data", "seg", "probabilities")}
    arguments = {f"{name}_kwargs": resampling for name in functions}
    configuration = (
        functions
        | arguments
        | {
            "data_identifier": "x",
            "architecture": {"network_class_name": "x", "arch_kwargs": {}, "_kw_requires_import": []},
            "preprocessor_name": "DefaultPreprocessor",
            "patch_size": [16, 16, 16],
            "spacing": [1.5, 1.5, 1.5],
            "normalization_schemes": ["ZScoreNormalization"],
            "use_mask_for_norm": [False],
        }
    )
    return {
        "dataset_name": "x",
        "plans_name": "x",
        "image_reader_writer": reader,
        "transpose_forward": forward,
        "transpose_backward": [int(n) for n in np.argsort(forward)],
        "foreground_intensity_properties_per_channel": {"0": {}},
        "label_manager": "LabelManager",
        "configurations": {"3d_fullres": configuration},
    }


def main() -> None:
    """Print one line a case, and the sum."""
    total = 0
    for row in rows():
        total += row["different"]
        print(json.dumps(row), flush=True)
    print(json.dumps({"different_voxels_of_all_cases": total}))


if __name__ == "__main__":
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        os.environ.setdefault(name, tempfile.gettempdir())
    main()
