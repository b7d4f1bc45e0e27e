"""How far the forecast of Dice can be trusted: ``make quality``, or ``quality_table.py [--validation]``.

Writes results/quality.json beside it and renews docs/quality.md. On the tuning scans every forecast is that of a fit on
the other patients; with ``--validation`` the package's own forecast is measured on the validation scans, to be run once
for each release. Beside it stand the mean entropy, the scale S of difficulty and the agreement of disturbed copies,
which order scans without being a Dice.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import MODEL, ROOT
from numpy.typing import NDArray
from quality_page import RESULT, write_page
from quality_runs import ForeignRun, foreign, labelled
from SUREUncertaintyLib.analysis.quality.forecast import PredictedQuality, forecast_quality
from SUREUncertaintyLib.analysis.quality.quality_model import QualityModel, read_quality_model
from SUREUncertaintyLib.analysis.rows import Notice
from SUREUncertaintyLib.analysis.verdict import OUTSIDE, STATUSES, verdict_of
from SUREUncertaintyLib.metrics.bootstrap import grouped_bootstrap
from SUREUncertaintyLib.metrics.conformal import patient_folds
from SUREUncertaintyLib.metrics.correlation import spearman
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.quality.fit import fit_quality
from SUREUncertaintyLib.quality.labelled_run import FITTED, INTACT, LabelledRun

FAILURE, WORST = 0.75, 0.2
FOLDS, RESAMPLES = 10, 1000
OTHERS = {
    "mean entropy": lambda run: _whole(run, "mean_entropy"),
    "entropy inside the structures": lambda run: _whole(run, "interior_entropy"),
    "scale S of difficulty": lambda run: _whole(run, "difficulty"),
    "width of the volume range": lambda run: _whole(run, "range_below") + _whole(run, "range_above"),
    "agreement of disturbed copies": lambda run: _whole(run, "copies_unlike"),
}
"""Greater is worse."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """A run with its forecast."""

    run: LabelledRun
    quality: PredictedQuality

    @property
    def part(self) -> str:
        """Which group of copies it belongs to."""
        kind = self.run.kind
        return "intact" if kind == INTACT else "seen damage" if kind in FITTED else "unseen damage"


def _whole(run: LabelledRun, name: str) -> float:
    whole = run.measures.whole
    return float("nan") if whole is None else whole[name]


def forecast_of(model: QualityModel, run: LabelledRun) -> PredictedQuality:
    """As a run of the package would make it."""
    return forecast_quality(model, run.measures, any(code in OUTSIDE for code in run.codes))


def held_out(runs: Sequence[LabelledRun]) -> list[Told]:
    """Every run with the forecast of a fit on other patients; unseen kinds of damage are never fitted on."""
    folds = patient_folds([run.group for run in runs], FOLDS)
    found = []
    for fold in range(FOLDS):
        others = [r for r, own in zip(runs, folds, strict=True) if own != fold and r.kind in (INTACT, *FITTED)]
        model = fit_quality(others, "", "native", 1, True)
        found += [Told(r, forecast_of(model, r)) for r, own in zip(runs, folds, strict=True) if own == fold]
    return found


def measured(told: Sequence[Told], score: str = "dice") -> dict[str, Any]:
    """Coverage, width, error and order, by group of copies; intervals over patients."""
    parts = {"all": list(told)}
    for one in told:
        parts.setdefault(one.part, []).append(one)
    return {name: _part(members, score) for name, members in parts.items()}


def _part(told: Sequence[Told], score: str) -> dict[str, Any]:
    known = [one for one in told if one.quality.dice.known]
    foretold = [getattr(one.quality, score) for one in known]
    true = np.array([one.run.scores[score]["whole"] for one in known])
    groups = [one.run.group for one in known]
    held = [p.low <= t <= p.high for p, t in zip(foretold, true, strict=True)]
    above = [t >= p.at_least for p, t in zip(foretold, true, strict=True)]
    error = [abs(p.value - t) for p, t in zip(foretold, true, strict=True)]
    width = [p.high - p.low for p in foretold]
    numbers = {"coverage": held, "at_least_holds": above, "error": error, "width": width}
    document = {name: vars(grouped_bootstrap(np.array(v, float), groups)) for name, v in numbers.items()}
    value = [p.value for p in foretold]
    return {
        "scans": len(told),
        "silent": len(told) - len(known),
        "failures": int((true < FAILURE).sum()),
        **document,
        "spearman": over_patients(lambda chosen: spearman([value[n] for n in chosen], true[chosen]), groups),
    }


def order(told: Sequence[Told]) -> dict[str, Any]:
    """How well each way orders intact and damaged scans, and the failures among the worst fifth; on the same scans."""
    known = [one for one in told if one.quality.dice.known]
    true = np.array([one.run.scores["dice"]["whole"] for one in known])
    groups = [one.run.group for one in known]
    ways = {"forecast": np.array([-one.quality.dice.value for one in known])}
    others = {name: np.array([read(one.run) for one in known]) for name, read in OTHERS.items()}
    ways |= {name: values for name, values in others.items() if np.isfinite(values).any()}
    found, first = {}, ways["forecast"]
    for name, badness in ways.items():
        rank = over_patients(lambda chosen, b=badness: spearman(-b[chosen], true[chosen]), groups)
        ahead = over_patients(
            lambda chosen, b=badness: spearman(-first[chosen], true[chosen]) - spearman(-b[chosen], true[chosen]),
            groups,
        )
        caught = over_patients(lambda chosen, b=badness: caught_share(b[chosen], true[chosen]), groups)
        found[name] = {"spearman": rank, "forecast_ahead_by": ahead, "failures_among_worst": caught}
    return found


def caught_share(badness: Array, true: Array) -> float:
    """Share of the failures that lie among the worst fifth by ``badness``; NaN without failures."""
    failed = true < FAILURE
    if not failed.any():
        return float("nan")
    first = np.argsort(-badness, kind="stable")[: round(WORST * true.size)]
    return float(failed[first].sum() / failed.sum())


def over_patients(statistic: Callable[[NDArray[np.int64]], float], groups: Sequence[str]) -> dict[str, float]:
    """A statistic of all scans, with its 95 % interval from drawing patients with replacement."""
    numbers = {group: [n for n, own in enumerate(groups) if own == group] for group in dict.fromkeys(groups)}
    names, rng = list(numbers), np.random.default_rng(0)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = [numbers[names[n]] for n in rng.integers(0, len(names), len(names))]
        drawn.append(statistic(np.concatenate(chosen)))
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return {"mean": statistic(np.arange(len(groups))), "low": float(low), "high": float(high)}


def verdicts(told: Sequence[Told]) -> dict[str, dict[str, int]]:
    """How many results of a true Dice get which verdict, with the forecast and by the warnings alone."""
    found: dict[str, dict[str, int]] = {}
    for one in told:
        dice = one.run.scores["dice"]["whole"]
        quality = "0.75 or more" if dice >= FAILURE else "0.60 to 0.75" if dice >= 0.6 else "below 0.60"
        notices = [Notice(code, code) for code in one.run.codes]
        for name, status in (
            ("forecast", verdict_of(notices, (one.quality,)).status),
            ("warnings alone", verdict_of(notices).status),
        ):
            row = found.setdefault(f"{name}, Dice {quality}", dict.fromkeys(STATUSES, 0))
            row[status] += 1
    return found


def silence(model: QualityModel, runs: Sequence[ForeignRun]) -> dict[str, dict[str, int]]:
    """Of each kind of foreign scan, how many there are and how many get no forecast."""
    found: dict[str, dict[str, int]] = {}
    for run in runs:
        row = found.setdefault(run.what, {"scans": 0, "silent": 0})
        row["scans"] += 1
        row["silent"] += run.measures is None or not forecast_quality(model, run.measures, run.outside).dice.known
    return found


def table_of(told: Sequence[Told]) -> dict[str, Any]:
    """Everything about one split."""
    groups = {one.run.group for one in told}
    return {
        "patients": len(groups),
        "dice": measured(told),
        "surface_dice": measured(told, "surface_dice"),
        "order": order(told),
        "verdicts": verdicts(told),
    }


def main() -> None:
    """Measure, and write table and page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "quality")
    parser.add_argument("--validation", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    package = find_package(MODEL)
    model = read_quality_model(package.metadata.quality)
    if model is None:
        raise SystemExit("The package has no forecast. Run Testing/Bench/quality_fit.py first.")
    document = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    kept = document if document.get("version") == package.metadata.version else {}
    if options.validation:
        runs = labelled(package, options.data, "validation", options.work)
        kept["validation"] = table_of([Told(run, forecast_of(model, run)) for run in runs])
    else:
        kept["tuning"] = table_of(held_out(labelled(package, options.data, "tuning", options.work)))
        kept["foreign"] = silence(model, foreign(package, options.data, options.work))
    facts = {"tolerance_mm": model.tolerance_mm, "fitted_patients": model.patients, "fitted_cases": model.cases}
    kept |= {"model": MODEL, "version": package.metadata.version, **facts}
    RESULT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    write_page()


if __name__ == "__main__":
    main()
