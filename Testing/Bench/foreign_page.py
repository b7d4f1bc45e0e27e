"""The tables of docs/foreign.md about TotalSegmentator, runs of bundles and costs, made from what was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results"
PROMISED = 0.998
PAGE = Path(__file__).resolve().parents[2] / "docs" / "foreign.md"


def totalsegmentator_table(document: Mapping[str, Any]) -> str:
    """One line a task."""
    lines = ["| Task | Crops by | Structures found | Voxels that differ |", "| --- | --- | --- | --- |"]
    for row in document["rows"]:
        crop = f"`{row['crop']}`" if row["crop"] else "-"
        lines.append(f"| `{row['task']}` | {crop} | {row['structures']} | {row['differing']} of {row['voxels']} |")
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    return "\n".join(
        [
            *lines,
            "",
            f"Made by `Testing/Bench/totalsegmentator_agreement.py`; {versions}. TotalSegmentator itself ran on the "
            "same folders and scans (stored flipped; thick slices or odd spacing), with nnU-Net's sums in float32 "
            "instead of float16, in which random networks of many classes have ties. The script also compares the "
            f"table of all {document['tasks']} tasks with TotalSegmentator's own.",
        ]
    )


def bundle_table(document: Mapping[str, Any]) -> str:
    """One line a bundle."""
    lines = ["| Bundle | Structures | Lowest Dice of a structure | Voxels that differ |", "| --- | --- | --- | --- |"]
    for row in document["rows"]:
        within = " (one window)" if row["whole"] else ""
        name, count, score = row["bundle"], row["structures"], row["lowest_dice"]
        lines.append(f"| `{name}`{within} | {count} | {score:.5f} | {row['differing']} of {row['marked']} marked |")
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    return "\n".join(
        [
            *lines,
            "",
            f"Made by `Testing/Bench/bundle_runs.py` from the zoo at commit {document['zoo'][:7]}; {versions}. "
            f"Structures below 500 voxels count among the voxels that differ.{_ties(document['rows'])}",
        ]
    )


def _ties(rows: Sequence[Mapping[str, Any]]) -> str:
    """About bundles whose random networks have many near ties."""
    sentences = [
        f" `{row['bundle']}`: no voxel differs whose winning class leads by more than {row['largest_lead']:.4f} of "
        "probability; there PyTorch and OpenVINO round either way."
        for row in rows
        if row["lowest_dice"] < PROMISED
    ]
    return "".join(sentences)


def cost_table(document: Mapping[str, Any]) -> str:
    """One line a measurement."""
    lines = ["| What | Seconds | Peak memory |", "| --- | --- | --- |"]
    for row in document["rows"]:
        what = (
            f"{row['what']}, {row['size']} voxels"
            if "size" in row
            else f"{row['what']}, {row['parameters_m']} M parameters"
        )
        lines.append(f"| {what} | {row['seconds']:.0f} | {row['peak_gib']:.1f} GiB |")
    note = "Made by `Testing/Bench/foreign_costs.py`, each in a process of its own, on a busy machine"
    return "\n".join([*lines, "", f"{note} ({document['machine']})."])


def speed_table(document: Mapping[str, Any]) -> str:
    """nnU-Net's CPU path and this library on one scan, both in turns."""
    rows = document["rows"]
    lines = ["| One scan | Processor time | Peak memory |", "| --- | --- | --- |"]
    for side, name in (("nnunet", "nnU-Net's predictor"), ("sure", "this library, with all its maps")):
        seconds, peak = (median(row[f"{side}_{key}"] for row in rows) for key in ("processor_s", "peak_gib"))
        lines.append(f"| {name} | {seconds:.1f} s | {peak:.1f} GiB |")
    ratios = [row["nnunet_processor_s"] / row["sure_processor_s"] for row in rows]
    differing, size = max(row["differing"] for row in rows), rows[0]["voxels"]
    return "\n".join(
        [
            *lines,
            "",
            f"Made by `Testing/Bench/nnunet_speed.py` ({document['machine']}): {len(rows)} pairs of runs in turns, the "
            f"median of each; {min(ratios):.1f} to {max(ratios):.1f} times faster. A network of "
            f"{document['parameters_m']:.0f} M parameters that marks what is bright, one fold, no mirrors, eight "
            f"windows; of {size} voxels {differing} differ.",
        ]
    )


TABLES: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "totalsegmentator": ("totalsegmentator-agreement.json", totalsegmentator_table),
    "bundle runs": ("bundle-runs.json", bundle_table),
    "costs": ("foreign-costs.json", cost_table),
    "speed": ("nnunet-speed.json", speed_table),
}
"""By the name between the marks in the page: what was recorded, and what makes the table."""


def recorded(name: str) -> dict[str, Any]:
    """What was measured for a table."""
    document: dict[str, Any] = json.loads((RESULTS / TABLES[name][0]).read_text(encoding="utf-8"))
    return document


def with_tables(page: str) -> str:
    """The page with every table between its two marks."""
    for name, (_, make) in TABLES.items():
        begin, end = f"<!-- {name} table -->\n", f"\n<!-- end of {name} table -->"
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"the page lacks the marks of the {name} table")
        page = f"{before}{begin}{make(recorded(name))}{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
