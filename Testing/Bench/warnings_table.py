"""How often each warning fires on good, poor and foreign scans: ``warnings_table.py [--validation]``.

Writes results/warnings.json beside it (with --validation its part "validation", to be run once for each release) and
renews docs/warnings.md from it. Rules that were given up because they do not select are measured beside those in use.
A scan without a box is searched, as in every face; one in which nothing is found counts as "refused".
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from SUREUncertaintyLib.analysis.grey_values import grey_values
from SUREUncertaintyLib.analysis.intensity_fingerprint import measure
from SUREUncertaintyLib.analysis.verdict import STATUSES
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.inference.engine import Engine
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.network_regions import plan_regions, prepare_region
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.location.choice import Boxes, found_boxes
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from warnings_page import warnings_page
from warnings_scans import DAMAGED, FOREIGN, INTACT, Scan, labelled, unlabelled

ROOT = Path(__file__).resolve().parents[2]
MODEL = "hippocampus-t1"
GOOD, POOR = 0.8, 0.6
"""Mean Dice of both structures."""
REFUSED = "refused"
"""Verdict of a scan in which nothing was found by the search, so that nothing was segmented."""


def measured(scans: Iterable[Scan], package: Package, engine: Engine) -> Iterator[dict[str, Any]]:
    """One row a scan: its group, what fired, and the verdict."""
    for scan in scans:
        air = round(grey_values(scan.volume.array).air, 5)
        try:
            boxes = found_boxes(scan.volume, package, scan.rois)
        except InputError:
            yield {"group": scan.kind, "name": scan.name, "dice": None, "status": REFUSED, "fired": [], "air": air}
            continue
        result = segment(scan.volume, package, engine, boxes.rois, turn=boxes.turn)
        fired = sorted({notice.code for notice in result.notices} | set(_given_up(scan, boxes, result, package)))
        overlap = None if scan.label is None else _overlap(result, scan)
        row = {"name": scan.name, "dice": overlap, "status": result.verdict.status, "fired": fired, "air": air}
        yield {"group": _group(scan.kind, overlap), **row}


def _overlap(result: SegmentationResult, scan: Scan) -> float:
    assert scan.label is not None
    values = [label.value for label in result.label_set]
    return float(np.mean([dice(result.labels.array == v, scan.label.array == v) for v in values]))


def _group(kind: str, overlap: float | None) -> str:
    if overlap is None or kind == INTACT:
        return kind
    quality = "good" if overlap >= GOOD else "poor" if overlap < POOR else "between"
    return f"{DAMAGED}, {quality}"


def _given_up(scan: Scan, boxes: Boxes, result: SegmentationResult, package: Package) -> Iterator[str]:
    """The rules of earlier versions."""
    if any(row.share_over_threshold > 0.5 for row in result.structures):
        yield "(given up) more than half of the voxels uncertain"
    expected = package.metadata.expected.contrast
    for region in plan_regions(scan.volume.grid, package.metadata, boxes.rois, boxes.turn):
        found = measure(prepare_region(scan.volume, region, package.metadata)[0])
        if any(not low <= found[name] <= high for name, (low, high) in expected.items()):
            yield "(given up) any measure of grey values outside its range"


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Scans by group, and of each the counts by warning and by verdict."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row)
    codes = sorted({code for row in rows for code in row["fired"]})
    statuses = [status for status in (*STATUSES, REFUSED) if status != REFUSED or FOREIGN in groups]
    return {
        "scans": {name: len(members) for name, members in groups.items()},
        "fired": {code: {g: sum(code in row["fired"] for row in rows) for g, rows in groups.items()} for code in codes},
        "verdicts": {s: {g: sum(row["status"] == s for row in rows) for g, rows in groups.items()} for s in statuses},
    }


def main() -> None:
    """Measure, and write table and page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--validation", action="store_true")
    options = parser.parse_args()
    package = find_package(MODEL)
    split = "validation" if options.validation else "tuning"
    scans = labelled(package, options.data, split)
    scans = scans if options.validation else chain(unlabelled(options.data), scans)
    target = ROOT / "Testing" / "Bench" / "results" / "warnings.json"
    document = json.loads(target.read_text(encoding="utf-8")) if target.is_file() else {}
    if document.get("fingerprint") != package.fingerprint:
        document = {}  # tables of two models are not put on one page
    rows = list(measured(scans, package, _engine(package)))
    document |= {"model": MODEL, "version": package.metadata.version, "fingerprint": package.fingerprint}
    document |= {split: summary(rows) | {"rows": rows}}
    target.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    sampled = json.loads((target.parent / "warnings-sampled.json").read_text(encoding="utf-8"))
    (ROOT / "docs" / "warnings.md").write_text(warnings_page(document, sampled), encoding="utf-8")


def _engine(package: Package) -> Engine:
    return create_engine(package, "openvino", threads=1)


if __name__ == "__main__":
    main()
