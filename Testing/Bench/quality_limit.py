"""How far any order of copies can come: what one that knew exactly what the damage did to each copy would reach.

    python Testing/Bench/quality_limit.py [--data DIR] [--work DIR]

On the tuning scans of ``hippocampus-t1``, after ``quality_table.py``, whose runs in the work folder are used again. The
Dice of a copy is that of the patient's intact scan, less what the damage cost. Every order is therefore held against
the Dice, and against the Dice lost alone. Two orders are those of somebody who knows the answer to the intact scan: the
agreement of both answers, and the Dice lost itself. Writes ``limit`` into results/quality.json and renews the page.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import MODEL, ROOT
from quality_fit import tuning_cases
from quality_page import RESULT, write_page
from quality_runs import KINDS, labelled
from quality_table import OTHERS, Array, Told, held_out, over_patients
from SUREUncertaintyLib.analysis.noise_series import damaged
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine import Engine
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.metrics.correlation import spearman
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.quality.labelled_run import INTACT, LabelledRun, copies
from SUREUncertaintyLib.quality.true_scores import region_dice

AGREEMENT, LOST, INTACT_DICE = "agreement with the intact answer", "the Dice lost", "the Dice of the intact scan"
SILENT_WORST = "forecast, silent scans as the worst"


def agreements(package: Package, cases: Sequence[Case], kept: Path) -> dict[str, float]:
    """Mean Dice between the answers to a copy and to the intact scan, by ``copy_key``; kept in a file."""
    if not kept.is_file():
        engine, found = create_engine(package, "openvino", threads=1), {}
        for number, case in enumerate(cases):
            print(case.id, flush=True)
            found |= dict(_of_case(number, case, package, engine))
        kept.write_text(json.dumps(found), encoding="utf-8")
    read: dict[str, float] = json.loads(kept.read_text(encoding="utf-8"))
    return read


def _of_case(number: int, case: Case, package: Package, engine: Engine) -> Iterator[tuple[str, float]]:
    """Its copies as ``run_cases`` makes them: the number of the case is the seed."""
    scan = read_volume(case.image)
    intact = segment(scan, package, engine, turn=case.pose, copies=False).labels.array
    for copy in copies(number, KINDS):
        if copy.kind == INTACT:
            yield copy_key(case.id, copy.kind), 1.0
            continue
        image = scan.with_array(damaged(scan, copy.kind, copy.strength, number))
        result = segment(image, package, engine, turn=case.pose, copies=False)
        scores = region_dice(result, intact, package, case.pose)
        yield copy_key(case.id, copy.kind), float(np.mean(list(scores.values())))


def copy_key(case: str, kind: str) -> str:
    """Names a copy of a case; a kind of damage stands once in it."""
    return f"{case} {kind}"


def limit_of(told: Sequence[Told], agreement: Mapping[str, float]) -> dict[str, Any]:
    """Spearman of every order with the Dice and with the Dice lost, over patients; of scans that have a forecast."""
    known = [one for one in told if one.quality.dice.known]
    intact = {one.run.case: _dice(one.run) for one in told if one.run.kind == INTACT}
    ways = {"forecast": np.array([one.quality.dice.value for one in known])}
    ways |= {name: -np.array([read(one.run) for one in known]) for name, read in OTHERS.items()}
    ways[AGREEMENT] = np.array([agreement[copy_key(one.run.case, one.run.kind)] for one in known])
    ways[LOST] = _true(known) - _own(known, intact)
    ways[INTACT_DICE] = _own(known, intact)
    found = {name: _row(values, known, intact) for name, values in ways.items()}
    every = np.array([one.quality.dice.value if one.quality.dice.known else -1.0 for one in told])
    return found | {SILENT_WORST: _row(every, told, intact)}


def _row(values: Array, told: Sequence[Told], intact: Mapping[str, float]) -> dict[str, Any]:
    groups, true = [one.run.group for one in told], _true(told)
    lost = true - _own(told, intact)
    return {
        "scans": len(told),
        "dice": over_patients(lambda chosen: spearman(values[chosen], true[chosen]), groups),
        "lost": over_patients(lambda chosen: spearman(values[chosen], lost[chosen]), groups),
    }


def _dice(run: LabelledRun) -> float:
    return run.scores["dice"]["whole"]


def _true(told: Sequence[Told]) -> Array:
    return np.array([_dice(one.run) for one in told])


def _own(told: Sequence[Told], intact: Mapping[str, float]) -> Array:
    return np.array([intact[one.run.case] for one in told])


def main() -> None:
    """Run what is missing, and write table and page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "quality")
    options = parser.parse_args()
    package = find_package(MODEL)
    version = package.metadata.version
    document = json.loads(RESULT.read_text(encoding="utf-8"))
    if document["version"] != version:
        raise SystemExit(f"The table is of {document['version']}. Run Testing/Bench/quality_table.py first.")
    told = held_out(labelled(package, options.data, "tuning", options.work))
    kept = options.work / f"agreements-{version}.json"
    document["limit"] = limit_of(told, agreements(package, tuning_cases(package, options.data), kept))
    RESULT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    write_page()


if __name__ == "__main__":
    main()
