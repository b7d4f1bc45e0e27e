"""docs/warnings.md from Testing/Bench/results/warnings.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from SUREUncertaintyLib.analysis.scan_notices import AIR

INTRODUCTION = """# Warnings and the verdict

Every result carries a verdict: **usable**, **check** or **do not use**. It is decided by the warnings, and each warning
has to select: it may fire on few good results, and has to fire on poor ones or on scans that the model does not know.
The tables say how often each one fires for the model `{model}`, version {version}. The verdict also
listens to the forecast of Dice ([measured](quality.md)), which is no warning and has no row of its own. They come from
`Testing/Bench/warnings_table.py`. The rules and their limits were chosen while looking at tuning scans, damaged copies
of them and some of the foreign scans, so only the validation table is blind.

"Damaged" are copies of the same scans, each under every other kind of damage of `sure robustness`, in strengths 0.3,
0.6 and 1 in turn: *good* where the mean Dice stays at 0.8 or more, *poor* below 0.6, *between* the rest. "Another
source" are T1 scans of heads from other scanners (three patients with multiple sclerosis, and the MNI152 template);
nobody outlined them, and on some of them the model fails visibly. "Foreign" are T2 and FLAIR scans, hearts, abdomens,
boxes without a hippocampus, a phantom, and half a head. A scan without a box is searched; *refused* are those in
which the search found nothing, so that nothing was segmented and nobody was misled.

The warning `hounsfield` is for CTs: at least 1 % of the voxels have the values of air and lungs, -1100 to -700. An
earlier rule, one voxel below -900, fired on 2 % of the good damaged copies, whose noise reaches as low. Of the damaged
copies of tuning scans {noise:.2%} at most lie between those values, of the foreign CTs {least:.0%} at least. Where no
row of a table names it, the search refused those CTs before anything was segmented.

A rule marked *(given up)* was one of an earlier version: it fires on good results as well, so it warns no more.
"""
SAMPLED_TITLE = "Samples: LIDC tuning slices, model `{model}`"
SAMPLED = """\
Every fourth tuning slice, intact and damaged; *good* where the mean Dice with the four readers is 0.7 or more, *poor*
below 0.5, *between* the rest. `samples-differ` fires where the range of the size is more than three times as wide as
the size. Its limit was chosen on these slices with version 1.2.0. `middle-only` fires throughout: the slices are larger
than what the model sees. *Nothing found*: no voxel is marked by more than half of the samples; with version 1.2.0,
whose samples differed less, these were 6 and 37.
"""
SAMPLED_ORDER = tuple(f"{k}, {q}" for k in ("intact", "damaged") for q in ("good", "between", "poor", "nothing found"))
ORDER = ("intact", "damaged, good", "damaged, between", "damaged, poor", "another source", "foreign")
TITLES = {"tuning": "Tuning scans, and scans of other sources", "validation": "Validation scans (scored once)"}


def warnings_page(document: Mapping[str, Any], sampled: Mapping[str, Any] | None = None) -> str:
    """The whole page; ``sampled`` is that of a model that draws samples."""
    parts = [
        INTRODUCTION.format(model=document["model"], version=document["version"], **_air(document["tuning"]["rows"]))
    ]
    parts += [_section(title, document[name]) for name, title in TITLES.items() if name in document]
    if sampled is not None:
        title = SAMPLED_TITLE.format(model=sampled["model"])
        parts += [_section(title, sampled["tuning"], SAMPLED_ORDER), SAMPLED]
    return "\n".join(parts)


def _air(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Shares of voxels with the values of air and lungs: the most under damage, the least of a scan that warns."""
    noisy = [row["air"] for row in rows if row["group"].startswith("damaged")]
    return {"noise": max(noisy), "least": min(row["air"] for row in rows if row["air"] >= AIR)}


def _section(title: str, part: Mapping[str, Any], order: Sequence[str] = ORDER) -> str:
    groups = [group for group in order if group in part["scans"]]
    counts = part["scans"]
    head = ["", *(f"{group} ({counts[group]})" for group in groups)]
    verdicts = {f"**{status.replace('_', ' ')}**": row for status, row in part["verdicts"].items()}
    lines = [f"## {title}", "", _line(head), _line(["---", *["---:"] * len(groups)])]
    for name, row in {**verdicts, **part["fired"]}.items():
        lines.append(_line([name, *(f"{row[group] / counts[group]:.0%}" for group in groups)]))
    return "\n".join([*lines, ""])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
