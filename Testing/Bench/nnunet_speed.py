"""A network of the published size (31 M parameters): time and memory of nnU-Net's own CPU path and of this library.

Both in turns, in processes of their own, with one fold and no mirrors, on a scan of eight windows. Time is that of the
processor, which other work on the machine hardly changes, beside the seconds that passed. Run in an environment
with nnunetv2 beside this library; writes one JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Testing" / "Python"))
OUTPUT = ROOT / "Testing" / "Bench" / "results" / "nnunet-speed.json"
SHAPE, SPACING = (192, 192, 192), (1.5, 1.5, 1.5)
RESULTS = Path("Dataset500_Big") / "nnUNetTrainer__nnUNetPlans__3d_fullres"


def write_network(results: Path) -> float:
    """An ordinary nnU-Net of three classes that marks what is bright. Returns millions of parameters."""
    from totalsegmentator_folders import PUBLISHED, bright_network, write_dataset

    network = bright_network(3, 1, PUBLISHED)
    write_dataset(results, "Dataset500_Big", ("a", "b"), SPACING[::-1], network, "nnUNetTrainer", size=PUBLISHED)
    return sum(tensor.numel() for tensor in network.parameters()) / 1e6


def write_scan(path: Path) -> None:
    """Three bright balls in noise, so that as much is found as in a scan of a body and not specks everywhere."""
    k, j, i = np.indices(SHAPE[::-1])
    grey = np.random.default_rng(0).normal(100, 10, SHAPE[::-1])
    for centre, radius in (((40, 40, 60), 25), ((100, 80, 50), 20), ((120, 90, 100), 15)):
        grey[sum((axis - at) ** 2 for axis, at in zip((k, j, i), centre, strict=True)) < radius**2] += 100
    image = sitk.GetImageFromArray(grey.astype(np.float32))
    image.SetSpacing(SPACING)
    sitk.WriteImage(image, str(path))


def one_run(side: str, folder: Path, threads: int) -> dict[str, Any]:
    """In this process: time of one scan once the network is read, and the peak of memory."""
    scan = folder / "scan.nii.gz"
    if side == "nnunet":
        import torch
        from nnunet_agreement import nnunet_mask
        from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

        torch.set_num_threads(threads)
        options = {"use_mirroring": False, "device": torch.device("cpu"), "allow_tqdm": False}
        predictor = nnUNetPredictor(perform_everything_on_device=False, **options)
        predictor.initialize_from_trained_model_folder(str(folder / RESULTS), (0,))
        start = time.perf_counter()
        mask, worked = nnunet_mask(predictor, [scan])
    else:
        from nnunet_agreement import our_mask
        from SUREUncertaintyLib.inference.engine_choice import create_member_engine
        from SUREUncertaintyLib.inference.native.choice import MemberChoice
        from SUREUncertaintyLib.packages.package import load_package

        package = load_package(folder / "models" / "Dataset500_Big")
        engine = create_member_engine(package, "openvino", "cpu", threads, choice=MemberChoice(None, False))
        start = time.perf_counter()
        mask, worked = our_mask(package, engine, [scan])
    passed = time.perf_counter() - start
    np.save(folder / f"{side}.npy", mask)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"processor_s": worked, "passed_s": passed, "peak_gib": peak}


def pair(folder: Path, threads: int) -> dict[str, Any]:
    """One run of each, in processes of their own, and in how many voxels they differ."""
    row: dict[str, Any] = {}
    for side in ("nnunet", "sure"):
        command = [sys.executable, __file__, "--side", side, "--folder", str(folder), "--threads", str(threads)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        row |= {f"{side}_{key}": round(value, 2) for key, value in json.loads(done.stdout.splitlines()[-1]).items()}
    masks = [np.load(folder / f"{side}.npy") for side in ("nnunet", "sure")]
    return {**row, "voxels": masks[0].size, "differing": int((masks[0] != masks[1]).sum())}


def main() -> None:
    """Make the network and the scan, and run pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--side", choices=("nnunet", "sure"), help="of one run, which this script starts itself")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(one_run(options.side, options.folder, options.threads)))
        return
    from SUREUncertaintyLib.packages.importing import import_package

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(dict.fromkeys(("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"), name))
        os.environ["SURE_MODELS"] = str(folder / "models")
        millions = write_network(folder)
        import_package(folder / RESULTS)
        write_scan(folder / "scan.nii.gz")
        rows = []
        for _ in range(options.pairs):
            rows.append(pair(folder, options.threads))
            print(rows[-1], flush=True)
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, {options.threads} threads"
    document = {"parameters_m": round(millions, 1), "shape": SHAPE, "machine": machine, "rows": rows}
    OUTPUT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
