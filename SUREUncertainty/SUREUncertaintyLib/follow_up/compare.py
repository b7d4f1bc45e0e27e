"""Two results of a patient into one document about what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.plain_json import plain
from ..core.wording import DISCLAIMER
from ..inference.sampling.sizes import stretched
from .comparability import are_matched, cautions, common_structures, require_comparable
from .growth import growth
from .scan_result import ScanResult

SCHEMA = "sure-follow-up/1"
ENDS = {"value": "", "low": "_low", "high": "_high"}
ACROSS = ("axial", "longest")
NO_RANGE = (
    "The result '{where}' gives no range for the volume of '{name}', since the scan is unlike those that the model "
    "knows. Growth cannot be told from it."
)
SWAPPED = (
    "The first scan was taken on {before}, after the second one of {after}. Give the earlier one first, or the number "
    "of days where the dates are wrong."
)
SAME_DAY = "Both scans were taken on one day ({day}), so that there is no volume-doubling time."
FROM_DATES, GIVEN = "dates", "given"
MOST_DAYS = 50_000.0
LEAST_SHARE = 0.25
"""Volumes of lung nodules that change by less are taken for stable (British Thoracic Society, Thorax 70:ii1, 2015)."""


@dataclass(frozen=True)
class Settings:
    """``days`` between the scans, None to read them from the dates of the scans; ``least_share`` that counts as a
    change; ``structures`` to compare, all when empty."""

    days: float | None = None
    least_share: float = LEAST_SHARE
    structures: tuple[str, ...] = ()


def compare_results(before: ScanResult, after: ScanResult, settings: Settings) -> dict[str, Any]:
    """The content of ``follow-up.json``: facts of both results, cautions, and a row a structure.

    Raises:
        InputError: the results cannot be compared (``comparability``), or a setting makes no sense.
    """
    days = days_between(before, after) if settings.days is None else settings.days
    if days is not None and not 0 < days < MOST_DAYS:
        raise InputError(f"There must be more than 0 days between the scans, and less than a lifetime, not {days:g}.")
    if not 0 < settings.least_share < 10:
        raise InputError("The least change is a percentage above 0 and below 1000.")
    require_comparable(before, after)
    names = common_structures(before, after, settings.structures)
    return {
        "schema": SCHEMA,
        "disclaimer": DISCLAIMER,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": before.model,
        "days": days,
        "days_from": None if days is None else (FROM_DATES if settings.days is None else GIVEN),
        "least_share": settings.least_share,
        "matched": are_matched(before, after),
        "unit": "ml" if before.tells_lengths else "voxels",
        "before": _described(before),
        "after": _described(after),
        "cautions": [*cautions(before, after), *_same_day(before, after, days)],
        "structures": [_row(name, before, after, settings.least_share, days) for name in names],
    }


def days_between(before: ScanResult, after: ScanResult) -> float | None:
    """From the days on which the scans were taken; None where one of them is not known, or both are the same.

    Raises:
        InputError: the later scan was given first.
    """
    first, second = before.acquired, after.acquired
    if first is None or second is None:
        return None
    if second < first:
        raise InputError(SWAPPED.format(before=first, after=second))
    return float((second - first).days) or None


def _same_day(before: ScanResult, after: ScanResult, days: float | None) -> Iterator[str]:
    if days is None and before.acquired is not None and before.acquired == after.acquired:
        yield SAME_DAY.format(day=before.acquired)


def _described(result: ScanResult) -> dict[str, Any]:
    document = result.document
    return {
        "where": result.where,
        "acquired": document.get("acquired"),
        "image": document["image"],
        "voxel_fingerprint": document["voxel_fingerprint"],
        "status": document["status"],
        "status_reasons": document["status_reasons"],
        "spacing_mm": list(result.spacing) if result.tells_lengths else None,
        "sampling": result.sampling,
    }


def _row(name: str, before: ScanResult, after: ScanResult, least_share: float, days: float | None) -> dict[str, Any]:
    """One structure: its size with the range on both scans, and what changed."""
    in_ml = before.tells_lengths
    first, second = (_size(result, name, in_ml) for result in (before, after))
    compare = partial(
        growth,
        drawn_sizes(before, name, in_ml),
        drawn_sizes(after, name, in_ml),
        (_answer(first), _answer(second)),
        least_share,
        days,
    )
    found, independent = compare(matched=are_matched(before, after)), compare()
    row = {"name": name, "before": first, "after": second, **asdict(found)}
    row["independent"] = {"grown_more": independent.grown_more, "shrunk_more": independent.shrunk_more}
    return dict(plain(row if days is not None else {**row, "doubling_days": None}))


def _answer(side: Mapping[str, Mapping[str, Any]]) -> float:
    return float(side["size"]["value"])


def drawn_sizes(result: ScanResult, name: str, in_ml: bool) -> NDArray[np.float64]:
    """Sizes of all samples, as far apart as the interval of a size is."""
    return stretched(result.drawn[name], result.stretch) / (1.0 if in_ml else result.voxel_ml)


def _size(result: ScanResult, name: str, in_ml: bool) -> dict[str, dict[str, float | None]]:
    """Volume and longest diameters of the answer with their ranges, no diameters in voxels, and how many samples have
    the structure.

    Raises:
        InputError: the result gives no range.
    """
    row = result.rows[name]
    if row["volume_low_ml"] is None:
        raise InputError(NO_RANGE.format(name=name, where=result.where))
    unit = 1.0 if in_ml else result.voxel_ml
    size = {end: row[f"volume{part}_ml"] / unit for end, part in ENDS.items()}
    drawn = result.drawn[name]
    counts = {"drawn": len(drawn), "holding": sum(size > 0 for size in drawn)}
    across = {key: {end: row[f"{key}{part}_mm"] for end, part in ENDS.items()} for key in ACROSS}
    return {"size": size, **across, "samples": counts}
