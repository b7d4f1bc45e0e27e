"""Peak memory and time of ``sure segment`` as a user starts it, in a process of its own."""

from __future__ import annotations

import os
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
    command = [sys.executable, "-m", "SUREUncertaintyLib.cli.app", "segment", str(scan), "--model", model]
    seconds, peak = _measured([*command, "--output", str(folder / f"out{size[0]}"), "--overwrite", *BARE])
    return {
        "size": "x".join(map(str, size)),
        "seconds": round(seconds, 1),
        "peak_gib": round(peak / 2**30, 2),
        "bytes_per_voxel": round(peak / float(np.prod(size)), 1),
    }


def _measured(command: list[str]) -> tuple[float, int]:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024
