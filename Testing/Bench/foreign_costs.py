"""What imported networks of the published size cost: seconds of an import, and memory of 117 classes on a whole body.

Networks have the layout and size of the published ones and weights made at random. Each figure is that of a process of
its own, as a user starts it. ``--size`` shortens the scan for a trial.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Testing" / "Python"))
from memory import BARE, _measured  # noqa: E402
from totalsegmentator_folders import PUBLISHED, random_network, write_dataset  # noqa: E402

OUTPUT = ROOT / "Testing" / "Bench" / "results" / "foreign-costs.json"
SIZE = (512, 512, 400)
SPACING = (0.8, 0.8, 1.0)
"""Of the scan, x y z in mm: 41 x 41 x 40 cm, a chest and abdomen."""
SURE = [sys.executable, "-c", "from SUREUncertaintyLib.cli.app import main; main()"]


def write_total(results: Path) -> float:
    """The five data sets of TotalSegmentator's task ``total``. Returns millions of parameters of one network."""
    from SUREUncertaintyLib.packages.totalsegmentator.structures import PARTS

    millions = 0.0
    for number, names in PARTS.items():
        network = random_network(len(names) + 1, number, PUBLISHED)
        millions = sum(tensor.numel() for tensor in network.parameters()) / 1e6
        folder = f"Dataset{number}_TotalSegmentator_part_1559subj"
        write_dataset(results, folder, names, (1.5, 1.5, 1.5), network, size=PUBLISHED)
    return millions


def write_plain(results: Path) -> float:
    """One ordinary nnU-Net of three classes. Returns millions of parameters."""
    network = random_network(3, 1, PUBLISHED)
    write_dataset(results, "Dataset500_Big", ("a", "b"), (1.5, 1.5, 1.5), network, "nnUNetTrainer", size=PUBLISHED)
    return sum(tensor.numel() for tensor in network.parameters()) / 1e6


def write_scan(path: Path, size: tuple[int, int, int]) -> None:
    """A body of soft tissue in air with noise, int16."""
    random = np.random.default_rng(0)
    k, j, i = (np.linspace(-1, 1, n) for n in size[::-1])
    inside = (j[:, None] / 0.7) ** 2 + (i[None, :] / 0.9) ** 2 < 1
    planes = [np.where(inside, 60 + 80 * np.sin(5 * z), -1000) + random.normal(0, 20, inside.shape) for z in k]
    image = sitk.GetImageFromArray(np.stack(planes).astype(np.int16))
    image.SetSpacing(SPACING)
    sitk.WriteImage(image, str(path))


def import_cost(folder: Path) -> dict[str, Any]:
    """Seconds and memory of importing one network."""
    millions = write_plain(folder)
    seconds, peak = _measured([*SURE, "models", "import", str(folder / "Dataset500_Big")])
    return {"what": "import", "parameters_m": round(millions, 1), **_cost(seconds, peak)}


def whole_body(folder: Path, size: tuple[int, int, int]) -> dict[str, Any]:
    """Seconds and memory of 117 structures by five networks on one scan."""
    millions = write_total(folder / "results")
    seconds, peak = _measured([*SURE, "models", "import", str(folder / "results")])
    imported = {"what": "import of five", "parameters_m": round(5 * millions, 1), **_cost(seconds, peak)}
    write_scan(folder / "scan.nrrd", size)
    output = folder / "result"
    command = ["segment", str(folder / "scan.nrrd"), "--model", "totalsegmentator", "--output", str(output), *BARE]
    seconds, peak = _measured([*SURE, *command])
    if not (output / "segmentation.seg.nrrd").is_file():
        raise SystemExit("no result")
    run = {"what": "117 structures", "size": "x".join(map(str, size)), **_cost(seconds, peak)}
    return {"imported": imported, "run": run}


def _cost(seconds: float, peak: int) -> dict[str, float]:
    return {"seconds": round(seconds, 1), "peak_gib": round(peak / 2**30, 2)}


def main() -> None:
    """Measure both, and write them with the machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, nargs=3, default=SIZE)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SURE_MODELS"] = str(Path(folder) / "models")
        rows = [import_cost(Path(folder))]
        print(rows, flush=True)
        body = whole_body(Path(folder), tuple(options.size))
        rows += [body["imported"], body["run"]]
    cpu = f"{platform.machine()}, {os.cpu_count()} CPUs"
    document = {"rows": rows, "machine": cpu, "date": time.strftime("%Y-%m-%d")}
    options.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
