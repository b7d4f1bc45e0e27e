"""Peak memory and time of ``sure segment`` as a user starts it, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

SIZES = ((64, 64, 64), (128, 128, 128), (256, 256, 256), (512, 512, 400))
BARE = ("--no-scene", "--no-pictures", "--no-report")
# The peak of a process counts what it was forked from, so a small process in between starts and measures it.
WRAPPER = (
    "import resource, subprocess, sys\n"
    "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
)


def bench_memory(model: str) -> list[dict[str, Any]]:
    """One row a size: seconds, peak resident memory in GiB, and bytes a voxel."""
    with tempfile.TemporaryDirectory() as folder:
        return [_row(size, model, Path(folder)) for size in SIZES]


def _row(size: tuple[int, int, int], model: str, folder: Path) -> dict[str, Any]:
    scan = folder / "scan.nrrd"
    rng = np.random.default_rng(0)
    plane = rng.normal(500, 100, size[:2])
    array = np.stack([(plane + 3 * k).astype(np.int16) for k in range(size[2])])
    sitk.WriteImage(sitk.GetImageFromArray(array), str(scan))
    sure = [sys.executable, "-c", "from SUREUncertaintyLib.cli.app import main; main()"]
    output = folder / f"out{size[0]}"
    seconds, peak = _measured([*sure, "segment", str(scan), "--model", model, "--output", str(output), *BARE])
    if not (output / "segmentation.seg.nrrd").is_file():
        raise SystemExit(f"no result for {size}")
    return {
        "size": "x".join(map(str, size)),
        "seconds": round(seconds, 1),
        "peak_gib": round(peak / 2**30, 2),
        "bytes_per_voxel": round(peak / float(np.prod(size)), 1),
    }


def _measured(command: list[str]) -> tuple[float, int]:
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", WRAPPER, *command], capture_output=True, text=True, check=True)
    return time.perf_counter() - start, int(done.stdout) * 1024
