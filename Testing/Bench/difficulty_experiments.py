"""Does difficulty find damaged scans, does filtering beat dropping at random, does DUO beat uniform weights?

    python Testing/Bench/difficulty_experiments.py --data DIR --work DIR [--steps 600] [--seeds 3] [--only score]

``--data`` holds the hippocampus set with its ``splits.csv``. Everything large goes to ``--work``; every finished arm
leaves its recipe and a JSON file in ``docs/results/difficulty`` and is skipped when the command is started again. Only
the training split is used: arms are compared on its tuning subjects, never on the validation scans.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from difficulty_page import difficulty_page
from SUREUncertaintyLib.core.reading import read_labels
from SUREUncertaintyLib.core.reading import read_volume
from SUREUncertaintyLib.core.writing import write_volume
from SUREUncertaintyLib.difficulty.auv import auv_values
from SUREUncertaintyLib.difficulty.cohort import CohortOptions
from SUREUncertaintyLib.difficulty.damage import IMAGE_DAMAGE
from SUREUncertaintyLib.difficulty.damage import LABEL_DAMAGE
from SUREUncertaintyLib.difficulty.damage import damage_image
from SUREUncertaintyLib.difficulty.damage import damage_labels
from SUREUncertaintyLib.difficulty.extractors.registry import ExtractorOptions
from SUREUncertaintyLib.difficulty.gate import auroc
from SUREUncertaintyLib.difficulty.gate import choose_damaged
from SUREUncertaintyLib.difficulty.gate import pearson
from SUREUncertaintyLib.difficulty.gate import spearman
from SUREUncertaintyLib.difficulty.results import FilterOptions
from SUREUncertaintyLib.difficulty.results import assess_cohort
from SUREUncertaintyLib.difficulty.table import read_table
from SUREUncertaintyLib.inference.choose import create_engine
from SUREUncertaintyLib.metrics.cases import Case
from SUREUncertaintyLib.metrics.cases import read_cases
from SUREUncertaintyLib.metrics.evaluation import EvaluationOptions
from SUREUncertaintyLib.metrics.evaluation import evaluate_cases
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package import load_package
from SUREUncertaintyLib.training.recipe import find_recipe
from SUREUncertaintyLib.training.run import train

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results" / "difficulty"
PAGE = ROOT / "docs" / "difficulty-results.md"
BASE = "hippocampus-t1"
FOLDS = 3
SHARES = (0.95, 0.9)
DAMAGE_SEED = 20261121
SETS: dict[str, tuple[str, ...]] = {"clean": (), "labels": tuple(LABEL_DAMAGE), "images": tuple(IMAGE_DAMAGE)}
CONTROLS = ("control-random", "control-intensity", "control-variance", "control-volume")


@dataclass(frozen=True)
class Plan:
    """What the command line asked for."""

    data: Path
    work: Path
    steps: int
    seeds: int
    device: str | None


def prepare(plan: Plan, name: str) -> list[dict[str, str]]:
    """The training rows of one set, with absolute paths; damaged files are written to the work folder once."""
    with (plan.data / "splits.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "train"]
    tuning = tuning_groups()
    groups = {row["id"]: row["subject_group"] for row in rows if row["subject_group"] not in tuning}
    chosen = choose_damaged(groups, seed=DAMAGE_SEED) if SETS[name] else ()
    kinds = {case: SETS[name][n % len(SETS[name])] for n, case in enumerate(chosen)}
    return [_row(plan, name, row, kinds.get(row["id"], "")) for row in rows]


def _row(plan: Plan, name: str, row: dict[str, str], kind: str) -> dict[str, str]:
    paths = {"image": plan.data / "images" / row["file"], "label": plan.data / "labels" / row["file"]}
    part = "image" if kind in IMAGE_DAMAGE else "label"
    if kind:
        target = plan.work / "data" / name / f"{row['id']}-{kind}.nrrd"
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_volume(_damaged(paths[part], kind, row["id"]), target)
        paths[part] = target
    facts = {"id": row["id"], "group": row["subject_group"], "split": "train", "damage": kind}
    return {**{key: str(path.absolute()) for key, path in paths.items()}, **facts}


def _damaged(path: Path, kind: str, case_id: str) -> Any:
    if kind in IMAGE_DAMAGE:
        return damage_image(read_volume(path), kind, case_id, DAMAGE_SEED)
    return damage_labels(read_labels(path), kind, case_id, DAMAGE_SEED)


def base_recipe() -> dict[str, Any]:
    """The shipped recipe as a document."""
    document: dict[str, Any] = yaml.safe_load(find_recipe(BASE).read_text(encoding="utf-8"))
    return document


def tuning_groups() -> set[str]:
    """Subjects on which arms are compared."""
    return {str(group) for group in base_recipe()["data"]["tuning_groups"]}


def recipe(plan: Plan, arm: str, table: str, seed: int, **changes: Any) -> dict[str, Any]:
    """The shipped recipe in the short CPU profile, on a table of ours."""
    document = {**base_recipe(), "name": arm, "seed": seed, **changes}
    columns = {"image_column": "image", "label_column": "label", "id_column": "id", "group_column": "group"}
    kept = {"tuning_groups": document["data"]["tuning_groups"], "train_split": "train", "split_column": "split"}
    document["data"] = {"table": table, **columns, **kept}
    short = {"steps": plan.steps, "warmup_steps": min(100, plan.steps // 5), "ema": 0.99}
    document["optimisation"] = {**document["optimisation"], **short}
    return document


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    """A case table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def trained(plan: Plan, document: dict[str, Any]) -> Package:
    """The arm's package, trained, resumed or found finished."""
    arm = document["name"]
    output = plan.work / "runs" / arm
    if (output / "package" / arm / "configs" / "checksums.json").is_file():
        return load_package(output / "package" / arm)
    path = RESULTS / "recipes" / f"{arm}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    package = train(path, plan.work / "tables", output, plan.device)
    assert package is not None
    return package


