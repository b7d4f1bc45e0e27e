"""The arms of the difficulty experiments that train: fold models, filters against random drops, DUO against uniform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from difficulty.damaged_sets import BASE, DAMAGE_SEED, Plan, Rows, case_list, own, tuning_groups, write_rows
from difficulty.difficulty_scores import SHARES, mean_dice
from difficulty.short_training import train_and_test
from SUREUncertaintyLib.packages.package import load_package
from SUREUncertaintyLib.training.recipe import find_recipe
from SUREUncertaintyLib.training.train import train

FOLDS = 2
FOLD_SEED = DAMAGE_SEED + 1
FILTER_BY = "crossfit-row-centred"
PROFILE: dict[str, Any] = {
    "channels": [8, 16, 32],
    "spacing": [2.0, 2.0, 2.0],
    "patch": [24, 32, 24],
    "optimisation": {
        "batch": 2,
        "learning_rate": 0.01,
        "warmup_steps": 10,
        "weight_decay": 0.0001,
        "gradient_clip": 5.0,
        "ema": 0.95,
        "mixed_precision": False,
    },
    "augmentation": {
        **dict.fromkeys(("elastic_probability", "bias_probability", "low_resolution_probability"), 0.0),
        **dict.fromkeys(("noise_probability", "blur_probability", "gamma_probability"), 0.1),
        "rotate_degrees": 10,
        "scale": 0.1,
        "translate_mm": 2,
    },
}
"""The short profile that all arms share: a small network with cross-entropy + Dice at 2 mm, chosen on one undamaged
arm's tuning Dice, so that many arms fit one processor. It is whole: a new release of the shipped recipe must not make
later arms differ from earlier ones."""


def recipe(plan: Plan, arm: str, table: str, seed: int, **changes: Any) -> dict[str, Any]:
    """The recipe of the shipped segmentation in the short profile, on a table of ours."""
    document: dict[str, Any] = yaml.safe_load(find_recipe(f"{BASE}-plain").read_text(encoding="utf-8"))
    columns = {"image_column": "image", "label_column": "label", "id_column": "id", "group_column": "group"}
    kept = {"tuning_groups": document["data"]["tuning_groups"], "train_split": "train", "split_column": "split"}
    document |= {"name": arm, "seed": seed, "data": {"table": table, **columns, **kept}, **changes}
    document["network"]["arguments"]["channels"] = PROFILE["channels"]
    if "loss" not in changes:
        document["loss"] = {"name": "softmax"}
    document["input"] |= {"spacing": PROFILE["spacing"], "patch": PROFILE["patch"]}
    document["optimisation"] = {**PROFILE["optimisation"], "steps": plan.steps}
    document["augmentation"] |= PROFILE["augmentation"]
    return document


def fold_recipe(plan: Plan, arm: str, number: int) -> dict[str, Any]:
    """The recipe of a fold model: no subject is kept for tuning."""
    document = recipe(plan, arm, f"{arm}.csv", seed=number)
    document["data"]["tuning_groups"] = []
    return document


def fold_tables(plan: Plan, name: str, rows: Rows) -> list[str]:
    """Write the table of every fold of a set; the names of the fold models. Whole subjects are held out.

    Drawn with a seed of its own: with that of the damage, one fold would hold all damaged subjects, and what sets its
    model apart from the others would pass for finding them.
    """
    groups = sorted({row["group"] for row in own(rows)})
    parts = np.array_split(np.random.default_rng(FOLD_SEED).permutation(groups), FOLDS)
    found = []
    for number, part in enumerate(parts):
        held, arm = {*part.tolist(), *tuning_groups()}, f"{name}-fold{number}"
        table = [{**row, "split": "held" if row["group"] in held else "train"} for row in rows]
        write_rows(plan.tables / f"{arm}.csv", table)
        found.append(arm)
    return found


def fold_folder(plan: Plan, name: str) -> Path:
    """The folder of a set's fold models, as ``crossfit:FOLDER`` wants it."""
    return plan.work / "folds" / name


def train_fold(plan: Plan, name: str, number: int, arm: str) -> bool:
    """Train one fold model and put it in its set's folder. Returns whether it was done now."""
    link = fold_folder(plan, name) / arm
    if link.exists():
        return False
    package = train(
        plan.results.save_recipe(fold_recipe(plan, arm, number)), plan.tables, plan.work / "runs" / arm, "cpu"
    )
    assert package is not None
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(package.root.absolute(), target_is_directory=True)
    return True


def out_of_fold_dice(plan: Plan, name: str, rows: Rows) -> dict[str, float]:
    """Mean Dice of every case by the fold model that never saw it, against its (possibly damaged) label."""
    dice: dict[str, float] = {}
    cases = case_list(plan, name, own(rows))
    for root in sorted(fold_folder(plan, name).iterdir()):
        package = load_package(root)
        held = tuple(case for case in cases if case.id not in package.metadata.raw["training"]["training_ids"])
        dice |= mean_dice(package, held)
    return dice


def arms(plan: Plan, sets: tuple[str, ...]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every training: its set, its name, and the sections of the recipe that differ. Whole seeds come first."""
    turns = [(seed, name) for seed in range(plan.seeds) for name in sets]
    mild, strong = SHARES
    for seed, name in turns:
        yield name, f"{name}-plain-{seed}", {"seed": seed}
        yield name, f"{name}-duo-{seed}", {"seed": seed, "loss": {"name": "duo", "options": {"base": "softmax"}}}
        yield from _filters(name, seed, strong)
    for seed, name in turns:
        yield from _filters(name, seed, mild)


def _filters(name: str, seed: int, share: float) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The filter and its control, which drops as many patients at random."""
    cut = {"table": f"difficulty/{name}/{FILTER_BY}/auv.csv", "keep": share, "allow_unproven": True}
    yield name, f"{name}-filter{share:g}-{seed}", {"seed": seed, "filter": cut}
    yield name, f"{name}-random{share:g}-{seed}", {"seed": seed, "filter": {**cut, "random_seed": seed}}


def run_arm(plan: Plan, name: str, arm: str, changes: dict[str, Any], rows: Rows) -> bool:
    """Train one arm and keep its Dice on the tuning cases. Returns whether it was done now."""
    result = f"arm-{arm}"
    if result in plan.results:
        return False
    write_rows(plan.tables / f"{name}.csv", rows)
    found = train_and_test(plan, plan.results.save_recipe(recipe(plan, arm, f"{name}.csv", **changes)))
    hurt = {row["id"] for row in rows if row["damage"]}
    facts = {"trained_on": len(found.used), "damaged_among_them": len(hurt & set(found.used))}
    document = {"arm": arm, "set": name, **changes, "steps": plan.steps, **facts}
    plan.results.save(result, {**document, "dice": found.dice, "groups": found.groups})
    return True
