"""The table of docs/foreign.md about nnU-Net, made from ``Testing/Bench/results/nnunet-agreement.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

WORDS = {
    "as_stored": "as stored",
    "resampled": "other spacing",
    "thick": "thick slices",
    "flipped": "stored flipped",
    "bordered": "border of zeros",
}
HEAD = ("Network", "Folds", "Mirrors", "Scans", "Lowest Dice of a structure", "Most voxels that differ", "Speed")


def nnunet_table(document: Mapping[str, Any]) -> str:
    """One line a training and choice of mirrors, and what it was measured on."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in document["rows"]:
        groups.setdefault((row["study"], row["configuration"], row["folds"], row["mirrors"]), []).append(row)
    lines = [HEAD, ("---",) * len(HEAD), *(_line(key, rows) for key, rows in groups.items())]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    return "\n".join(
        [
            *(f"| {' | '.join(line)} |" for line in lines),
            "",
            f"Made by `Testing/Bench/nnunet_agreement.py` at commit {document['commit'][:7]} on {document['machine']}; "
            f"{versions}. Scans: {', '.join(WORDS.values())}. Speed: processor time of nnU-Net's predictor over "
            "that of this library with all its maps, the median over scans that ran one after the other. "
            "Structures below 500 voxels (one voxel costs more than 0.001) count among the voxels that differ.",
        ]
    )


def _line(key: tuple[Any, ...], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    study, configuration, folds, mirrors = key
    scores = [row["lowest_dice"] for row in rows if row["lowest_dice"] is not None]
    worst = max(rows, key=lambda row: row["differing"])
    ratio = median(row["nnunet_s"] / row["sure_s"] for row in rows)
    return (
        f"{study}, {configuration}",
        str(folds),
        "all" if mirrors else "none",
        str(len(rows)),
        f"{min(scores):.5f}" if scores else "nothing found",
        f"{worst['differing']} of {worst['voxels']} marked",
        f"{ratio:.1f} x",
    )


def with_table(page: str, document: Mapping[str, Any]) -> str:
    """The page with the table between its two marks."""
    begin, end = "<!-- nnunet table -->\n", "\n<!-- end of nnunet table -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}{nnunet_table(document)}{end}{after}"


if __name__ == "__main__":
    import json
    from pathlib import Path

    docs = Path(__file__).resolve().parents[2] / "docs"
    recorded = json.loads((Path(__file__).parent / "results" / "nnunet-agreement.json").read_text(encoding="utf-8"))
    path = docs / "foreign.md"
    path.write_text(with_table(path.read_text(encoding="utf-8"), recorded), encoding="utf-8")
