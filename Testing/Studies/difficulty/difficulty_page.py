"""``docs/difficulty-experiments.md``, made from the recorded results alone; a test compares the two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from difficulty.difficulty_answers import Comparison, answers, compare, correlations
from recorded_results import RecordedResults

SETS = {
    "held": "undamaged, 32 scans of the tuning split",
    "clean": "undamaged",
    "labels": "20 % of the labels damaged",
    "images": "20 % of the images degraded",
}
KINDS = ("blur", "noise", "motion", "boundary-shift", "missing-part")
INTRODUCTION = (
    "# Difficulty: what works and what does not",
    "",
    "Made by `make difficulty` (`Testing/Studies/difficulty_study.py`) on the training split of the hippocampus "
    "set, its tuning subjects apart; no validation scan is used. Scans were damaged on purpose, all scans of a fifth "
    "of the subjects outside the tuning split, in turn: labels by a boundary shifted by two voxels or a missing third, "
    "images by blur, Rician noise or ghosting. 95 % intervals are bootstraps over subjects.",
    "",
    "Networks: `hippocampus-t1` is the network of version 2.2.0 (trained on the undamaged scans of "
    "every set but the tuning split); `crossfit` is two small networks trained on the set as it is, damage included, "
    "and each scan is scored by one that never saw it; `control-*` have learnt nothing and are what a network has "
    "to beat. The perception scale is as published (squared singular values, not centred) unless the row says so.",
)


def difficulty_page(results: RecordedResults) -> str:
    """Markdown of all tables; what has not been run is not in them."""
    scores, arms = (list(results.of_kind(kind).values()) for kind in ("score", "arm"))
    follows = correlations(results)
    comparisons = list(compare(arms))
    lines = [
        *INTRODUCTION,
        "",
        "## In short",
        "",
        *(f"- {sentence}" for sentence in answers(scores, follows, comparisons)),
        "",
        "## Does hardness find the damaged scans?",
        "",
        'AUROC of hardness for "damaged", chance 0.5. Damage of images and of labels stand apart: what reads the image '
        "alone cannot see a damaged label.",
        "",
        "| Data | Network | AUROC (95 % interval) | Damaged, scans |",
        "| --- | --- | --- | --- |",
        *_found_rows(scores),
        "",
        "## The validity test, kind by kind",
        "",
        "Each kind is done to a fifth of the subjects of the undamaged data. AUROC; below 0.5 the score points the "
        "wrong way. The last column is Spearman's rho of hardness and the logarithm of the structures' volume.",
        "",
        f"| Data | Network | {' | '.join(KINDS)} | Verdict | Hardness, volume |",
        f"| --- | --- | {'--- | ' * len(KINDS)}--- | --- |",
        *_gate_rows(scores),
        "",
        "## Does the perception scale follow Dice?",
        "",
        "Dice of networks that were not trained on the scan: the shipped one on the tuning split, the fold models on "
        "the rest, there against the label as it is, damaged or not. The source reports 0.75 (Spearman; second-hand).",
        "",
        "| Data | Network | Spearman scale, Dice (95 % interval) | Pearson | Scans |",
        "| --- | --- | --- | --- | --- |",
        *_dice_rows(scores, follows),
        "",
        "## Training",
        "",
        *_training(arms),
        "",
        "| Data | Arm | Compared with | Difference in Dice (95 % interval) | Each seed | Mean Dice of the arm |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_arm_row(found) for found in comparisons),
    ]
    return "\n".join(lines) + "\n"


def _ordered(scores: list[dict[str, Any]], sets: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for name in sets:
        found = [entry for entry in scores if entry["set"] == name]
        yield from sorted(found, key=lambda entry: (entry["extractor"].startswith("control"), entry["extractor"]))


def _found_rows(scores: list[dict[str, Any]]) -> Iterator[str]:
    for entry in _ordered(scores, ("labels", "images")):
        value, low, high = entry["auroc"]
        cells = (SETS[entry["set"]], entry["extractor"], f"{value:.2f} ({low:.2f} to {high:.2f})")
        yield f"| {' | '.join(cells)} | {entry['damaged']} of {len(entry['scales'])} |"


def _gate_rows(scores: list[dict[str, Any]]) -> Iterator[str]:
    for entry in _ordered(scores, ("held", "clean")):
        found = {test["kind"]: test for test in entry["gate"]["damage"]}
        cells = [f"{found[kind]['auroc']:.2f}" if kind in found else "-" for kind in KINDS]
        volume = _number(entry["gate"]["volume_correlation"])
        head = f"| {SETS[entry['set']]} | {entry['extractor']}"
        yield f"{head} | {' | '.join(cells)} | {entry['gate']['status']} | {volume} |"


def _dice_rows(scores: list[dict[str, Any]], follows: dict[str, Any]) -> Iterator[str]:
    for entry in _ordered(scores, tuple(SETS)):
        found = follows.get(f"{entry['set']}, {entry['extractor']}")
        if found:
            rho, low, high = found["spearman"]
            value = f"{rho:+.2f} ({low:+.2f} to {high:+.2f})"
            yield f"| {SETS[entry['set']]} | {entry['extractor']} | {value} | {found['pearson']:+.2f} | {found['n']} |"


def _training(arms: list[dict[str, Any]]) -> list[str]:
    if not arms:
        return ["Not run yet."]
    steps = sorted({arm["steps"] for arm in arms})
    scans = len(arms[0]["dice"])
    return [
        f"{len(arms)} trainings of one small network (channels 8-16-32, 2 mm, cross-entropy + Dice, "
        f"{', '.join(map(str, steps))} steps), compared by Dice at 2 mm on the {scans} scans of the tuning split, "
        "which are never damaged. An arm and "
        "what it is compared with share seed and everything else; the interval is that of the mean over seeds. "
        "Filters leave out the hardest patients by `crossfit, row-centred`; `random` drops as many patients at random."
    ]


def _arm_row(found: Comparison) -> str:
    gain = f"{found.gain.mean:+.4f} ({found.gain.low:+.4f} to {found.gain.high:+.4f})"
    each = ", ".join(f"{value:+.4f}" for value in found.each)
    cells = (SETS[found.data], found.arm, found.control, gain, each, f"{found.dice:.4f}")
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return "-" if value is None or np.isnan(value) else f"{value:+.2f}"
