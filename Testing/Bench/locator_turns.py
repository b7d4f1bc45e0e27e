"""Heads that lie turned in the scanner: what the window in the head's pose is worth.

    python Testing/Bench/locator_turns.py --output DIR [HEAD ...]

The MNI152 template and each HEAD are turned by 25 degrees about one axis, and by 20, 12 and 12 about three, resampled
to 1 mm, searched and segmented with the window along the scan's axes and in the head's pose. Dice is that of a whole
hippocampus with the result of the straight head, carried over.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from locator_cases import moved_grid
from SUREUncertaintyLib.core.resampling import model_grid, resample
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.demo_input import demo_scan
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine import Engine
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.location.locate import locate
from SUREUncertaintyLib.location.search import turn_matrix
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package

MODEL = "hippocampus-t1"
TURNS_DEG = ((25.0, 0.0, 0.0), (20.0, 12.0, 12.0))


def head_rows(name: str, head: Volume, package: Package, engine: Engine) -> list[dict[str, Any]]:
    located = locate(head, package)
    straight = segment(head, package, engine, located.rois, turn=located.turn)
    middle = (head.grid.ijk_to_ras @ [*((n - 1) / 2 for n in head.grid.shape[::-1]), 1.0])[:3]
    rows = []
    for degrees in TURNS_DEG:
        turn = turn_matrix(*degrees)
        askew = moved_grid(head.grid, turn, middle - turn @ middle)
        upright = model_grid(head.grid, "RAS", (1.0, 1.0, 1.0))
        scan = resample(replace(head, grid=askew), upright)
        truth = resample(replace(straight.labels, grid=askew), upright, "nearest").array
        found = locate(scan, package)
        for posed in (False, True):
            result = segment(scan, package, engine, found.rois, turn=found.turn if posed else None)
            scores = [_dice(result.labels.array, truth, first) for first in (1, 3)]
            volumes = [row.volume_ml for row in result.structures]
            rows.append({"scan": name, "turn_deg": degrees, "posed": posed, "dice": scores, "volumes_ml": volumes})
            print(name, degrees, "pose" if posed else "scan's axes", [round(score, 3) for score in scores], flush=True)
    return rows


def _dice(labels: Any, truth: Any, first: int) -> float:
    """Of a whole hippocampus: two labels from ``first``."""
    return float(dice(np.isin(labels, (first, first + 1)), np.isin(truth, (first, first + 1))))


def as_table(rows: Sequence[dict[str, Any]]) -> str:
    lines = ["| scan | turned by (nod, turn, tilt) | left, right: scan's axes | head's pose |", "|---|---|---|---|"]
    for plain, posed in zip(rows[::2], rows[1::2], strict=True):
        cells = [", ".join(f"{score:.3f}" for score in row["dice"]) for row in (plain, posed)]
        lines.append(
            f"| {plain['scan']} | {', '.join(f'{d:.0f}' for d in plain['turn_deg'])} | {cells[0]} | {cells[1]} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heads", type=Path, nargs="*")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    package = find_package(MODEL)
    engine = create_engine(package, "openvino", threads=1)
    rows = head_rows("MNI152 template", demo_scan(), package, engine)
    for path in arguments.heads:
        rows += head_rows(path.name.split(".")[0], read_volume(path), package, engine)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "turns.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    (arguments.output / "turns.md").write_text(as_table(rows), encoding="utf-8")
    print(as_table(rows))


if __name__ == "__main__":
    main()
