"""Whether the heart and the lung can carry a forecast of Dice, and the forecast where they can.

    python Testing/Bench/quality_others.py MODEL [--data DIR] [--work DIR] [--validation] [--store]

On tuning scans every forecast is that of a fit on the other patients, one left out at a time. Whether it is offered is
decided by ``offered``, whose limits were fixed before anything was run. ``--validation`` measures the fit on all tuning
patients once on patients that nothing was chosen on; ``--store`` puts it into the package, if it is offered there, too.
Writes results/quality-others.json beside it and renews docs/quality.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import ROOT
from quality_fit import renew_fingerprint, run_all
from quality_page import write_page
from quality_runs import KINDS, foreign_runs, what_is
from quality_stacks import HEART, LUNG, stack_cases, validation_cases
from quality_table import Told, forecast_of, measured, order, silence
from SUREUncertaintyLib.analysis.quality.quality_model import QualityModel
from SUREUncertaintyLib.core.dataclass_json import from_json
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.metrics.bootstrap import paired_bootstrap
from SUREUncertaintyLib.metrics.conformal import patient_weights
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import amend_package
from SUREUncertaintyLib.packages.package_fingerprint import network_digest
from SUREUncertaintyLib.quality.calibrate import SETTING, CalibrationOptions, CaseRuns
from SUREUncertaintyLib.quality.fit import fit_quality
from SUREUncertaintyLib.quality.labelled_run import FITTED, INTACT, LabelledRun
from warnings_scans import Scan, unlabelled

RESULT = ROOT / "Testing" / "Bench" / "results" / "quality-others.json"
LEAST_COVERAGE = 0.85
"""Of the 90 % interval, over all scans and over the intact ones alone."""
DATA = {
    HEART: "both phases of the 12 tuning patients of the Sunnybrook Cardiac Data; every slice shows the cavity",
    LUNG: "the nodules of the 40 tuning patients of LIDC-IDRI; the outline is what half of the readers marked",
}


def runs_on(package: Package, cases: Sequence[Case], kept: Path, kinds: Sequence[str]) -> list[LabelledRun]:
    """Runs on every case, intact and under half of the kinds of damage, every other case under the other half."""
    if not kept.is_file():
        found: list[CaseRuns] = []
        for turn in (0, 1):
            own = [case for number, case in enumerate(cases) if (number + number // 2) % 2 == turn]
            options = CalibrationOptions(kinds=tuple(kinds[turn::2]), seed=turn)
            found += run_all(own, package, options, kept.with_suffix(f".{turn}"), 1)
        kept.write_text(json.dumps([case.to_json() for case in found]), encoding="utf-8")
    read = [from_json(CaseRuns, one) for one in json.loads(kept.read_text(encoding="utf-8"))]
    if failed := [f"{case.id}: {case.error}" for case in read if case.error]:
        print("not run:", *failed, sep="\n")
    return [run for case in read for run in case.runs if run.scores["dice"]]


def foreign_scans(name: str, data: Path) -> list[Scan]:
    """Scans that the model does not know: brains, phantoms, abdomens, and hearts for the lung."""
    return [scan for scan in unlabelled(data) if name != HEART or what_is(scan.name) != "heart"]


def known(runs: Sequence[LabelledRun]) -> list[LabelledRun]:
    """Those that a forecast is fitted on: intact and of the kinds of damage that it may see."""
    return [run for run in runs if run.kind in (INTACT, *FITTED)]


def left_out(runs: Sequence[LabelledRun]) -> list[Told]:
    """Every run with the forecast of a fit on all other patients."""
    found = []
    for patient in dict.fromkeys(run.group for run in runs):
        model = fit_quality(known([run for run in runs if run.group != patient]), "", "native", 1)
        found += [Told(run, forecast_of(model, run)) for run in runs if run.group == patient]
    return found


def skill(told: Sequence[Told], runs: Sequence[LabelledRun]) -> dict[str, Any]:
    """By how much the forecast errs less than a constant: the mean Dice of the other patients' copies of that sort.

    ``runs``: that the constant is taken from. A constant knows whether a copy is intact, which a forecast is not told.
    """
    rows = [one for one in told if one.quality.dice.known]
    errors = [abs(one.quality.dice.value - one.run.scores["dice"]["whole"]) for one in rows]
    constants = [abs(_usual(runs, one.run) - one.run.scores["dice"]["whole"]) for one in rows]
    found: dict[str, Any] = vars(paired_bootstrap(constants, errors, [one.run.group for one in rows]))
    return found


def _usual(runs: Sequence[LabelledRun], run: LabelledRun) -> float:
    others = [r for r in known(runs) if r.group != run.group and (r.kind == INTACT) == (run.kind == INTACT)]
    weights = patient_weights([other.group for other in others])
    return float(np.average([other.scores["dice"]["whole"] for other in others], weights=weights))


def offered(table: dict[str, Any]) -> list[str]:
    """What speaks against offering the forecast; empty where nothing does."""
    against = []
    for part in ("all", "intact"):
        if table["dice"][part]["coverage"]["mean"] < LEAST_COVERAGE:
            against.append(f"the interval holds too rarely ({part})")
    if table["dice"]["all"]["silent"] > 0.5 * table["dice"]["all"]["scans"]:
        against.append("most scans have no forecast")
    if not table["skill"]["low"] > 0.0:
        against.append("it errs no less than a constant")
    return against


def table_of(told: Sequence[Told], runs: Sequence[LabelledRun]) -> dict[str, Any]:
    """Everything about one split."""
    table = {
        "patients": len({one.run.group for one in told}),
        "dice": measured(told),
        "order": order(told),
        "skill": skill(told, runs),
    }
    return table | {"against": offered(table)}


def main() -> None:
    """Run, measure, write the page, and store what is offered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=(HEART, LUNG))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "quality")
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--store", action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    package, name = find_package(options.model), options.model
    entry: dict[str, Any] = {"version": package.metadata.version, "data": DATA[name]}
    runs = runs_on(package, stack_cases(name, options.data, options.work), options.work / f"{name}-tuning.json", KINDS)
    entry["tuning"] = table_of(left_out(runs), runs)
    model = fitted(package, runs)
    if options.validation:
        cases = validation_cases(name, options.data, options.work)
        further = runs_on(package, cases, options.work / f"{name}-validation.json", KINDS)
        entry["validation"] = table_of([Told(run, forecast_of(model, run)) for run in further], runs)
    foreign = foreign_runs(package, foreign_scans(name, options.data), options.work / f"{name}-foreign.json", False)
    entry["foreign"] = silence(model, foreign)
    document = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    document[name] = document.get(name, {}) | entry
    RESULT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    write_page()
    if options.store and not [*document[name]["tuning"]["against"], *document[name]["validation"]["against"]]:
        renew_fingerprint(name, package.fingerprint, amend_package(package, {SETTING: model.to_json()}))


def fitted(package: Package, runs: Sequence[LabelledRun]) -> QualityModel:
    """The forecast of all tuning patients, as the package would carry it."""
    chosen = known(runs)
    record = {
        "data": DATA[package.name],
        "cases": sorted({run.case for run in chosen}),
        "kinds": list(FITTED),
        "made_by": "Testing/Bench/quality_others.py",
    }
    return fit_quality(chosen, network_digest(package), "native", 1, False, record)


if __name__ == "__main__":
    main()
