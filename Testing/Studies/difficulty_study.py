"""Does difficulty find damaged scans, does filtering beat dropping at random, does DUO beat uniform weights?

    make difficulty DATA=DIR
    python Testing/Studies/difficulty_study.py --data DIR --work DIR [--only free] [--seeds 3] [--limit N]

``--data`` holds the hippocampus set with its ``splits.csv``. Everything goes to ``--work``; what is finished leaves a
JSON file in its folder ``results`` (and a recipe where something was trained). At the end these go into
``Testing/Studies/results/difficulty.json``. What has a file or stands there is skipped when the command is started
again; a further arm with a filter needs the tables in ``--work``. ``--limit`` stops after so many new results. Rows
that need no training come first (``--only free``, to be run again for a new shipped network), then the fold models,
then the arms, whole seeds first. Only the training split is used: arms are compared on its tuning subjects, not on
validation scans.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import islice
from pathlib import Path

from difficulty.damaged_sets import BASE, SETS, Plan, Rows, case_list, own, prepare, tuning
from difficulty.difficulty_answers import renew_correlations
from difficulty.difficulty_arms import arms, fold_folder, fold_tables, out_of_fold_dice, run_arm, train_fold
from difficulty.difficulty_page import difficulty_page
from difficulty.difficulty_scores import (
    Variant,
    free_variants,
    keep_dice,
    mean_dice,
    result_of,
    score,
    score_changed,
    variants,
)
from difficulty.difficulty_summary import CODEC
from recorded_results import RecordedResults
from SUREUncertaintyLib.packages.catalogue import find_package

PAGE = Path(__file__).resolve().parents[2] / "docs" / "difficulty-experiments.md"
HELD = "held"
"""The tuning scans, undamaged: the shipped network was not trained on them."""

Task = Callable[[], bool]


def tasks(plan: Plan, sets: tuple[str, ...]) -> Iterator[tuple[str, Task]]:
    """Everything of some sets in order, cheap rows first; each task says whether it had to be done."""
    rows = cache(lambda name: prepare(plan, name))
    yield from free_tasks(plan, rows)
    for name in sets:
        if not _has_fold_rows(plan, name):
            yield from _fold_tasks(plan, name, rows(name))
    for name, arm, changes in arms(plan, sets):
        yield arm, partial(run_arm, plan, name, arm, changes, rows(name))


def free_tasks(plan: Plan, rows: Callable[[str], Rows]) -> Iterator[tuple[str, Task]]:
    """The rows that need no training: the shipped network and the controls."""
    held = tuning(rows("clean"))
    for variant in free_variants():
        yield f"{HELD} by {variant.short}", partial(score, plan, HELD, held, variant)
    yield "Dice of the shipped network", partial(_held_dice, plan, held)
    for name in SETS:
        score_by = score if name == "clean" else score_changed
        for variant in free_variants():
            yield f"{name} by {variant.short}", partial(score_by, plan, name, own(rows(name)), variant)


def _fold_tasks(plan: Plan, name: str, rows: Rows) -> Iterator[tuple[str, Task]]:
    for number, arm in enumerate(fold_tables(plan, name, rows)):
        yield arm, partial(train_fold, plan, name, number, arm)
    for variant in _fold_variants(plan, name):
        yield f"{name} by {variant.short}", partial(score, plan, name, own(rows), variant, name == "clean")
    yield f"{name}: out-of-fold Dice", partial(_fold_dice, plan, name, rows)


def _fold_variants(plan: Plan, name: str) -> tuple[Variant, ...]:
    published, centred, _ = variants("crossfit", f"crossfit:{fold_folder(plan, name)}")
    return published, centred


def _has_fold_rows(plan: Plan, name: str) -> bool:
    rows = all(result_of(name, variant) in plan.results for variant in _fold_variants(plan, name))
    return rows and _network(plan, name) == "crossfit"


def _held_dice(plan: Plan, held: Rows) -> bool:
    package = find_package(BASE)
    if _network(plan, HELD) == package.fingerprint:
        return False
    keep_dice(plan, HELD, package.fingerprint, mean_dice(package, case_list(plan, HELD, held)))
    return True


def _fold_dice(plan: Plan, name: str, rows: Rows) -> bool:
    if _network(plan, name) == "crossfit":
        return False
    keep_dice(plan, name, "crossfit", out_of_fold_dice(plan, name, rows))
    return True


def _network(plan: Plan, name: str) -> str:
    """Whose Dice there is already."""
    return str(plan.results.get(f"dice-{name}").get("network", ""))


def parse() -> tuple[Plan, argparse.Namespace]:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="processes that score scans")
    parser.add_argument("--limit", type=int, default=0, help="stop after so many new results")
    parser.add_argument("--set", choices=SETS, action="append", help="trainings on this set alone, to share the work")
    parser.add_argument("--only", choices=("free", "page"), help="rows that need no training, or just the page")
    asked = parser.parse_args()
    results = RecordedResults(CODEC, asked.work.absolute() / "results")
    plan = Plan(asked.data.absolute(), asked.work.absolute(), results, asked.steps, asked.seeds, asked.workers)
    return plan, asked


def main() -> None:
    """Do what is not finished and renew the page."""
    plan, asked = parse()
    if asked.only == "free":
        chosen = free_tasks(plan, cache(lambda name: prepare(plan, name)))
    else:
        chosen = iter(()) if asked.only == "page" else tasks(plan, tuple(asked.set or SETS))
    new = (name for name, task in chosen if task())
    for name in islice(new, asked.limit or None):
        print(name, flush=True)
    renew_correlations(plan.results)
    plan.results.summarise()
    PAGE.write_text(difficulty_page(plan.results), encoding="utf-8")


if __name__ == "__main__":
    main()
