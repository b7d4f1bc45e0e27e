"""Seven placements of a box, and what they change: volumes with and without the box following its structure.

    python Testing/Bench/locator_placements.py --output DIR [HEAD ...]

The box that the search finds lies as it is, and 6 mm to either side along each axis, on the MNI152 template and on each
HEAD. The spread of a volume is the largest less the smallest of the seven, by their median.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.demo_input import demo_scan
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine import Engine
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.location.locate import locate
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package

MODEL = "hippocampus-t1"
MOVES_MM = ((0, 0, 0), (6, 0, 0), (-6, 0, 0), (0, 6, 0), (0, -6, 0), (0, 0, 6), (0, 0, -6))


def moved(roi: Roi, by: Sequence[float]) -> Roi:
    low, high = (tuple(float(a + b) for a, b in zip(end, by, strict=True)) for end in (roi.low, roi.high))
    return Roi(roi.name, (low[0], low[1], low[2]), (high[0], high[1], high[2]))


def placements(scan: Volume, package: Package, engine: Engine, roi: Roi, follow: bool) -> dict[str, Any]:
    """Volumes of one side for the seven placements."""
    results = [segment(scan, package, engine, (moved(roi, by),), follow=follow) for by in MOVES_MM]
    volumes = np.array([[row.volume_ml for row in result.structures] for result in results])
    boxes = [box for result in results for box in result.provenance["boxes"]] if follow else []
    return {
        "anterior_ml": volumes[:, 0].round(4).tolist(),
        "total_ml": volumes.sum(axis=1).round(4).tolist(),
        "anterior_spread": spread(volumes[:, 0]),
        "total_spread": spread(volumes.sum(axis=1)),
        "runs": [box["runs"] for box in boxes],
        "rests": [box["rests"] for box in boxes],
    }


def spread(values: Any) -> float:
    return float(np.ptp(values) / np.median(values)) if np.median(values) > 0 else float("nan")


def head_rows(name: str, scan: Volume, package: Package, engine: Engine) -> list[dict[str, Any]]:
    rows = []
    for roi in locate(scan, package).rois:
        for follow in (False, True):
            row = placements(scan, package, engine, roi, follow)
            rows.append({"scan": name, "side": roi.name, "follow": follow, **row})
            print(
                f"{name} {roi.name} follow={follow}: total {row['total_spread']:.1%}, "
                f"anterior {row['anterior_spread']:.1%}"
            )
    return rows


def as_table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| scan | side | total, box as drawn | total | anterior, box as drawn | anterior |",
        "|---|---|---|---|---|---|",
    ]
    for fixed, free in zip(rows[::2], rows[1::2], strict=True):
        cells = [f"{row[key]:.1%}" for key in ("total_spread", "anterior_spread") for row in (fixed, free)]
        lines.append(f"| {fixed['scan']} | {fixed['side']} | {' | '.join(cells)} |")
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
    (arguments.output / "placements.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    (arguments.output / "placements.md").write_text(as_table(rows), encoding="utf-8")
    print(as_table(rows))


if __name__ == "__main__":
    main()
