"""Does difficulty find damaged scans, does filtering beat dropping at random, does DUO beat uniform weights?

    make difficulty DATA=DIR
    python Testing/Bench/difficulty_experiments.py --data DIR --work DIR [--steps 300] [--seeds 3] [--limit N]

``--data`` holds the hippocampus set with its ``splits.csv``. Everything large goes to ``--work``. What is finished
leaves a JSON file in ``docs/results/difficulty`` (and a recipe where something was trained) and is skipped when the
command is started again; ``--limit`` stops after so many new results. Rows that need no training come first, then the
fold models, then the arms, whole seeds first. Only the training split is used: arms are compared on its tuning
subjects, never on the validation scans.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from collections.abc import Iterator
from functools import cache
from functools import partial
from pathlib import Path

from difficulty_arms import arms
from difficulty_arms import fold_folder
from difficulty_arms import fold_tables
from difficulty_arms import out_of_fold_dice
from difficulty_arms import run_arm
from difficulty_arms import train_fold
from difficulty_data import BASE
from difficulty_data import SETS
from difficulty_data import Plan
from difficulty_data import Rows
from difficulty_data import case_list
from difficulty_data import own
from difficulty_data import prepare
from difficulty_data import tuning
from difficulty_page import difficulty_page
from difficulty_scores import free_variants
from difficulty_scores import keep_dice
from difficulty_scores import mean_dice
from difficulty_scores import score
from difficulty_scores import variants
from SUREUncertaintyLib.packages.catalogue import find_package

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results" / "difficulty"
PAGE = ROOT / "docs" / "difficulty-experiments.md"
HELD = "held"
"""The tuning scans, undamaged: the shipped network was not trained on them."""

Task = Callable[[], bool]


def tasks(plan: Plan) -> Iterator[tuple[str, Task]]:
    """Everything in order, cheap rows first; each task says whether it had to be done."""
    rows = cache(lambda name: prepare(plan, name))
    yield from _free(plan, rows)
    for name in SETS:
        for number, (arm, table) in enumerate(fold_tables(plan, name, rows(name))):
            yield arm, partial(train_fold, plan, name, number, arm, table)
        for variant in variants("crossfit", f"crossfit:{fold_folder(plan, name)}"):
            yield f"{name} by {variant.short}", partial(score, plan, name, own(rows(name)), variant)
        yield f"{name}: out-of-fold Dice", partial(_fold_dice, plan, name, rows(name))
    for name, arm, changes in arms(plan, tuple(SETS)):
        yield arm, partial(run_arm, plan, name, arm, changes, rows(name))


def _free(plan: Plan, rows: Callable[[str], Rows]) -> Iterator[tuple[str, Task]]:
    held = tuning(rows("clean"))
    for variant in free_variants():
        yield f"{HELD} by {variant.short}", partial(score, plan, HELD, held, variant)
    yield "Dice of the shipped network", partial(_held_dice, plan, held)
    for name in SETS:
        for variant in free_variants():
            yield f"{name} by {variant.short}", partial(score, plan, name, own(rows(name)), variant)


def _held_dice(plan: Plan, held: Rows) -> bool:
    package = find_package(BASE)
    name = f"{HELD}-{package.fingerprint[:12]}"
    if (plan.work / "evaluations" / name).is_dir() and (plan.results / f"dice-{HELD}.json").is_file():
        return False
    keep_dice(plan, HELD, mean_dice(plan, name, package, case_list(plan, HELD, held)))
    return True


def _fold_dice(plan: Plan, name: str, rows: Rows) -> bool:
    if (plan.results / f"dice-{name}.json").is_file():
        return False
    keep_dice(plan, name, out_of_fold_dice(plan, name, rows))
    return True


def parse() -> tuple[Plan, int | None, bool]:
    """The command line: the plan, how many new results at most, whether only the page is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="processes that score scans")
    parser.add_argument("--limit", type=int, help="stop after so many new results")
    parser.add_argument("--page", action="store_true", help="only renew the page")
    asked = parser.parse_args()
    plan = Plan(asked.data.absolute(), asked.work.absolute(), RESULTS, asked.steps, asked.seeds, asked.workers)
    return plan, asked.limit, asked.page


def main() -> None:
    """Do what is not finished and renew the page."""
    plan, limit, page_only = parse()
    done = 0
    for name, task in () if page_only else tasks(plan):
        if task():
            done += 1
            print(name, flush=True)
        if limit is not None and done >= limit:
            break
    PAGE.write_text(difficulty_page(RESULTS), encoding="utf-8")
    if not done:
        print("nothing left to do", flush=True)


if __name__ == "__main__":
    main()
