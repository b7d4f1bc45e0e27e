"""How well the uncertainty about a whole scan tells scans of another kind from those of the usual one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..metrics.correlation import auroc
from .arm_result import ArmResult


@dataclass(frozen=True)
class OutsideScore:
    """One kind of scan against the held-out cases.

    Attributes:
        scans: how many could be run; failed: how many could not.
        auroc: of the score (uncertainty over the dilated prediction); auroc_mean: of the mean uncertainty.
        fpr95: share of the usual scans that are flagged at the threshold that flags 95 % of the others.
        ordered, pairs: paired scans whose score is above that of the same patient's usual scan.
    """

    scans: int
    failed: int
    auroc: float
    auroc_mean: float
    fpr95: float
    ordered: int
    pairs: int


def score_kind(result: ArmResult, kind: str) -> OutsideScore | None:
    """The scores of one kind; None where no scan of it was run."""
    rows = result.outside.get(kind, [])
    good = [row for row in rows if "score" in row]
    if not good:
        return None
    pairs = [row for row in good if row.get("own") is not None]
    return OutsideScore(
        scans=len(good),
        failed=len(rows) - len(good),
        auroc=_auroc(result, good, "score"),
        auroc_mean=_auroc(result, good, "mean"),
        fpr95=_fpr95(result, good),
        ordered=sum(row["score"] > row["own"] for row in pairs),
        pairs=len(pairs),
    )


def _inside(result: ArmResult, key: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([case[key] for case in result.cases.values() if case.get(key) is not None], dtype=np.float64)


def _auroc(result: ArmResult, rows: list[Mapping[str, Any]] | list[dict[str, Any]], key: str) -> float:
    inside, outside = _inside(result, key), np.array([row[key] for row in rows], dtype=np.float64)
    positive = np.arange(inside.size + outside.size) >= inside.size
    return auroc(np.concatenate([inside, outside]), positive)


def _fpr95(result: ArmResult, rows: list[dict[str, Any]]) -> float:
    outside = np.sort([row["score"] for row in rows])
    threshold = outside[int(np.floor(0.05 * outside.size))]
    inside = _inside(result, "score")
    return float((inside >= threshold).mean()) if inside.size else float("nan")
