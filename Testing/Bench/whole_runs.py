"""Whole runs of the command line: with scene, pictures and report, against the same run without scene and pictures.

The library's modules are compiled once, as pip compiles what it installs, whatever PYTHONDONTWRITEBYTECODE says here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pairs import interleaved
from SUREUncertaintyLib.files.demo_input import ROIS, demo_scan
from SUREUncertaintyLib.files.writing import write_volume
from template_crop import template_crop

PAIRS = 7
LEAN = ("--no-scene", "--no-pictures")
RUN = "import sys; from SUREUncertaintyLib.cli.app import main; sys.exit(main())"


def bench_runs(model: str) -> dict[str, Any]:
    """Seconds of ``sure segment`` on a crop and of both sides of the template, as ``sure demo`` runs it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        crop, head = folder / "crop.nrrd", folder / "head.nrrd"
        write_volume(template_crop(), crop)
        write_volume(demo_scan(), head)
        boxes = [part for roi in ROIS for part in ("--roi", str(roi))]
        return {
            "crop": _measured(folder, (str(crop), "--model", model)),
            "demo": _measured(folder, (str(head), "--model", model, *boxes)),
        }


def _measured(folder: Path, arguments: Sequence[str]) -> dict[str, float]:
    whole = ["segment", *arguments, "--overwrite", "--output", str(folder / "whole")]
    lean = ["segment", *arguments, "--overwrite", "--output", str(folder / "lean"), *LEAN]
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    run = partial(_run, environment)
    return interleaved(partial(run, whole), partial(run, lean), PAIRS).document()


def _run(environment: dict[str, str], arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-c", RUN, *arguments], check=True, capture_output=True, env=environment)
