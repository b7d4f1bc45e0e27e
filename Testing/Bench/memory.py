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
from SUREUncertaintyLib.files.demo_input import demo_scan

SIZES = ((64, 64, 64), (128, 128, 128), (256, 256, 256), (512, 512, 400))
BARE = ("--no-scene", "--no-pictures", "--no-report")
WHOLE = ("--roi", "Whole=-1000,1000,-1000,1000,-1000,1000")
"""A box larger than every scan: without one the model would search for its structures."""

# The peak of a process counts what it was forked from, so a small process in between starts and measures it.
WRAPPER = (
    "import resource, subprocess, sys\n"
    "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
)


def bench_memory(model: str) -> list[dict[str, Any]]:
    """One row a size: seconds, peak resident memory in GiB, and bytes a voxel; last, a head amid air."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [_row(_noise(size), model, Path(folder)) for size in SIZES]
        head = _row(_head_in_air(SIZES[-1]), model, Path(folder))
        return [*rows, {**head, "size": f"{head['size']}, the template's head amid air of one value"}]


def _noise(size: tuple[int, int, int]) -> sitk.Image:
    plane = np.random.default_rng(0).normal(500, 100, size[:2])
    return sitk.GetImageFromArray(np.stack([(plane + 3 * k).astype(np.int16) for k in range(size[2])]))


def _head_in_air(size: tuple[int, int, int]) -> sitk.Image:
    head = demo_scan()
    room = [n - part for n, part in zip(size[::-1], head.array.shape, strict=True)]
    image = sitk.GetImageFromArray(np.pad(head.array, [(n // 2, n - n // 2) for n in room]))
    image.SetSpacing(head.grid.spacing)
    return image


def _row(image: sitk.Image, model: str, folder: Path) -> dict[str, Any]:
    size = image.GetSize()
    scan = folder / "scan.nrrd"
    sitk.WriteImage(image, str(scan))
    sure = [sys.executable, "-c", "from SUREUncertaintyLib.cli.app import main; main()"]
    output = Path(tempfile.mkdtemp(dir=folder)) / "out"
    seconds, peak = _measured([*sure, "segment", str(scan), "--model", model, "--output", str(output), *WHOLE, *BARE])
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
