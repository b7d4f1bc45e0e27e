"""Bundles of MONAI's model zoo against ``python -m monai.bundle run``, with their own configs and random weights.

    git clone https://github.com/Project-MONAI/model-zoo
    python Testing/Bench/bundle_runs.py model-zoo --work build/bundle-runs

The bundle's inference config runs as it is, but for the scan, the processor and mixed precision, which are named on the
command line as a user without a GPU does. Run in an environment with this library and pytorch-ignite; rows that are
there already are kept. Writes ``Testing/Bench/results/bundle-runs.json``, from which docs/foreign.md has its table.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from zoo_bundles import _commit, _save, write_weights

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Testing" / "Python"))
from nnunet_phantoms import make_phantom  # noqa: E402

RESULT = Path(__file__).parent / "results" / "bundle-runs.json"
CPU = "$torch.device('cpu')"
FLIPPED = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
SEARCHED = "$torch.load(@arch_ckpt_path, map_location=torch.device('cpu'), weights_only=False)"
LOADER = {"dataloader#num_workers": 0}
USUAL = {"evaluator#amp": False, "device": CPU, **LOADER}
FILES, DICTS = "$[FILE]", "$[{'image': FILE}]"


@dataclass(frozen=True)
class Run:
    """How a bundle is told about a scan.

    Attributes:
        data: the key of its config, and what stands there for FILE.
        other: further keys that are set.
        shape: of the scan (k, j, i); spacing: mm (x, y, z).
        whole: whether one window covers the image without resampling, so that every voxel must be the same.
    """

    data: tuple[str, str] = ("datalist", FILES)
    other: Mapping[str, Any] = field(default_factory=lambda: USUAL)
    shape: tuple[int, int, int] = (60, 100, 90)
    spacing: tuple[float, float, float] = (2.1, 1.9, 2.6)
    channels: int = 1
    entry: str = "run"
    whole: bool = False


RUNS = {
    "spleen_ct_segmentation": Run(),
    "swin_unetr_btcv_segmentation": Run(shape=(50, 70, 76)),
    "pediatric_abdominal_ct_segmentation": Run(data=("datalist", DICTS)),
    "prostate_mri_anatomy": Run(shape=(36, 110, 90), spacing=(0.6, 0.7, 1.1)),
    "wholeBody_ct_segmentation": Run(spacing=(3.1, 2.9, 4.0), shape=(50, 90, 80)),
    "ventricular_short_axis_3label": Run(
        other={"device": CPU}, entry="evaluating", shape=(7, 150, 130), spacing=(1.3, 1.3, 9.0)
    ),
    "segmentation_template": Run(data=("data_list", FILES), other={"device": CPU}, shape=(64, 64, 64), whole=True),
    "multi_organ_segmentation": Run(
        data=("datalist", DICTS), other={**USUAL, "arch_ckpt": SEARCHED}, shape=(40, 60, 60)
    ),
    "brats_mri_segmentation": Run(data=("test_datalist", DICTS), other={**USUAL, "amp": False}, channels=4),
}
"""The bundles that come in with their own class, but for one that is the twin of another."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zoo", type=Path, help="a checkout of Project-MONAI/model-zoo")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(RUNS))
    arguments = parser.parse_args()
    os.environ["SURE_MODELS"] = str(arguments.work.resolve() / "models")
    earlier = json.loads(RESULT.read_text(encoding="utf-8"))["rows"] if RESULT.is_file() else []
    rows = {row["bundle"]: row for row in earlier}
    for name in arguments.only:
        if name not in rows:
            try:
                rows[name] = row_of(arguments.zoo / "models" / name, arguments.work.resolve() / name, RUNS[name])
            except RuntimeError as error:  # a bundle that wants what is not installed here
                print(error, flush=True)
                continue
            print(rows[name], flush=True)
        document = {"zoo": _commit(arguments.zoo), "versions": _versions(), "rows": list(rows.values())}
        RESULT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def row_of(source: Path, target: Path, run: Run) -> dict[str, Any]:
    """Both masks of one scan, compared structure by structure."""
    from SUREUncertaintyLib.packages.importing import import_package

    shutil.rmtree(target, ignore_errors=True)
    (target / "models").mkdir(parents=True)
    shutil.copytree(source / "configs", target / "configs")
    write_weights(target, "its class")
    _make_visible(target)
    files = write_scans(target, run)
    theirs = their_mask(target, files, run)
    package = import_package(target, f"{source.name}-{os.getpid()}")
    ours, lead = our_mask(package, files)
    values = sorted({*np.unique(theirs), *np.unique(ours)} - {0})
    scores = [2 * int(((a := theirs == v) & (b := ours == v)).sum()) / int(a.sum() + b.sum()) for v in values]
    sizes = [int((theirs == v).sum()) for v in values]
    large = [score for score, size in zip(scores, sizes, strict=True) if size >= 500]
    return {
        "bundle": source.name,
        "shape": list(theirs.shape),
        "structures": len(values),
        "lowest_dice": min(large),
        "marked": int((theirs != 0).sum()),
        "differing": int((theirs != ours).sum()),
        "largest_lead": round(float(lead[theirs != ours].max(initial=0.0)), 5),
        "whole": run.whole,
    }


