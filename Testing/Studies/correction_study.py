"""Which ten scans to correct first: the order that a worklist proposes, mean entropy, and chance.

    python Testing/Studies/correction_study.py [--data DIR] [--work DIR] [--seeds 3]

A small network is trained on the hippocampi of ten patients, as *Train your own* does it. It segments scans of forty
others, half of them damaged, into a worklist. Ten of these are corrected (their labels are given), and the network goes
on with these and the ten that it had: those that the worklist proposes, those with the highest mean entropy, or any.
Judged by Dice on the tuning patients of ``hippocampus-t1``, intact and damaged; nothing here is trained on them. What
stands in ``Testing/Studies/results/corrections.json`` is not run again. Renews the table in docs/cohort.md.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from corrections_page import ORDERS, RESULTS, write_table
from numpy.typing import NDArray
from SUREUncertaintyLib.analysis.noise_series import damaged
from SUREUncertaintyLib.cohort.case_list import CohortList
from SUREUncertaintyLib.cohort.case_row import CaseRow
from SUREUncertaintyLib.cohort.correction_order import (
    COUNT,
    case_features,
    correction_order,
    farthest,
    worth_correcting,
)
from SUREUncertaintyLib.cohort.run import run_cohort
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.estimation.model_options import ModelOptions
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.quality.labelled_run import FITTED
from SUREUncertaintyLib.quality.true_scores import dice_with_label
from SUREUncertaintyLib.training.own_recipe import prepare_own
from SUREUncertaintyLib.training.recipe import BUILT_IN
from SUREUncertaintyLib.training.train import train

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
KNOWN, POOL = 10, 40
BASE_STEPS, BASE_RATE, FURTHER_STEPS, FURTHER_RATE = 800, 3e-3, 120, 2e-3
STRENGTHS = (0.3, 0.6)
CHANNELS, PATCH, SEEN = (8, 16, 32), (40, 56, 40), (32, 40, 32)
"""Widths of the network; voxels (k, j, i) that it sees at once afterwards, and in training."""


@dataclass(frozen=True)
class Patients:
    """Scans of one seed: what the network has, and what the worklist is made of; no patient is in both."""

    known: tuple[Case, ...]
    pool: tuple[Case, ...]


def all_cases(data: Path) -> dict[str, list[Case]]:
    """Every training scan of the Decathlon's table by patient."""
    root = data / "msd_hippocampus"
    with (root / "splits.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "train"]
    found: dict[str, list[Case]] = {}
    for row in rows:
        case = Case(root / "images" / row["file"], root / "labels" / row["file"], row["id"], row["subject_group"])
        found.setdefault(case.group, []).append(case)
    return found


def tuning_groups() -> set[str]:
    """Patients that are judged on."""
    recipe = yaml.safe_load((BUILT_IN / "hippocampus-t1-plain.yaml").read_text(encoding="utf-8"))
    return {str(group) for group in recipe["data"]["tuning_groups"]}


def draw(cases: Mapping[str, list[Case]], seed: int, work: Path) -> Patients:
    """Patients of one seed, one scan each; every other scan of the pool is damaged."""
    random = np.random.default_rng((seed, 1))
    groups = sorted(set(cases) - tuning_groups())
    chosen = [groups[number] for number in random.permutation(len(groups))[: KNOWN + POOL]]
    ones = [cases[group][0] for group in chosen]
    return Patients(tuple(ones[:KNOWN]), tuple(every_other_damaged(ones[KNOWN:], work / "pool")))


def every_other_damaged(cases: Sequence[Case], folder: Path) -> Iterable[Case]:
    """The cases, each second one as a damaged copy in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(cases):
        if number % 2 == 0:
            yield case
            continue
        turn = number // 2
        kind, strength = FITTED[turn % len(FITTED)], STRENGTHS[turn // len(FITTED) % len(STRENGTHS)]
        scan, path = read_volume(case.image), folder / f"{case.id}.nrrd"
        if not path.is_file():
            write_volume(scan.with_array(damaged(scan, kind, strength, number)), path)
        yield Case(path, case.label, case.id, case.group)


def trained(cases: Sequence[Case], name: str, work: Path, start: Package | None = None) -> Package:
    """A package from cases by the recipe of *Train your own*, made small; or one that goes on from another.

    What is set aside for the threshold stays the same when a training goes on.
    """
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["image,label,id,group", *(f"{case.image},{case.label},{case.id},{case.group}" for case in cases)]
    (folder / "cases.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    path = prepare_own(folder, name, "quick", folder / "recipe")
    document = json.loads(path.read_text(encoding="utf-8"))
    document["network"]["arguments"]["channels"] = list(CHANNELS)
    document["input"] |= {"patch": list(PATCH), "spacing": [1.0, 1.0, 1.0]}
    document["data"]["tuning_groups"] = sorted({case.group for case in cases[:KNOWN]})[4::5]
    steps, rate = (BASE_STEPS, BASE_RATE) if start is None else (FURTHER_STEPS, FURTHER_RATE)
    optimisation = {"steps": steps, "learning_rate": rate, "warmup_steps": 20, "ema": 0.98}
    document["optimisation"] = {**optimisation, "mixed_precision": False, "patch": list(SEEN)}
    path.write_text(json.dumps(document), encoding="utf-8")
    package = train(path, path.parent, folder / "training", device="cpu", start=start and start.root)
    assert package is not None  # one process
    return package


def listed(package: Package, pool: tuple[Case, ...], work: Path) -> tuple[CaseRow, ...]:
    """The worklist of the pool."""
    model = ModelOptions(str(package.root), engine="openvino", fingerprint=package.fingerprint, threads=1)
    return run_cohort(CohortList(pool), package, model, work / "cohort", 1, pictures=False).rows


def orders(rows: Sequence[CaseRow], seed: int) -> dict[str, tuple[str, ...]]:
    """The ten to correct, by name of the order."""
    worth = worth_correcting(rows)
    uncertain = sorted(rows, key=lambda row: -row.mean_entropy)[:COUNT]
    return {
        "none": (),
        "chance 1": _any_ten(rows, (seed, 2)),
        "chance 2": _any_ten(rows, (seed, 3)),
        "mean entropy": tuple(row.id for row in uncertain),
        "need": tuple(row.id for row in rows[:COUNT]),
        "unlike": _unlike(rows, np.ones(len(rows))),
        "need x unlike": _unlike(worth, 1.0 - np.array([rows.index(row) for row in worth]) / len(rows)),
        "worklist": correction_order(rows),
    }


def _unlike(rows: Sequence[CaseRow], weights: NDArray[np.float64]) -> tuple[str, ...]:
    chosen = farthest(case_features(rows), [row.group for row in rows], COUNT, weights)
    return tuple(rows[place].id for place in chosen)


def _any_ten(rows: Sequence[CaseRow], seed: tuple[int, int]) -> tuple[str, ...]:
    return tuple(rows[number].id for number in np.random.default_rng(seed).permutation(len(rows))[:COUNT])


def judged(package: Package, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Mean Dice of every case."""
    engine = create_engine(package, "openvino", threads=1)
    found = []
    for case in cases:
        scores = dice_with_label(case, segment(read_volume(case.image), package, engine), package)
        found.append({"id": case.id, "group": case.group, "dice": round(float(np.mean(list(scores.values()))), 4)})
    return found


def run_seed(seed: int, cases: Mapping[str, list[Case]], work: Path, document: dict[str, Any]) -> None:
    """Every order of one seed that is not there yet; the document is kept after each."""
    if all(f"{seed}/{name}" in document for name in ORDERS):
        return
    patients, tuning = draw(cases, seed, work), [case for group in sorted(tuning_groups()) for case in cases[group]]
    test = list(every_other_damaged(tuning, work.parent / "judged"))
    base = trained(patients.known, f"base-{seed}", work)
    rows = listed(base, patients.pool, work)
    by_id = {case.id: case for case in patients.pool}
    for name, ids in orders(rows, seed).items():
        if f"{seed}/{name}" in document:
            continue
        twin = next((key for key in document if _of_seed(key, seed) and document[key]["corrected"] == list(ids)), None)
        if twin is None:
            corrected = [by_id[one] for one in ids]
            further = trained((*patients.known, *corrected), f"{name.replace(' ', '-')}-{seed}", work, base)
            found = {
                "corrected": list(ids),
                "dice_before": [row.dice for row in rows if row.id in ids],
                "damaged": sum(one.image.suffix == ".nrrd" for one in corrected),
                "judged": judged(further, test),
            }
        document[f"{seed}/{name}"] = found if twin is None else document[twin]
        RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print(seed, name, flush=True)


def _of_seed(key: str, seed: int) -> bool:
    return key.startswith(f"{seed}/")


def main() -> None:
    """Run what is missing and renew the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=Path("build/corrections"))
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    cases = all_cases(asked.data)
    document = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    for seed in range(asked.seeds):
        run_seed(seed, cases, asked.work.absolute() / f"seed-{seed}", document)
    write_table(document)


if __name__ == "__main__":
    main()
