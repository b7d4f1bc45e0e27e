"""What the results of the difficulty experiments say, as numbers and in words."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from SUREUncertaintyLib.difficulty.gate import spearman
from SUREUncertaintyLib.metrics.bootstrap import Interval
from SUREUncertaintyLib.metrics.bootstrap import paired_bootstrap

PAIRS = (
    ("duo", "plain"),
    ("filter0.95", "random0.95"),
    ("filter0.9", "random0.9"),
    ("random0.95", "plain"),
    ("random0.9", "plain"),
)
DATA = {"clean": "undamaged data", "labels": "damaged labels", "images": "degraded images"}
LARGEST_SEEDS = 100
RESAMPLES = 2000


@dataclass(frozen=True)
class Comparison:
    """An arm against another with the same seeds: the mean difference in Dice, and that of each seed."""

    data: str
    arm: str
    control: str
    gain: Interval
    each: tuple[float, ...]
    dice: float


def compare(arms: Sequence[Mapping[str, Any]]) -> Iterator[Comparison]:
    """Every pair of arms of which both have run with at least one seed."""
    by_name = {arm["arm"]: arm for arm in arms}
    for data in DATA:
        for arm, control in PAIRS:
            both = [(f"{data}-{arm}-{n}", f"{data}-{control}-{n}") for n in range(LARGEST_SEEDS)]
            pairs = [(by_name[one], by_name[other]) for one, other in both if {one, other} <= by_name.keys()]
            if pairs:
                yield _compared(data, arm, control, pairs)


def _compared(
    data: str, arm: str, control: str, pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> Comparison:
    ids = sorted(set.intersection(*({*one["dice"]} & {*other["dice"]} for one, other in pairs)))
    ours, theirs = (
        np.array([[arm["dice"][name] for name in ids] for arm in side]) for side in zip(*pairs, strict=True)
    )
    groups = [pairs[0][0]["groups"][name] for name in ids]
    gain = paired_bootstrap(ours.mean(0), theirs.mean(0), groups)
    each = tuple(
        paired_bootstrap(one, other, groups, resamples=1).mean for one, other in zip(ours, theirs, strict=True)
    )
    return Comparison(data, arm, control, gain, each, float(ours.mean()))


def spearman_interval(scales: Mapping[str, float], dice: Mapping[str, float], groups: Mapping[str, str]) -> Interval:
    """Spearman's rho of S and Dice with its bootstrap interval over subjects."""
    members: dict[str, list[str]] = {}
    for name in scales:
        if name in dice:
            members.setdefault(groups[name], []).append(name)
    pools, rng = list(members.values()), np.random.default_rng(0)

    def rho(picked: Sequence[Sequence[str]]) -> float:
        names = [name for part in picked for name in part]
        return spearman([scales[name] for name in names], [dice[name] for name in names])

    draws = [rho([pools[n] for n in rng.integers(0, len(pools), len(pools))]) for _ in range(RESAMPLES)]
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return Interval(rho(pools), float(low), float(high), len(pools))


def answers(
    scores: Sequence[Mapping[str, Any]], dice: Sequence[Mapping[str, Any]], comparisons: Sequence[Comparison]
) -> list[str]:
    """One sentence a question, from the numbers."""
    found = [_finds(scores, data) for data in ("images", "labels") if any(s["set"] == data for s in scores)]
    gains = [_gains(comparisons, arms, words) for arms, words in QUESTIONS]
    return [*found, *_follows(scores, dice), *(sentence for sentence in gains if sentence)]


QUESTIONS = (
    (("filter0.95", "filter0.9"), "Filtering by AUV against dropping as many patients at random"),
    (("duo",), "DUO against uniform weights"),
)


def _finds(scores: Sequence[Mapping[str, Any]], data: str) -> str:
    own = [entry for entry in scores if entry["set"] == data]
    words = []
    for text, chosen in (
        ("found by", [e for e in own if e["auroc"][1] > 0.5]),
        ("ranked as easier than intact ones by", [e for e in own if e["auroc"][2] < 0.5]),
        ("no different from intact ones for", [e for e in own if e["auroc"][1] <= 0.5 <= e["auroc"][2]]),
    ):
        if chosen:
            names = [f"{entry['extractor']} ({entry['auroc'][0]:.2f})" for entry in chosen]
            words.append(f"{text} {', '.join(names)}")
    what = "Degraded images" if data == "images" else "Damaged labels"
    return f"{what} are {'; '.join(words)}."


def _follows(scores: Sequence[Mapping[str, Any]], dice: Sequence[Mapping[str, Any]]) -> list[str]:
    known = {entry["set"]: entry["dice"] for entry in dice}
    words = []
    for data, extractor in (("held", "hippocampus-t1"), ("clean", "crossfit")):
        for entry in scores:
            if (entry["set"], entry["extractor"]) == (data, extractor) and data in known:
                rho = spearman_interval(entry["scales"], known[data], entry["groups"])
                words.append(f"{rho.mean:+.2f} ({rho.low:+.2f} to {rho.high:+.2f}) for {extractor}")
    return (
        [f"S and Dice correlate with {' and '.join(words)} on undamaged scans; the source reports 0.75."]
        if words
        else []
    )


def _gains(comparisons: Sequence[Comparison], arms: tuple[str, ...], words: str) -> str:
    own = [found for found in comparisons if found.arm in arms]
    if not own:
        return ""
    better = sum(found.gain.low > 0 for found in own)
    worse = sum(found.gain.high < 0 for found in own)
    seeds = sorted({len(found.each) for found in own})
    span = f"{min(f.gain.mean for f in own):+.4f} to {max(f.gain.mean for f in own):+.4f}"
    return (
        f"{words}: better in {better}, worse in {worse} of {len(own)} comparisons whose interval excludes zero; mean "
        f"differences in Dice {span}, {' to '.join(map(str, seeds))} seeds each."
    )
