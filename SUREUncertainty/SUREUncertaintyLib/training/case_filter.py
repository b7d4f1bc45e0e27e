"""Leaves the hardest patients out of a training, by a difficulty table that the recipe names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..core.errors import InputError
from ..difficulty.patient_filter import Scored, filter_patients, random_drop
from ..difficulty.table import DifficultyTable, read_table
from .recipe import FilterSection
from .training_cases import CaseFiles


def filter_training(files: CaseFiles, section: FilterSection, folder: Path) -> CaseFiles:
    """The case files without the training cases that the filter drops; tuning cases always stay.

    Thresholds are taken over the training cases alone, whatever else the table holds. A training case without a row
    stays.

    Args:
        folder: what a relative path of the table is relative to.

    Raises:
        InputError: no table, none of the training cases is in it, or its gate did not find the extractor valid.
    """
    if not section.table:
        return files
    table = read_table(folder / section.table)
    _require_valid(table, section)
    groups = {case.id: case.group for case in files.training}
    scored = [Scored(scan.id, groups[scan.id], scan.auv) for scan in _training_part(table, set(groups)).scored()]
    if not scored:
        raise InputError(f"The difficulty table {section.table} holds none of the training cases; compare the ids.")
    kept = filter_patients(scored, section.keep, section.combine, section.target)  # type: ignore[arg-type]
    gone = set(kept.drop)
    if section.random_seed is not None:
        gone = set(groups) - set(random_drop(_everyone(files), kept.dropped_patients, section.random_seed))
    return replace(files, training=tuple(case for case in files.training if case.id not in gone))


def _training_part(table: DifficultyTable, ids: set[str]) -> DifficultyTable:
    return replace(table, scans=tuple(scan for scan in table.scans if scan.id in ids))


def _everyone(files: CaseFiles) -> list[Scored]:
    return [Scored(case.id, case.group, {}) for case in files.training]


def _require_valid(table: DifficultyTable, section: FilterSection) -> None:
    status = (table.header.get("gate") or {}).get("status", "not tested")
    if status != "valid" and not section.allow_unproven:
        raise InputError(
            f"The difficulty table {section.table} is by a network whose validity is: {status}. Filtering by it may "
            "keep the bad scans. Use another network to score with, or set allow_unproven: true in the recipe's filter."
        )
