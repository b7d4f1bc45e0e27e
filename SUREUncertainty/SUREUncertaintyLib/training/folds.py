"""Cross-validation by group: the same parts every time, each with as many groups of every kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..core.errors import InputError
from .recipe import DataSection


def held_out_groups(rows: Sequence[Mapping[str, str]], section: DataSection) -> set[str]:
    """Groups of the held-out fold; empty for a recipe without folds.

    A table has one column a stratum (by name) and one row a group of it (by name); its rows are permuted with a fixed
    seed, and fold f takes the f-th of equally large runs of rows. With ACDC's 5 x 20 patients and seed 1 these are
    rows 4f to 4f + 3, as in the published comparison.

    Raises:
        InputError: a fold that does not exist, or a column that is missing.
    """
    if not section.folds:
        return set()
    if not 0 <= section.fold < section.folds:
        raise InputError(f"The recipe asks for fold {section.fold} of {section.folds}; folds count from 0.")
    try:
        stratum_of = {row[section.group_column]: _stratum(row, section) for row in rows}
    except KeyError as error:
        raise InputError(f"The case table lacks the column {error}.") from error
    strata = [sorted(g for g, s in stratum_of.items() if s == name) for name in sorted(set(stratum_of.values()))]
    count = max(len(column) for column in strata)
    order = np.random.RandomState(section.fold_seed).permutation(count)
    chosen = {int(row) for place, row in enumerate(order) if place * section.folds // count == section.fold}
    return {group for column in strata for row, group in enumerate(column) if row in chosen}


def _stratum(row: Mapping[str, str], section: DataSection) -> str:
    return row[section.stratum_column] if section.stratum_column else ""
