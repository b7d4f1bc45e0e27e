"""Cavities of the tuning patients that contract further: how large the network makes them, and how well it finds them.

    python Testing/Bench/contracted_cavities.py PACKAGE [PACKAGE ...] --data DIR

The slices of Sunnybrook's tuning patients, their cavities at a share of the radius (``training.contraction``). Writes
results/contracted-cavities.json, one entry a version: for each share and kind of patient the area that the network
outlines over the area of the label, the Dice of all slices together, and how far the ejection fraction of the slices as
they are is off. ``git log`` of a package's folder has the versions that no longer ship.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.weights import load_weights
from SUREUncertaintyLib.training.calibration import TuningPrediction, predict_tuning
from SUREUncertaintyLib.training.contraction import contracted
from SUREUncertaintyLib.training.recipe import load_recipe
from SUREUncertaintyLib.training.training_cases import TrainingCase, list_cases, load_cases

RESULT = Path(__file__).resolve().parent / "results" / "contracted-cavities.json"
RECIPE = load_recipe("heart-lv-cine")
SHARES = (1.0, 0.8, 0.6, 0.45)
Areas = tuple[int, int, int]
"""Pixels that are outlined, those of the label, and those of both."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    asked = parser.parse_args()
    cases = load_cases(list_cases(RECIPE.data, asked.data).tuning, RECIPE.input, data=RECIPE.data)
    found: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    for package in map(find_package, asked.packages):
        found[package.metadata.version] = _measured(package, cases)
        RESULT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _measured(package: Package, cases: Sequence[TrainingCase]) -> dict[str, Any]:
    rows = {}
    for share in SHARES:
        moved = [contracted(case.image, case.label, share) for case in cases]
        shown = [replace(case, image=image, label=label) for case, (image, label) in zip(cases, moved, strict=True)]
        areas = [_areas(one) for one in _predicted(package, shown)]
        rows[f"{share:g}"] = _row(cases, areas)
        if share == 1:
            errors = _fraction_errors(cases, areas)
        print(package.metadata.version, share, rows[f"{share:g}"], flush=True)
    off = {"mean_absolute": float(np.abs(errors).mean()), "mean": float(np.mean(errors)), "patients": len(errors)}
    return {"fingerprint": package.fingerprint, "shares": rows, "ejection_fraction_points": off}


def _predicted(package: Package, cases: Sequence[TrainingCase]) -> list[TuningPrediction]:
    network = create_network(RECIPE.network.name, RECIPE.network.arguments)
    load_weights(network, package.root / "models" / "model.safetensors")
    return predict_tuning(network.eval(), cases, RECIPE.input.patch, "evidential", True)


def _areas(found: TuningPrediction) -> Areas:
    outlined, cavity = found.probability.argmax(0) == 1, found.label == 1
    return int(outlined.sum()), int(cavity.sum()), int((outlined & cavity).sum())


def _row(cases: Sequence[TrainingCase], areas: Sequence[Areas]) -> dict[str, float]:
    """Area outlined over area of the label by kind of patient and phase, and the Dice of all."""
    kinds = _summed([f"{case.group.split('-')[1]} {case.phase}" for case in cases], areas)
    total = np.sum(areas, axis=0)
    ratios = {kind: float(mine / true) for kind, (mine, true, _) in sorted(kinds.items())}
    return ratios | {"dice": float(2 * total[2] / (total[0] + total[1]))}


def _fraction_errors(cases: Sequence[TrainingCase], areas: Sequence[Areas]) -> list[float]:
    """Of each patient's ejection fraction, in points: that of the outlines minus that of the labels."""
    stacks = _summed([f"{case.group} {case.phase}" for case in cases], areas)
    patients = sorted({case.group for case in cases})
    left = [stacks[f"{name} ES"] / stacks[f"{name} ED"] for name in patients]
    return [float(100 * (share[1] - share[0])) for share in left]


def _summed(keys: Sequence[str], areas: Sequence[Areas]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(3))
    for key, one in zip(keys, areas, strict=True):
        found[key] = found[key] + one
    return dict(found)


if __name__ == "__main__":
    main()