def folds(plan: Plan, name: str, rows: list[dict[str, str]]) -> Path:
    """Train one model a fold of a set; the folder that holds their packages."""
    target = plan.work / "folds" / name
    target.mkdir(parents=True, exist_ok=True)
    own = sorted({row["group"] for row in rows} - tuning_groups())
    parts = np.array_split(np.random.default_rng(DAMAGE_SEED).permutation(own), FOLDS)
    for number, part in enumerate(parts):
        table, arm = f"{name}-fold{number}.csv", f"{name}-fold{number}"
        held = set(part.tolist())
        write_rows(
            plan.work / "tables" / table, [{**r, "split": "held" if r["group"] in held else "train"} for r in rows]
        )
        package = trained(plan, recipe(plan, arm, table, seed=number))
        if not (target / arm).exists():
            (target / arm).symlink_to(package.root.absolute(), target_is_directory=True)
    return target


def case_list(plan: Plan, name: str, rows: list[dict[str, str]], tuning: bool) -> tuple[Case, ...]:
    """The tuning cases of a set, or all others; tuning cases are never damaged."""
    chosen = [row for row in rows if (row["group"] in tuning_groups()) == tuning]
    path = plan.work / "tables" / f"{name}-{'tuning' if tuning else 'own'}-cases.csv"
    write_rows(path, [{key: row[key] for key in ("image", "label", "id", "group", "split")} for row in chosen])
    return read_cases(path)


