"""``docs/difficulty-results.md``, made from the JSON files of the experiments alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from SUREUncertaintyLib.metrics.bootstrap import paired_bootstrap

PAIRS = {
    "duo": "plain",
    "filter0.95": "random0.95",
    "filter0.9": "random0.9",
    "random0.95": "plain",
    "random0.9": "plain",
}
SETS = {"clean": "no damage", "labels": "20 % of the labels damaged", "images": "20 % of the images degraded"}


def difficulty_page(results: Path) -> str:
    """Markdown of both tables; what has not been run is not in them."""
    lines = ["# Difficulty: what works and what does not", ""]
    lines += [
        "Made by `Testing/Bench/difficulty_experiments.py` on the training split of the hippocampus set; AUROC of AUV "
        "for the damaged scans, 0.5 is chance. A score that reads only the image cannot see damaged labels.",
        "",
        "| Data | Extractor | AUROC, damaged scans | Gate | Spearman S, Dice | Pearson S, Dice | Scans |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *_score_rows(results),
        "",
        "Mean Dice on the tuning subjects, each arm minus its control with the same seed; the interval is the "
        "bootstrap over subjects of the mean over seeds.",
        "",
        "| Data | Arm | Control | Difference in Dice (95 % interval) | Seeds, each | Mean Dice of the arm |",
        "| --- | --- | --- | --- | --- | --- |",
        *_arm_rows(results),
    ]
    return "\n".join(lines) + "\n"


def _score_rows(results: Path) -> Iterator[str]:
    for path in sorted(results.glob("score-*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        numbers = [_number(found.get(key)) for key in ("auroc", "spearman_dice", "pearson_dice")]
        gate = (found["gate"] or {}).get("status", "not run")
        cells = (SETS[found["set"]], found["extractor"], numbers[0], gate, numbers[1], numbers[2], str(found["scans"]))
        yield f"| {' | '.join(cells)} |"


def _arm_rows(results: Path) -> Iterator[str]:
    arms = {path.stem.removeprefix("arm-"): json.loads(path.read_text("utf-8")) for path in results.glob("arm-*.json")}
    for data, words in SETS.items():
        for arm, control in PAIRS.items():
            seeds = [n for n in range(100) if {f"{data}-{arm}-{n}", f"{data}-{control}-{n}"} <= arms.keys()]
            if seeds:
                pairs = [(arms[f"{data}-{arm}-{n}"], arms[f"{data}-{control}-{n}"]) for n in seeds]
                yield f"| {words} | {arm} | {control} | {_difference(pairs)} |"


def _difference(pairs: list[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> str:
    ids = sorted(set.intersection(*({*one["dice"]} & {*other["dice"]} for one, other in pairs)))
    ours = np.array([[one["dice"][name] for name in ids] for one, _ in pairs])
    theirs = np.array([[other["dice"][name] for name in ids] for _, other in pairs])
    groups = [pairs[0][0]["groups"][name] for name in ids]
    gain = paired_bootstrap(ours.mean(0), theirs.mean(0), groups)
    each = ", ".join(f"{value:+.4f}" for value in (ours - theirs).mean(1))
    return f"{gain.mean:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}) | {each} | {ours.mean():.4f}"


def _number(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.3f}"
