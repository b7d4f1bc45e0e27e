"""What the results of the difficulty experiments say, as numbers and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from recorded_results import RecordedResults
from SUREUncertaintyLib.metrics.bootstrap import Interval, paired_bootstrap
from SUREUncertaintyLib.metrics.correlation import pearson, spearman

PAIRS = (
    ("duo", "plain"),
    ("filter0.95", "random0.95"),
    ("filter0.9", "random0.9"),
    ("random0.95", "plain"),
    ("random0.9", "plain"),
)
DATA = {"clean": "undamaged data", "labels": "damaged labels", "images": "degraded images"}
LARGEST_SEEDS = 100
FEWEST_SEEDS = 3
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


def renew_correlations(results: RecordedResults) -> None:
    """Keep ``correlations``: S against Dice of every row that has both; what holds for the same weights stays."""
    earlier = correlations(results)
    dice = {entry["set"]: entry for entry in results.of_kind("dice").values()}
    rows = {}
    for entry in results.of_kind("score").values():
        if entry["set"] in dice:
            key, network = f"{entry['set']}, {entry['extractor']}", dice[entry["set"]]["network"]
            known = earlier.get(key, {})
            fresh = (known.get("digest"), known.get("network")) != (entry["digest"], network)
            found = _correlated(entry, dice[entry["set"]]["dice"]) if fresh else known
            rows[key] = {**found, "digest": entry["digest"], "network": network}
    results.save("correlations", {"rows": rows})


def correlations(results: RecordedResults) -> dict[str, Any]:
    """The rows of ``renew_correlations``, by set and extractor."""
    return dict(results.get("correlations").get("rows", {}))


def _correlated(entry: Mapping[str, Any], dice: Mapping[str, float]) -> dict[str, Any]:
    rho = spearman_interval(entry["scales"], dice, entry["groups"])
    ids = [name for name in entry["scales"] if name in dice]
    linear = pearson([entry["scales"][name] for name in ids], [dice[name] for name in ids])
    return {
        "spearman": [round(value, 4) for value in (rho.mean, rho.low, rho.high)],
        "pearson": round(linear, 4),
        "n": len(ids),
    }


def answers(
    scores: Sequence[Mapping[str, Any]], follows: Mapping[str, Any], comparisons: Sequence[Comparison]
) -> list[str]:
    """One sentence a question, from the numbers."""
    found = [_finds(scores, data) for data in ("images", "labels") if any(s["set"] == data for s in scores)]
    gains = [_gains(comparisons, arms, words) for arms, words in QUESTIONS]
    return [*found, *_follows(follows), *(sentence for sentence in gains if sentence)]


QUESTIONS = (
    (("filter0.95", "filter0.9"), "Filtering by hardness against dropping as many patients at random"),
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


def _follows(follows: Mapping[str, Any]) -> list[str]:
    words = []
    for extractor, data in (("hippocampus-t1", "held"), ("crossfit", "clean")):
        for name in (extractor, f"{extractor}, row-centred"):
            if f"{data}, {name}" in follows:
                rho, low, high = follows[f"{data}, {name}"]["spearman"]
                words.append(f"{rho:+.2f} ({low:+.2f} to {high:+.2f}) by {name}")
    found = "; ".join(words)
    return [f"S against Dice on undamaged scans, Spearman: {found}. The source reports 0.75."] if words else []


def _gains(comparisons: Sequence[Comparison], arms: tuple[str, ...], words: str) -> str:
    own = [found for found in comparisons if found.arm in arms]
    if not own:
        return ""
    enough = [found for found in own if len(found.each) >= FEWEST_SEEDS]
    better = sum(found.gain.low > 0 and min(found.each) > 0 for found in enough)
    worse = sum(found.gain.high < 0 and max(found.each) < 0 for found in enough)
    seeds = sorted({len(found.each) for found in own})
    span = f"{min(f.gain.mean for f in own):+.4f} to {max(f.gain.mean for f in own):+.4f}"
    return (
        f"{words}: better in {better} and worse in {worse} of the {len(enough)} comparisons with at least "
        f"{FEWEST_SEEDS} seeds (interval and all seeds on one side of zero); mean differences in Dice {span} over all "
        f"{len(own)}, of which {' to '.join(map(str, seeds))} seeds have been run."
    )
