"""What changed between two scans, in words: for the terminal and the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.rounding import decimals

PROBABLE, SURE = 0.9, 0.95
DAYS_UNKNOWN = "How many days lie between the scans is not known, so that there is no volume-doubling time."
NO_END = "no upper end"

MATCHED = (
    "Ranges hold 90 % of the pairs of samples with one number, one of each scan: these outline both scans in the same "
    "way, as if by one reader. Probabilities are shares of these pairs. The cautious one is of all pairs, as if two "
    "readers with nothing in common had outlined the scans."
)
UNMATCHED = (
    "Ranges hold 90 % of all pairs of a sample of the first scan with one of the second, and probabilities are shares "
    "of these pairs."
)
LIMITS = (
    "Samples are as far apart as the model's interval of a size, which was fitted to hold 90 % of readers. Another "
    "breath, other slices or another reconstruction are not in the numbers."
)


def method_sentence(document: Mapping[str, Any]) -> str:
    """How ranges and probabilities came about."""
    return f"{MATCHED if document['matched'] else UNMATCHED} {LIMITS}"


def days_words(document: Mapping[str, Any]) -> str:
    """How many days lie between the scans, and whence they are known; empty where they are not."""
    if document["days"] is None:
        return ""
    whence = ", by the dates of the scans" if document["days_from"] == "dates" else ""
    unit = "day" if document["days"] == 1 else "days"
    return f"{document['days']:g} {unit} between them{whence}"


def verdict_sentence(row: Mapping[str, Any], least_share: float) -> str:
    """Whether the structure grew, shrank, or neither can be told, and how probable that is."""
    more, less, limit = row["grown_more"], row["shrunk_more"], whole_percent(least_share)
    if not row["before"]["size"]["value"]:
        return f"{row['name']}: not found on the first scan{_seen(row['before'])}, so it is new, or was missed there."
    if not row["after"]["size"]["value"]:
        return f"{row['name']}: not found on the second scan{_seen(row['after'])}, so it is gone, or was missed there."
    if more >= PROBABLE:
        told = f"{percent(more)} (cautiously {percent(row['independent']['grown_more'])})"
        return f"{row['name']} grew by {limit} or more with a probability of {told}."
    if less >= PROBABLE:
        told = f"{percent(less)} (cautiously {percent(row['independent']['shrunk_more'])})"
        return f"{row['name']} shrank by {limit} or more with a probability of {told}."
    if row["grown"] >= SURE:
        return f"{row['name']} grew (probability {percent(row['grown'])}), by {limit} or more with {percent(more)}."
    if row["shrunk"] >= SURE:
        return f"{row['name']} shrank (probability {percent(row['shrunk'])}), by {limit} or more with {percent(less)}."
    return (
        f"{row['name']}: no change can be told from what the outlines leave open. It grew with a probability of "
        f"{percent(row['grown'])}, by {limit} or more with {percent(more)}."
    )


def _seen(side: Mapping[str, Any]) -> str:
    """In how many samples a structure is that the answer does not have; empty where it is in none."""
    counts = side["samples"]
    return f" (it is in {counts['holding']} of its {counts['drawn']} samples)" if counts["holding"] else ""


def doubling_sentence(row: Mapping[str, Any]) -> str:
    """The volume-doubling time with its range; empty where the days between the scans are not known."""
    found = row["doubling_days"]
    if found is None:
        return ""
    if found["low"] is None:
        return f"{row['name']}: no doubling time, since it did not grow."
    shortest = f"{found['low']:.0f} days"
    if found["value"] is None:
        return f"{row['name']}: no doubling time, since its volume did not grow; {shortest} or more are possible."
    longest = NO_END if found["high"] is None else f"{found['high']:.0f} days"
    return f"{row['name']}: volume-doubling time {found['value']:.0f} days ({shortest} to {longest})."


def sentences(document: Mapping[str, Any]) -> Iterator[str]:
    """All of them, a structure after the other."""
    for row in document["structures"]:
        yield verdict_sentence(row, document["least_share"])
        if doubling := doubling_sentence(row):
            yield doubling


def whole_percent(share: float) -> str:
    """A share in whole percent."""
    return f"{100 * share:.0f} %"


def percent(probability: float) -> str:
    """A share of pairs in whole percent; never 0 or 100, which no number of samples can show."""
    if probability < 0.005:
        return "less than 1 %"
    return "more than 99 %" if probability >= 0.995 else whole_percent(probability)


def span(found: Mapping[str, float | None], digits: int = 2, unit: str = "") -> str:
    """A number with its range, as in "1.56 (0.99 to 2.35)"; empty without one."""
    value, low, high = (found[end] for end in ("value", "low", "high"))
    shown = decimals(value, digits) or ("" if low is None else "none")
    if not shown or low is None:
        return shown
    return f"{shown}{unit} ({decimals(low, digits)} to {decimals(high, digits) or NO_END})"


def signed_percent(found: Mapping[str, float | None]) -> str:
    """A change as a percentage with its range; empty where there was nothing before."""
    if found["value"] is None:
        return ""
    ends = (None if found[end] is None else 100 * float(found[end] or 0.0) for end in ("low", "high"))
    low, high = (NO_END if end is None or not math.isfinite(end) else f"{end:+.0f}" for end in ends)
    return f"{100 * found['value']:+.0f} % ({low} to {high})"
