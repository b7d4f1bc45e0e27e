"""``docs/comparison.md``, made from the arms' results alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..core.wording import ESTIMATOR_NAMES
from ..metrics.bootstrap import Interval, grouped_bootstrap, paired_bootstrap
from ..training.training_cases import TUNING
from .arm_result import STRONGEST, ArmResult
from .foreign_scores import score_kind
from .scan_level import difference_of, loss_correlation, points_of, risk_area, with_interval
from .study import Study
from .study_summary import results_of

METRICS = {
    "dice": "Dice",
    STRONGEST: "Dice, noise 0.9",
    "hd95_mm": "HD95 (mm)",
    "ece": "calibration error (ECE)",
    "auroc_error": "finds errors (AUROC)",
    "ueo": "overlap with error (UEO)",
}
RELATIONS = {
    "ur_star_gradient": "certain at sharp edges, pairs (UR*)",
    "ur_star_distance": "certain far from edges, pairs (UR*)",
    "ur_star_sigma": "uncertain under noise, pairs (UR*)",
    "tau_sigma": "follows noise (tau)",
    "ucc_gradient": "follows sharpness of edges (UCC)",
    "ucc_distance": "follows distance to edges (UCC)",
    "far_uncertainty": "uncertainty far away",
}
FURTHER = ("dice", "hd95_mm", "ece", "auroc_error")
PAIRED = ("ur_star_gradient", "ur_star_distance", "ur_star_sigma", "far_uncertainty", "dice", STRONGEST, "ece")
PAIRED_WORDS = METRICS | RELATIONS


def comparison_page(studies: Sequence[Study], results: Path, pictures: str = "pictures") -> str:
    """Markdown of every study that has results (a folder or summary file); what has not been run is not in it."""
    lines = [
        "# Comparison of estimators",
        "",
        "Made by `sure compare run` and `sure compare page` from a summary file in `Testing/Studies/results`: every "
        "arm has its result there, and its recipe by name and SHA-256. Same backbone and data for all arms of a study; "
        "what each training and each estimate costs stands in the first table. Means over subjects with the 95 % "
        "bootstrap interval over subjects. The measures are explained in the [glossary](glossary.md).",
    ]
    for study in studies:
        arms = results_of(study, results)
        if arms:
            lines += ["", *_study(study, arms, pictures)]
    return "\n".join(lines) + "\n"


def _study(study: Study, arms: Sequence[ArmResult], pictures: str) -> Iterator[str]:
    cases = max(len(arm.cases) for arm in arms)
    groups = max(len({case["group"] for case in arm.cases.values()}) for arm in arms)
    yield f"## {study.title}"
    yield ""
    if study.split == TUNING:
        yield f"{cases} tuning scans of {groups} subjects. {study.data_note}".strip()
    else:
        seen = "which no network was trained or tuned on"
        yield f"{cases} held-out scans of {groups} subjects, {seen}. {study.data_note}".strip()
    yield from _section("What each arm costs", _costs(arms))
    yield from _section("Segmentation and calibration", _means(arms, METRICS))
    yield from _section(
        "Does the uncertainty follow the principles? Wanted: pairs 1 (0.5 is chance), noise +1, edges -1, none afar",
        _means(arms, RELATIONS),
    )
    main = next((arm for arm in arms if arm.name == study.main), None)
    found = {arm.name: arm for arm in arms}
    others = [arm for arm in arms if arm is not main]
    if main is not None and others:
        title = f"{main.title} minus each other arm, the same scans; in bold where the interval excludes 0"
        yield from _section(title, _differences([(other.title, main, other) for other in others]))
    further = [(found[a], found[b]) for a, b in study.pairs if a in found and b in found]
    yield from _section("Further pairs", _differences([(f"{a.title} minus {b.title}", a, b) for a, b in further]))
    yield from _section("Does the uncertainty about a scan tell how good its result is?", _case_level(arms, main))
    for kind in study.further:
        yield from _section(kind.title, _further(kind.name, arms))
    yield from _section("Scans of another kind", _outside(study, arms))
    if study.split != TUNING:
        yield from _figures(study, pictures)


def _figures(study: Study, pictures: str) -> Iterator[str]:
    yield ""
    yield f"![Dice and uncertainty under damage]({pictures}/{study.name}-robustness.png)"
    yield ""
    yield f"![Risk and coverage]({pictures}/{study.name}-risk.png)"
    yield ""
    yield (
        f"Each figure: `sure compare figure {study.name} robustness` and `sure compare figure {study.name} risk`, with "
        "`--results` and `--output`."
    )


def _section(title: str, table: Iterator[str]) -> Iterator[str]:
    rows = list(table)
    if rows:
        yield from ("", f"**{title}**", "", *rows)


def _costs(arms: Sequence[ArmResult]) -> Iterator[str]:
    yield _row("Arm", "Loss", "Networks", "Steps a network", "Starts from", "Passes a window", "Estimator")
    yield _row(*["---"] * 7)
    for arm in arms:
        models = arm.facts["models"]
        starts = {model["start"]["name"] if model["start"] else "fresh weights" for model in models}
        steps = {str(model["steps"]) for model in models}
        yield _row(
            arm.title,
            ", ".join(sorted({model["loss"] for model in models})),
            str(len(models)),
            ", ".join(sorted(steps)),
            ", ".join(sorted(starts)),
            str(arm.facts["passes"]),
            ESTIMATOR_NAMES.get(arm.facts["estimator"], arm.facts["estimator"]),
        )


def _means(arms: Sequence[ArmResult], metrics: Mapping[str, str]) -> Iterator[str]:
    yield _row("Arm", *metrics.values())
    yield _row(*["---"] * (len(metrics) + 1))
    for arm in arms:
        ids = sorted(arm.cases)
        groups = [arm.cases[name]["group"] for name in ids]
        found = [grouped_bootstrap(arm.values(metric, ids), groups, arm.facts["seed"]) for metric in metrics]
        yield _row(arm.title, *(_interval(entry) for entry in found))


def _differences(pairs: Sequence[tuple[str, ArmResult, ArmResult]]) -> Iterator[str]:
    if not pairs:
        return
    yield _row("Minus", *(PAIRED_WORDS[metric] for metric in PAIRED), "AUROC of errors", "scans")
    yield _row(*["---"] * (len(PAIRED) + 3))
    for title, main, other in pairs:
        ids = sorted(set(main.cases) & set(other.cases))
        groups = [main.cases[name]["group"] for name in ids]
        cells = [
            _difference(paired_bootstrap(main.values(m, ids), other.values(m, ids), groups, main.facts["seed"]))
            for m in (*PAIRED, "auroc_error")
        ]
        yield _row(title, *cells, str(len(ids)))


def _case_level(arms: Sequence[ArmResult], main: ArmResult | None) -> Iterator[str]:
    yield _row(
        "Arm", "Spearman, uncertainty and loss of Dice", "Area under risk-coverage", "Main arm minus it, area", "Scans"
    )
    yield _row(*["---"] * 5)
    for arm in arms:
        points, seed = points_of(arm), arm.facts["seed"]
        less = (
            "" if main is None or arm is main else _difference(difference_of(points_of(main), points, risk_area, seed))
        )
        rho = _interval(with_interval(points, loss_correlation, seed))
        yield _row(arm.title, rho, _interval(with_interval(points, risk_area, seed)), less, str(len(points.keys)))


def _further(kind: str, arms: Sequence[ArmResult]) -> Iterator[str]:
    rows = [(arm, [case for case in arm.further.get(kind, {}).values() if "error" not in case]) for arm in arms]
    if not any(cases for _, cases in rows):
        return
    yield _row("Arm", *(METRICS[metric] for metric in FURTHER), "scans")
    yield _row(*["---"] * (len(FURTHER) + 2))
    for arm, cases in rows:
        values = [[np.nan if case[metric] is None else case[metric] for case in cases] for metric in FURTHER]
        groups = [case["group"] for case in cases]
        if cases:
            found = [grouped_bootstrap(numbers, groups, arm.facts["seed"]) for numbers in values]
            yield _row(arm.title, *(_interval(entry) for entry in found), str(len(cases)))


def _outside(study: Study, arms: Sequence[ArmResult]) -> Iterator[str]:
    kinds = [kind for kind in study.outside if any(score_kind(arm, kind.name) for arm in arms)]
    if not kinds:
        return
    yield _row("Kind", "Arm", "AUROC", "FPR at 95 % found", "AUROC of the mean uncertainty", "Pairs in order", "Scans")
    yield _row(*["---"] * 7)
    for kind in kinds:
        for arm in arms:
            found = score_kind(arm, kind.name)
            if found is not None:
                pairs = f"{found.ordered} of {found.pairs}" if found.pairs else ""
                numbers = (f"{value:.3f}" for value in (found.auroc, found.fpr95, found.auroc_mean))
                yield _row(kind.title, arm.title, *numbers, pairs, str(found.scans))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _interval(found: Interval) -> str:
    if found.mean != found.mean:
        return "undefined"
    return f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})"


def _difference(found: Interval) -> str:
    if found.mean != found.mean:
        return "undefined"
    text = f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
    return f"**{text}**" if found.excludes_zero else text
