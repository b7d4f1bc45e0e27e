"""``make accuracy``: the released hippocampus package on the 30 validation scans, never trained or tuned on.

Writes Testing/Bench/results/hippocampus-t1.json, renews docs/accuracy.md from it, puts the numbers on the model card,
and stores in the package the table of these scans that new scans are compared with ("harder than 28 of 30").
Refuses to run when the package lists one of these scans among its training or tuning cases.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from other_kinds import other_kinds
from reference import reference_of
from SUREUncertaintyLib.comparison.held_out import refuse_seen
from SUREUncertaintyLib.evaluation.cases import Case, read_cases
from SUREUncertaintyLib.evaluation.evaluate import evaluate_cases
from SUREUncertaintyLib.files.reading import read_labels, read_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.metrics.bootstrap import grouped_bootstrap
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import amend_package
from tables import accuracy_page

ROOT = Path(__file__).resolve().parents[2]
MODEL = "hippocampus-t1"
CARD = ("dice", "hd95_mm", "assd_mm", "ece", "brier", "auroc_error", "aupr_error", "aurc")


def validation_cases(data: Path, split: str = "val") -> list[Case]:
    """The validation split of the Decathlon's table as cases of this library."""
    root = data / "msd_hippocampus" if (data / "msd_hippocampus").is_dir() else data
    with (root / "splits.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == split]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "CASES.csv"
        lines = [
            f"{root.resolve() / 'images' / row['file']},{root.resolve() / 'labels' / row['file']},"
            f"{row['id']},{row['subject_group']},{split}"
            for row in rows
        ]
        path.write_text("\n".join(["image,label,id,group,split", *lines]) + "\n", encoding="utf-8")
        return list(read_cases(path, split))


def volume_coverage(package: Package, cases: list[Case]) -> dict[str, Any]:
    """How often the range of a volume holds the reference volume, by structure; interval over groups."""
    engine = create_engine(package, "openvino")
    names = [label.name for label in package.metadata.foreground]
    held: dict[str, list[float]] = {name: [] for name in names}
    for case in cases:
        assert case.label is not None
        result = segment(read_volume(case.image), package, engine)
        reference = read_labels(case.label)
        for row in result.structures:
            true = float((reference.array == row.value).sum()) * reference.grid.voxel_volume_mm3 / 1000.0
            held[row.name].append(float(row.volume_low_ml <= true <= row.volume_high_ml))
    held["mean"] = list(np.mean([held[name] for name in names], axis=0))
    groups = [case.group for case in cases]
    return {name: vars(grouped_bootstrap(values, groups, 0)) for name, values in held.items()}


def main() -> None:
    """Measure, write, and put the numbers on the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    data = parser.parse_args().data
    cases = validation_cases(data)
    package = find_package(MODEL)
    refuse_seen(package, cases)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "evaluation"
        found = evaluate_cases(cases, package, create_engine(package, "openvino"), output)
    summary = found.summary
    summary["metrics"]["volume_range_coverage"] = volume_coverage(package, cases)
    summary["other_kinds"] = other_kinds(package, data, cases)
    summary["volume_probability"] = package.metadata.raw["uncertainty"].get("volume_probability")
    card = {name: summary["metrics"][name] for name in (*CARD, "volume_range_coverage")}
    dice = {result.id: result.value("dice", "mean") for result in found.results if not result.error}
    reference, summary["difficulty"] = reference_of(package, cases, dice)
    amended = amend_package(package, {"metrics": card, "reference": reference})
    summary["fingerprint_of_card"] = amended.fingerprint
    target = ROOT / "Testing" / "Bench" / "results" / f"{MODEL}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    page = accuracy_page(summary)
    (ROOT / "docs" / "accuracy.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