def _make_visible(target: Path) -> None:
    """Shift the last bias of a random network, so that it finds every class."""
    import torch
    from SUREUncertaintyLib.nn.registry import create_network
    from SUREUncertaintyLib.packages.monai_bundle.config import Config
    from SUREUncertaintyLib.packages.monai_bundle.network import CHECKPOINT, Weights, read_network

    made = read_network(Config.load(target / "configs"), target, Weights(target / CHECKPOINT, "checkpoint"))
    network = create_network(made["name"], made["arguments"])
    network.load_state_dict(torch.load(target / CHECKPOINT, weights_only=True))
    arguments = made["arguments"]
    sides = (64,) * int(arguments.get("spatial_dims", 3))
    with torch.no_grad():
        seen = network.eval()(torch.rand(1, int(arguments.get("in_channels", 1)), *sides))
        seen = seen[0] if isinstance(seen, list | tuple) else seen
        last = [part for part in network.modules() if isinstance(getattr(part, "bias", None), torch.nn.Parameter)]
        last[-1].bias -= seen.mean(dim=[0, *range(2, seen.ndim)])
    _save(target, network.state_dict())


def write_scans(target: Path, run: Run) -> list[Path]:
    """A scan of several channels, stored against two of its axes."""
    from SUREUncertaintyLib.core.volume import Grid, Volume
    from SUREUncertaintyLib.files.writing import write_volume

    phantom = make_phantom(7, run.shape, run.spacing, run.channels)
    files = [target / f"scan{number}.nii.gz" for number in range(run.channels)]
    for file, array in zip(files, phantom.channels, strict=True):
        write_volume(Volume(array, Grid(array.shape, run.spacing, (30.0, -20.0, 10.0), FLIPPED), "scan"), file)
    return files


def their_mask(target: Path, files: Sequence[Path], run: Run) -> np.ndarray:
    """What ``monai.bundle run`` writes, (k, j, i)."""
    config = next((target / "configs").glob("inference.*"))
    image = repr(str(files[0])) if len(files) == 1 else repr([str(file) for file in files])
    key, form = run.data
    options = {"bundle_root": str(target), "output_dir": str(target / "theirs")}
    options |= {key: form.replace("FILE", image), **run.other}
    command = [sys.executable, "-m", "monai.bundle", "run", run.entry, "--config_file", str(config)]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=target, env=environment, check=False)
    written = sorted(set(target.rglob("*.nii.gz")) - set(files))
    if done.returncode or not written:
        raise RuntimeError(f"{target.name}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return np.floor(np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(str(written[-1])))) + 0.5)


def our_mask(package: Any, files: Sequence[Path]) -> tuple[np.ndarray, np.ndarray]:
    """This library's label map (k, j, i), and by how much probability the winning class leads."""
    from SUREUncertaintyLib.files.reading import read_volume
    from SUREUncertaintyLib.inference.engine_choice import create_engine
    from SUREUncertaintyLib.inference.segmenter import segment

    volumes = [read_volume(file) for file in files]
    names = [channel.name for channel in package.metadata.pipeline.channels]
    others = dict(zip(names[1:], volumes[1:], strict=True))
    engine = create_engine(package, "openvino")
    result = segment(volumes[0], package, engine, keep_probabilities=True, channels=others)
    assert result.probabilities is not None
    second, first = np.partition(result.probabilities, -2, axis=0)[-2:]
    return result.labels.array, first - second


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("monai", "pytorch-ignite", "torch", "openvino", "numpy")}


if __name__ == "__main__":
    main()