def score(plan: Plan, name: str, rows: list[dict[str, str]]) -> None:
    """AUROC of every extractor for the damaged scans of a set, with its gate, and S against out-of-fold Dice."""
    cases = case_list(plan, name, rows, tuning=False)
    damaged = {row["id"] for row in rows if row["damage"]}
    for extractor in (f"crossfit:{folds(plan, name, rows)}", *CONTROLS):
        short = extractor.split(":")[0]
        result = RESULTS / f"score-{name}-{short}.json"
        if result.is_file():
            continue
        output = plan.work / "tables" / "difficulty" / name / short
        if not output.is_dir():
            assess_cohort(cases, output, CohortOptions(ExtractorOptions(extractor)), FilterOptions(SHARES))
        table = read_table(output)
        scans = [scan for scan in table.scans if np.isfinite(scan.scale)]
        values = auv_values([scan.scale for scan in scans])
        found = auroc(values, np.array([scan.id in damaged for scan in scans])) if damaged else None
        document = {"set": name, "extractor": short, "damaged": len(damaged), "scans": len(scans), "auroc": found}
        if short == "crossfit":
            dice = out_of_fold_dice(plan, name, cases)
            pairs = [(scan.scale, dice[scan.id]) for scan in scans if scan.id in dice]
            document |= {"pearson_dice": pearson(*zip(*pairs, strict=True)), "n_dice": len(pairs)}  # type: ignore[arg-type]
            document |= {"spearman_dice": spearman(*zip(*pairs, strict=True))}  # type: ignore[arg-type]
        save(result, {**document, "gate": table.header["gate"]})


def out_of_fold_dice(plan: Plan, name: str, cases: tuple[Case, ...]) -> dict[str, float]:
    """Mean Dice of every case by the fold model that never saw it, against its (possibly damaged) label."""
    dice: dict[str, float] = {}
    for root in sorted((plan.work / "folds" / name).iterdir()):
        package = load_package(root)
        held = tuple(case for case in cases if case.id not in package.metadata.raw["training"]["training_ids"])
        dice |= mean_dice(plan, f"{root.name}-held", package, held)
    return dice


def mean_dice(plan: Plan, name: str, package: Package, cases: tuple[Case, ...]) -> dict[str, float]:
    """Mean Dice by case id."""
    output = plan.work / "evaluations" / name
    options = EvaluationOptions(noise_levels=())
    found = evaluate_cases(cases, package, create_engine(package), output, options, overwrite=True)
    return {result.id: result.value("dice", "mean") for result in found.results if not result.error}


def arms(plan: Plan, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every training of a set: its name and the sections of the recipe that differ."""
    table = f"difficulty/{name}/crossfit/auv.csv"
    for seed in range(plan.seeds):
        yield f"{name}-plain-{seed}", {"seed": seed}
        yield f"{name}-duo-{seed}", {"seed": seed, "loss": {"name": "duo", "kl_anneal_epochs": 20}}
        for share in SHARES:
            cut = {"table": table, "keep": share, "allow_unproven": True}
            yield f"{name}-filter{share:g}-{seed}", {"seed": seed, "filter": cut}
            yield f"{name}-random{share:g}-{seed}", {"seed": seed, "filter": {**cut, "random_seed": seed}}


def compare(plan: Plan, name: str, rows: list[dict[str, str]]) -> None:
    """Train every arm of a set and keep its Dice on the tuning cases."""
    write_rows(plan.work / "tables" / f"{name}.csv", rows)
    tuning = case_list(plan, name, rows, tuning=True)
    for arm, changes in arms(plan, name):
        result = RESULTS / f"arm-{arm}.json"
        if result.is_file():
            continue
        package = trained(plan, recipe(plan, arm, f"{name}.csv", **changes))
        dice = mean_dice(plan, arm, package, tuning)
        used = package.metadata.raw["training"]["cases"]
        groups = {case.id: case.group for case in tuning}
        save(
            result,
            {
                "arm": arm,
                "set": name,
                **changes,
                "steps": plan.steps,
                "trained_on": used,
                "dice": dice,
                "groups": groups,
            },
        )


def save(path: Path, document: dict[str, Any]) -> None:
    """A result, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def main() -> None:
    """Run what is not finished and renew the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device")
    parser.add_argument("--only", choices=("score", "compare", "page"))
    asked = parser.parse_args()
    plan = Plan(asked.data, asked.work.absolute(), asked.steps, asked.seeds, asked.device)
    for name in SETS if asked.only != "page" else ():
        rows = prepare(plan, name)
        if asked.only in (None, "score"):
            score(plan, name, rows)
        if asked.only in (None, "compare"):
            compare(plan, name, rows)
    PAGE.write_text(difficulty_page(RESULTS), encoding="utf-8")


if __name__ == "__main__":
    main()
