"""``docs/hierarchical.md``: the text in ``hierarchical-text.md`` with tables made from the JSON files alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rater_arms import ARMS
from rater_arms import BASE
from rater_arms import CHOSEN
from rater_arms import OURS
from rater_arms import SETTINGS
from rater_shift import SCORES
from SUREUncertaintyLib.metrics.bootstrap import Interval
from SUREUncertaintyLib.metrics.bootstrap import grouped_bootstrap
from SUREUncertaintyLib.metrics.bootstrap import paired_bootstrap
from SUREUncertaintyLib.metrics.detection import error_detection

TEXT = "hierarchical-text.md"
PAGE = "hierarchical.md"
SHOWN = {
    "ged2": "GED^2",
    "ncc": "NCC",
    "ncc_variance": "NCC, map against readers' variance",
    "diversity": "Diversity",
    "best_dice": "Best-match Dice",
    "dice_majority": "Dice, majority",
    "rater_ece": "Calibration error",
    "auroc_disagreement": "AUROC, disagreement",
}
SIZES = {
    "area_coverage": "Readers' areas inside the 90 % interval, a slice",
    "area_coverage_nodule": "Readers' areas inside the 90 % interval, summed over a nodule",
}
PAIRED = ("ged2", "ncc", "dice_majority")
COARSE = 0.01

Floats = NDArray[np.float64]


def write_page(results: Path, docs: Path) -> None:
    """Renew the page."""
    (docs / PAGE).write_text(hierarchical_page(results, docs), encoding="utf-8")


def hierarchical_page(results: Path, docs: Path) -> str:
    """The text with its ``<!-- NAME -->`` lines replaced by tables."""
    text = (docs / TEXT).read_text(encoding="utf-8")
    tables = {
        "scores": _score_rows,
        "differences": _difference_rows,
        "settings": _setting_rows,
        "probe": _probe_rows,
        "shift": _shift_rows,
        "package": _package_rows,
    }
    for name, rows in tables.items():
        text = text.replace(f"<!-- {name} -->", "\n".join(rows(results)))
    return text


def load_arm(results: Path, arm: str) -> list[dict[str, Any]]:
    """The finished seeds of an arm."""
    paths = [results / f"{arm}-{seed}.json" for seed in range(ARMS[arm].seeds)]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]


def over_seeds(runs: Sequence[Mapping[str, Any]], metric: str) -> Floats:
    """Values of the nodules, mean over seeds, NaN where undefined in all of them."""
    table = np.array([run["values"][metric] for run in runs], dtype=np.float64)
    defined = ~np.isnan(table)
    total = np.where(defined, table, 0.0).sum(axis=0)
    return np.where(defined.any(axis=0), total / np.maximum(defined.sum(axis=0), 1), np.nan)


NOT_RUN = "**Not run yet.** The command above starts it or goes on with it."


def _has_arms(results: Path) -> bool:
    return any(load_arm(results, arm) for arm in ARMS)


def _score_rows(results: Path) -> Iterator[str]:
    if not _has_arms(results):
        yield NOT_RUN
        return
    yield f"| Method | Seeds | {' | '.join(SHOWN.values())} |"
    yield f"| --- | --- |{' --- |' * len(SHOWN)}"
    for arm, facts in ARMS.items():
        if runs := load_arm(results, arm):
            cells = [_interval(_mean(runs, metric)) for metric in SHOWN]
            yield f"| {facts.title} | {len(runs)} | {' | '.join(cells)} |"


def _mean(runs: Sequence[Mapping[str, Any]], metric: str) -> Interval:
    return grouped_bootstrap(over_seeds(runs, metric), runs[0]["patients"])


def _difference_rows(results: Path) -> Iterator[str]:
    """Ours minus each other method, the same nodules."""
    if len([arm for arm in ARMS if load_arm(results, arm)]) < 2 or not load_arm(results, OURS):
        yield NOT_RUN
        return
    ours = load_arm(results, OURS)
    yield f"| Ours minus | {' | '.join(SHOWN[metric] for metric in PAIRED)} |"
    yield f"| --- |{' --- |' * len(PAIRED)}"
    for arm, facts in ARMS.items():
        runs = load_arm(results, arm)
        if arm != OURS and runs and ours:
            yield f"| {facts.title} | {' | '.join(_difference(ours, runs, metric) for metric in PAIRED)} |"


def _difference(ours: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], metric: str) -> str:
    pair = over_seeds(ours, metric), over_seeds(others, metric)
    found = paired_bootstrap(*pair, ours[0]["patients"])
    text = f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
    return f"**{text}**" if found.excludes_zero else text


def _setting_rows(results: Path) -> Iterator[str]:
    yield "| Setting | Changes | GED^2 | NCC | Diversity | Dice, majority | KL a level, finest first |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for setting in SETTINGS:
        path = results / f"setting-{setting}.json"
        if not path.is_file():
            continue
        run = json.loads(path.read_text(encoding="utf-8"))
        changed = {**run["network"], **run["loss"]}
        words = ", ".join(f"{name} {value}" for name, value in changed.items()) or "none"
        means = [f"{_mean([run], name).mean:.3f}" for name in ("ged2", "ncc", "diversity", "dice_majority")]
        name = f"**{setting}**" if setting == CHOSEN else setting
        yield f"| {name} | {words} | {' | '.join(means)} | {_divergences(run['probe'])} |"


def _divergences(probe: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{level['kl']:.3f}" if level["kl"] >= 5e-4 else f"{level['kl']:.0e}" for level in probe)


def _probe_rows(results: Path) -> Iterator[str]:
    if not _has_arms(results):
        yield NOT_RUN
        return
    yield "| Method | KL a level, finest first | Spatial SD of mu | Spatial SD of sigma | Above 0.01 | Collapsed |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for arm, facts in ARMS.items():
        for run in load_arm(results, arm)[:1]:
            probe = run["probe"]
            if not probe:
                continue
            spread = [", ".join(f"{level[name]:.3f}" for level in probe) for name in ("mean_spread", "std_spread")]
            alive = sum(level["kl"] > COARSE for level in probe)
            dead = sum(level["collapsed"] for level in probe)
            yield (
                f"| {facts.title} | {_divergences(probe)} | {' | '.join(spread)} | {alive} of {len(probe)} | "
                f"{dead} of {len(probe)} |"
            )


def _shift_rows(results: Path) -> Iterator[str]:
    """AUROC of every score for telling shifted cases from clean ones; blur as three strengths."""
    if not any(results.glob("shift-*.json")):
        yield NOT_RUN
        return
    kinds = {"blur-1": "blur 1", "blur-3": "blur 3", "blur-10": "blur 10", "patch": "patch"}
    kinds |= {"heart-mr": "heart MR", "abdomen-ct": "abdomen CT"}
    yield f"| Method | Score | {' | '.join(kinds.values())} |"
    yield f"| --- | --- |{' --- |' * len(kinds)}"
    words = {"mean": "mean of the map", "near": "mean near the outline", "latent": "sum of KL(p, N(0, 1))"}
    for arm, facts in ARMS.items():
        path = results / f"shift-{arm}.json"
        if not path.is_file():
            continue
        found = json.loads(path.read_text(encoding="utf-8"))["scores"]
        for score in SCORES:
            if found["clean"][score][0] is not None:
                cells = [f"{shift_auroc(found, kind, score):.2f}" for kind in kinds]
                yield f"| {facts.title} | {words[score]} | {' | '.join(cells)} |"


def _package_rows(results: Path) -> Iterator[str]:
    """The released package on the validation slices: every metric, and its reliability."""
    path = results.parent / f"{BASE}.json"
    if not path.is_file():
        yield "Not measured yet."
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    counts = f"{found['n_nodules']} nodules, {found['n_groups']} patients"
    where = f"{found['n_cases']} validation slices, the middle 64 x 64 pixels, {counts}"
    yield f"`{found['model']}` by `make accuracy`: {where}; {found['samples']} samples a slice, 100 for the sizes."
    yield from ("", "| Metric | Mean | 95 % interval over patients |", "| --- | --- | --- |")
    for name, words in (SHOWN | SIZES).items():
        numbers = found["metrics"][name]["mean"]
        yield f"| {words} | {numbers['mean']:.3f} | {numbers['low']:.3f} to {numbers['high']:.3f} |"
    yield from ("", "| Pixels | Mean probability | Share of readers that marked them |", "| --- | --- | --- |")
    for part in found["reliability"]:
        yield f"| {part['pixels']} | {part['probability']:.3f} | {part['share']:.3f} |"


def shift_auroc(found: Mapping[str, Any], kind: str, score: str) -> float:
    """AUROC of a score for telling the cases of a kind from the clean ones."""
    clean, shifted = (np.array(found[name][score], dtype=np.float64) for name in ("clean", kind))
    return error_detection(np.concatenate([clean, shifted]), np.repeat([False, True], [len(clean), len(shifted)])).auroc


def _interval(found: Interval) -> str:
    return f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})"
