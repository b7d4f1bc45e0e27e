"""The data of the difficulty experiments: the hippocampus training split, undamaged and with a fifth of it damaged."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import yaml
from recorded_results import RecordedResults
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.difficulty.damage import IMAGE_DAMAGE, LABEL_DAMAGE, damage_image, damage_labels
from SUREUncertaintyLib.difficulty.gate import choose_damaged
from SUREUncertaintyLib.evaluation.cases import Case, read_cases
from SUREUncertaintyLib.files.reading import read_labels, read_volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.training.recipe import find_recipe

BASE = "hippocampus-t1"
DAMAGE_SEED = 20261121
SETS: dict[str, tuple[str, ...]] = {"clean": (), "labels": tuple(LABEL_DAMAGE), "images": tuple(IMAGE_DAMAGE)}
COLUMNS = ("image", "label", "id", "group", "split")
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Plan:
    """What the command line asked for."""

    data: Path
    work: Path
    results: RecordedResults
    steps: int
    seeds: int
    workers: int

    @property
    def tables(self) -> Path:
        """Case tables, and the difficulty tables that filters read."""
        return self.work / "tables"


def prepare(plan: Plan, name: str) -> Rows:
    """The training rows of one set, with absolute paths; damaged files are written to the work folder once.

    A fifth of the subjects outside the tuning split is damaged, the kinds in turn; tuning scans never are.
    """
    root = plan.data / "msd_hippocampus" if (plan.data / "msd_hippocampus").is_dir() else plan.data
    with (root / "splits.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "train"]
    tuning = tuning_groups()
    groups = {row["id"]: row["subject_group"] for row in rows if row["subject_group"] not in tuning}
    chosen = choose_damaged(groups, seed=DAMAGE_SEED) if SETS[name] else ()
    kinds = {case: SETS[name][n % len(SETS[name])] for n, case in enumerate(chosen)}
    return [_row(plan, root, name, row, kinds.get(row["id"], "")) for row in rows]


def tuning_groups() -> set[str]:
    """Subjects on which arms are compared."""
    document = yaml.safe_load(find_recipe(BASE).read_text(encoding="utf-8"))
    return {str(group) for group in document["data"]["tuning_groups"]}


def own(rows: Rows) -> Rows:
    """The rows outside the tuning split."""
    return [row for row in rows if row["group"] not in tuning_groups()]


def tuning(rows: Rows) -> Rows:
    """The rows of the tuning split."""
    return [row for row in rows if row["group"] in tuning_groups()]


def write_rows(path: Path, rows: Rows) -> None:
    """A case table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def case_list(plan: Plan, name: str, rows: Rows) -> tuple[Case, ...]:
    """The rows as cases of the library."""
    path = plan.tables / f"{name}-cases.csv"
    write_rows(path, [{key: row[key] for key in COLUMNS} for row in rows])
    return read_cases(path)


def _row(plan: Plan, root: Path, name: str, row: dict[str, str], kind: str) -> dict[str, str]:
    paths = {"image": root / "images" / row["file"], "label": root / "labels" / row["file"]}
    part = "image" if kind in IMAGE_DAMAGE else "label"
    if kind:
        target = plan.work / "data" / name / f"{row['id']}-{kind}.nrrd"
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_volume(_damaged(paths[part], kind, row["id"]), target)
        paths[part] = target
    facts = {"id": row["id"], "group": row["subject_group"], "split": "train", "damage": kind}
    return {**{key: str(path.absolute()) for key, path in paths.items()}, **facts}


def _damaged(path: Path, kind: str, case_id: str) -> Volume:
    if kind in IMAGE_DAMAGE:
        return damage_image(read_volume(path), kind, case_id, DAMAGE_SEED)
    return damage_labels(read_labels(path), kind, case_id, DAMAGE_SEED)
