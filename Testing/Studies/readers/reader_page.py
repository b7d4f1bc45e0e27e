"""``docs/hierarchical.md``: the text in ``hierarchical-text.md`` with tables made from the recorded results alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from readers.level_page import level_setting_rows, single_level_rows
from readers.outline_page import OUTLINE, outline_rows
from readers.reader_arms import ARMS, CHOSEN, CONTROL, OURS, SINGLE
from readers.reader_results import (
    difference_words,
    each_seed,
    load_arm,
    load_settings,
    load_shift,
    mean_over_patients,
    paired,
)
from readers.reader_verdict import LEAST_DIVERGENCE, verdict_rows
from readers.shifted_slices import FOREIGN, SCORES, auroc_difference, wins
from readers.temperature_page import temperature_rows
from recorded_results import RecordedResults
from SUREUncertaintyLib.metrics.bootstrap import Interval

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "Testing" / "Bench" / "results" / "lung-nodule-ct.json"
TEMPERATURE = PACKAGE.with_name("sample-temperature.json")
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


def write_page(results: RecordedResults, docs: Path) -> None:
    """Renew the page."""
    (docs / PAGE).write_text(hierarchical_page(results, docs), encoding="utf-8")


def hierarchical_page(results: RecordedResults, docs: Path) -> str:
    """The text with its ``<!-- NAME -->`` lines replaced by tables."""
    text = (docs / TEXT).read_text(encoding="utf-8")
    tables = {
        "short": verdict_rows,
        "scores": _score_rows,
        "differences": _difference_rows,
        "fitted": _fitted_words,
        "settings": _setting_rows,
        "level-settings": level_setting_rows,
        "single-levels": single_level_rows,
        "probe": _probe_rows,
        "shift": _shift_rows,
    }
    for name, rows in tables.items():
        text = text.replace(f"<!-- {name} -->", "\n".join(rows(results)))
    for name, measured in {"package": _package_rows, "levels": _level_rows}.items():
        text = text.replace(f"<!-- {name} -->", "\n".join(measured(PACKAGE)))
    text = text.replace("<!-- outlines -->", "\n".join(outline_rows(OUTLINE)))
    return text.replace("<!-- temperature -->", "\n".join(temperature_rows(TEMPERATURE)))


NOT_RUN = "**Not run yet.** The command above starts it or goes on with it."


def _has_arms(results: RecordedResults) -> bool:
    return any(load_arm(results, arm) for arm in ARMS)


def _score_rows(results: RecordedResults) -> Iterator[str]:
    if not _has_arms(results):
        yield NOT_RUN
        return
    yield f"| Method | Seeds | {' | '.join(SHOWN.values())} |"
    yield f"| --- | --- |{' --- |' * len(SHOWN)}"
    for arm, facts in ARMS.items():
        if runs := load_arm(results, arm):
            cells = [_interval(mean_over_patients(runs, metric)) for metric in SHOWN]
            yield f"| {facts.title} | {len(runs)} | {' | '.join(cells)} |"


def _fitted_words(results: RecordedResults) -> Iterator[str]:
    """The numbers that were fitted after training."""
    words = "; ".join(f"{one['temperature']:g} and {one['own_share']:g}" for one in results.of_kind("fit-").values())
    yield f"Fitted temperature and share of the own answer, a seed each: {words}." if words else NOT_RUN


def _difference_rows(results: RecordedResults) -> Iterator[str]:
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
            yield f"| {facts.title} | {' | '.join(difference_words(paired(ours, runs, metric)) for metric in PAIRED)} |"


def _setting_rows(results: RecordedResults) -> Iterator[str]:
    yield "| Setting | Changes | Seeds | GED^2 | NCC | Diversity | Dice, majority | KL a level, finest first, seed 0 |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for setting, runs in load_settings(results).items():
        words = ", ".join(f"{name} {value}" for name, value in runs[0]["loss"].items())
        name = {CHOSEN: f"**{setting}**", SINGLE: f"*{ARMS[SINGLE].title}*"}.get(setting, setting)
        cells = [each_seed(runs, metric) for metric in ("ged2", "ncc", "diversity", "dice_majority")]
        yield f"| {name} | {words} | {len(runs)} | {' | '.join(cells)} | {_divergences(runs[0]['probe'])} |"


def _divergences(probe: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{level['kl']:.3f}" if level["kl"] >= 5e-4 else f"{level['kl']:.0e}" for level in probe)


def _probe_rows(results: RecordedResults) -> Iterator[str]:
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
            alive = sum(level["kl"] > LEAST_DIVERGENCE for level in probe)
            dead = sum(level["collapsed"] for level in probe)
            yield (
                f"| {facts.title} | {_divergences(probe)} | {' | '.join(spread)} | {alive} of {len(probe)} | "
                f"{dead} of {len(probe)} |"
            )


KINDS = {
    "blur-1": "blur 1",
    "blur-3": "blur 3",
    "blur-10": "blur 10",
    "patch": "patch",
    "heart-mr": "heart MR",
    "abdomen-ct": "abdomen CT",
}


def _shift_rows(results: RecordedResults) -> Iterator[str]:
    """AUROC of every score for telling shifted cases from clean ones; blur as three strengths."""
    found = {arm: scores for arm in ARMS if (scores := load_shift(results, arm))}
    if not found:
        yield NOT_RUN
        return
    yield f"| Method | Score | {' | '.join(KINDS.values())} |"
    yield f"| --- | --- |{' --- |' * len(KINDS)}"
    words = {"mean": "mean of the map", "near": "mean near the outline", "latent": "sum of KL(p, N(0, 1))"}
    for arm, scores in found.items():
        for score in SCORES:
            if scores["clean"][score][0] is not None:
                cells = [f"{wins(scores, kind, score).mean():.2f}" for kind in KINDS]
                yield f"| {ARMS[arm].title} | {words[score]} | {' | '.join(cells)} |"
    if {OURS, CONTROL} <= found.keys():
        yield from _control_rows(found[OURS], found[CONTROL])


def _control_rows(ours: Mapping[str, Any], control: Mapping[str, Any]) -> Iterator[str]:
    """Ours minus the noise channel, with intervals."""
    yield from (
        "",
        "AUROC of ours minus that of the noise channel; bold where the interval excludes 0.",
        "",
    )
    yield f"| Score | {' | '.join(KINDS.values())} |"
    yield f"| --- |{' --- |' * len(KINDS)}"
    for score, words in {"mean": "mean of the map", "near": "mean near the outline"}.items():
        cells = [difference_words(auroc_difference(ours, control, kind, score)) for kind in KINDS]
        yield f"| {words} | {' | '.join(cells)} |"
    yield from ("", f"Intervals are over patients, those of the {KINDS[FOREIGN[1]]} (one patient) over slices.")


def _package_rows(path: Path) -> Iterator[str]:
    """The released package on the validation slices: every metric, and its reliability."""
    if not path.is_file():
        yield "Not measured yet."
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    counts = f"{found['n_nodules']} nodules, {found['n_groups']} patients"
    where = f"{found['n_cases']} validation slices of {found['side']} x {found['side']} pixels, {counts}"
    yield f"`{found['model']}` by `make accuracy`: {where}; {found['samples']} samples a slice, 100 for the sizes."
    yield from ("", "| Metric | Mean | 95 % interval over patients |", "| --- | --- | --- |")
    for name, words in (SHOWN | SIZES).items():
        numbers = found["metrics"][name]["mean"]
        yield f"| {words} | {numbers['mean']:.3f} | {numbers['low']:.3f} to {numbers['high']:.3f} |"
    yield from ("", "| Pixels | Mean probability | Share of readers that marked them |", "| --- | --- | --- |")
    for part in found["reliability"]:
        yield f"| {part['pixels']} | {part['probability']:.3f} | {part['share']:.3f} |"


def _level_rows(path: Path) -> Iterator[str]:
    """What each level of the released package does alone."""
    found = json.loads(path.read_text(encoding="utf-8")).get("levels") if path.is_file() else None
    if found is None:
        yield "Not measured yet."
        return
    numbers = range(len(found["mean"]))
    yield f"| Level | Mean of its map, nats | {' | '.join(f'Correlation with {n}' for n in numbers)} |"
    yield f"| --- | --- |{' --- |' * len(numbers)}"
    for level, mean, line in zip(numbers, found["mean"], found["correlation"], strict=True):
        yield f"| {level} | {mean:.5f} | {' | '.join('-' if c is None else f'{c:.2f}' for c in line)} |"


def _interval(found: Interval) -> str:
    return f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})"
