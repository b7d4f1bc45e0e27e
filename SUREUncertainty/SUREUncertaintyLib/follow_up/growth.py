"""Growth of a structure between two scans, from the sizes of the samples of both.

Samples of one number are drawn with the same latent noise, so that they outline both scans in the same way, as if by
one reader: a generous outline then is a generous one now. Matched samples compare those. Where they cannot be matched,
and for a cautious number beside it, every sample is compared with every one of the other scan, as if two readers had
nothing in common; ranges are far wider then. What no sample shows, such as another breath-hold or thicker slices, is in
neither.

The volume-doubling time is days / log2(after / before) (Schwartz 1961). Since it has no upper end where growth may be
none at all, ranges are taken of the ratio, and then turned into days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TAIL = 0.05
"""Of either side of a range that holds 90 % of the pairs."""

Sizes = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True)
class Span:
    """A number with the ends of its range (90 %); NaN where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Growth:
    """What changed between two scans.

    Attributes:
        difference: after minus before, in the unit of the sizes.
        share: after over before, minus 1; not defined where there was nothing before.
        grown, shrunk: share of the pairs in which the second is the larger, or the smaller; pairs alike count half.
        grown_more, shrunk_more: share of the pairs that changed by the least share or more.
        doubling_days: of the answers, infinite where it did not grow; from the shortest that the samples allow to the
            longest, which is infinite where it may not have grown at all. NaN without a number of days.
    """

    difference: Span
    share: Span
    grown: float
    shrunk: float
    grown_more: float
    shrunk_more: float
    doubling_days: Span


def growth(
    before: Sizes,
    after: Sizes,
    answers: tuple[float, float],
    least_share: float,
    days: float | None,
    matched: bool = False,
) -> Growth:
    """Compare the samples of two scans.

    Args:
        before, after: size of the structure in every sample, one unit, not below 0.
        answers: its sizes in the answers of both scans, of which the values of the spans are.
        least_share: change that counts as real, 0.25 for a quarter.
        days: between the scans, above 0; None where it is not known.
        matched: compare each sample with that of its number alone; there are as many of both then.
    """
    first, second = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if not matched:
        first, second = first[:, None], second[None, :]
    difference = second - first
    grown = float((difference > 0).mean() + 0.5 * (difference == 0).mean())
    ratio = _ratio(first, second)
    own = answers[1] / answers[0] if answers[0] > 0 else math.nan
    return Growth(
        difference=Span(answers[1] - answers[0], *_ends(difference)),
        share=Span(own - 1.0, *(end - 1.0 for end in _ends(ratio))),
        grown=grown,
        shrunk=1.0 - grown,
        grown_more=float((ratio >= 1.0 + least_share).mean()),
        shrunk_more=float((ratio <= 1.0 - least_share).mean()),
        doubling_days=_doubling(own, ratio, days),
    )


def _ratio(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """After over before of every pair; 1 where there is nothing in either, infinite where it is new."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = second / first
    return np.where((first == 0) & (second == 0), 1.0, ratio)


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    """The values that occur nearest to the ends of the middle 90 %: between them infinite ones cannot be averaged."""
    low = np.quantile(values, TAIL, method="lower")
    high = np.quantile(values, 1.0 - TAIL, method="higher")
    return float(low), float(high)


def _doubling(own: float, ratio: NDArray[np.float64], days: float | None) -> Span:
    if days is None:
        return Span(math.nan, math.nan, math.nan)
    slowest, fastest = (_days_to_double(end, days) for end in _ends(ratio))
    return Span(_days_to_double(own, days), fastest, slowest)


def _days_to_double(ratio: float, days: float) -> float:
    """Infinite where nothing grew, 0 where it is new."""
    if math.isnan(ratio):
        return math.nan
    if ratio <= 1.0:
        return math.inf
    return 0.0 if math.isinf(ratio) else days / math.log2(ratio)
