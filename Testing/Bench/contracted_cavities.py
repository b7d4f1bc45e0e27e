"""Cavities of the tuning patients that contract further: how large the network makes them, and how well it finds them.

    python Testing/Bench/contracted_cavities.py PACKAGE [PACKAGE ...] --data DIR

Every second slice of Sunnybrook's tuning patients, its cavity at a share of its radius (``training.contraction``).
Prints, for each package, kind of patient and share, the area that the network outlines over the area of the label, and
the Dice of all slices together.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.weights import load_weights
from SUREUncertaintyLib.training.calibration import TuningPrediction, predict_tuning
from SUREUncertaintyLib.training.contraction import contracted
from SUREUncertaintyLib.training.recipe import load_recipe
from SUREUncertaintyLib.training.training_cases import TrainingCase, list_cases, load_cases

RECIPE = load_recipe("heart-lv-cine")
SHARES = (1.0, 0.8, 0.6, 0.45)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    asked = parser.parse_args()
    found = list_cases(RECIPE.data, asked.data)
    cases = load_cases(found.tuning, RECIPE.input, data=RECIPE.data)[::2]
    for package in asked.packages:
        print(package)
        for share in SHARES:
            print(f"  {share:.2f} of the radius: {_line(_predicted(package, _contracted(cases, share)))}")


def _contracted(cases: Sequence[TrainingCase], share: float) -> list[TrainingCase]:
    moved = [contracted(case.image, case.label, share) for case in cases]
    return [replace(case, image=image, label=label) for case, (image, label) in zip(cases, moved, strict=True)]


def _predicted(package: str, cases: list[TrainingCase]) -> list[tuple[str, TuningPrediction]]:
    network = create_network(RECIPE.network.name, RECIPE.network.arguments)
    load_weights(network, find_package(package).root / "models" / "model.safetensors")
    predictions = predict_tuning(network.eval(), cases, RECIPE.input.patch, "evidential", True)
    return [(f"{case.group.split('-')[1]} {case.phase}", one) for case, one in zip(cases, predictions, strict=True)]


def _line(found: Sequence[tuple[str, TuningPrediction]]) -> str:
    """Areas by kind of patient and phase, and the Dice of all."""
    areas: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    both = 0
    for kind, one in found:
        outlined, cavity = one.probability.argmax(0) == 1, one.label == 1
        areas[kind][0] += int(outlined.sum())
        areas[kind][1] += int(cavity.sum())
        both += int((outlined & cavity).sum())
    total = np.sum(list(areas.values()), axis=0)
    ratios = ", ".join(f"{kind} {mine / true:.2f}" for kind, (mine, true) in sorted(areas.items()))
    return f"area {total[0] / total[1]:.2f} ({ratios}), Dice {2 * both / total.sum():.3f}"


if __name__ == "__main__":
    main()
