"""The tables of docs/foreign.md about nnU-Net, made from ``nnunet-agreement.json`` and ``nnunet-variants.json``."""

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
VARIANT_WORDS = {
    **WORDS,
    "sideways": "axes in another order",
    "oblique": "oblique",
    "leaning_and_flipped": "oblique, flipped and in another order",
    "small": "smaller than a window",
    "wide": "four times as large",
    "one_slice": "one slice",
    "three_slices": "three slices",
    "whole_numbers": "int16",
    "bytes_only": "uint8",
    "empty": "nothing but zeros",
}
VARIANT_HEAD = (
    *("Network", "Trainer", "Mirrors", "Scans", "Lowest Dice of a structure", "Most voxels that differ"),
    *("Most with float32 sums", "Refused"),
)
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


def variants_table(document: Mapping[str, Any]) -> str:
    """One line a training and choice of mirrors, for the made-up scans of ``nnunet_variants.py``."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in document["rows"]:
        groups.setdefault((row["study"], row["configuration"], row["trainer"], row["mirrors"]), []).append(row)
    lines = [VARIANT_HEAD, ("---",) * len(VARIANT_HEAD), *(_variant_line(key, rows) for key, rows in groups.items())]
    kinds = {row["scan"]: None for row in document["rows"]}
    return "\n".join(
        [
            *(f"| {' | '.join(line)} |" for line in lines),
            "",
            f"Made by `Testing/Bench/nnunet_variants_agreement.py` on {document['machine']}, with the versions above. "
            f"Scans: {', '.join(VARIANT_WORDS[kind] for kind in kinds)}; with mirrors the first and the one with its "
            "axes in another order. Refused in words: a single slice where the network wants a volume, and a scan of "
            "nothing but zeros. With float32 sums: nnU-Net's predictor adding up in float32 instead of float16.",
        ]
    )


def _variant_line(key: tuple[Any, ...], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    study, configuration, trainer, mirrors = key
    compared = [row for row in rows if "refused" not in row]
    scores = [row["lowest_dice"] for row in compared if row["lowest_dice"] is not None]
    worst = max(compared, key=lambda row: row["differing"])
    exact = max(compared, key=lambda row: row["differing_float32"])
    return (
        f"{study}, {configuration}",
        f"`{trainer}`",
        "all" if mirrors else "none",
        str(len(compared)),
        f"{min(scores):.5f}" if scores else "nothing found",
        f"{worst['differing']} of {worst['voxels']} marked",
        f"{exact['differing_float32']} of {exact['voxels']} marked",
        str(len(rows) - len(compared)),
    )


def with_table(page: str, document: Mapping[str, Any]) -> str:
    """The page with the table between its two marks."""
    return _between(page, "nnunet table", nnunet_table(document))


def with_variants(page: str, document: Mapping[str, Any]) -> str:
    """The page with the table of variants between its two marks."""
    return _between(page, "nnunet variants table", variants_table(document))


def _between(page: str, name: str, table: str) -> str:
    begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}{table}{end}{after}"


if __name__ == "__main__":
    import json
    from pathlib import Path

    docs = Path(__file__).resolve().parents[2] / "docs"
    results = Path(__file__).parent / "results"
    recorded, variants = (
        json.loads((results / f"nnunet-{name}.json").read_text(encoding="utf-8")) for name in ("agreement", "variants")
    )
    path = docs / "foreign.md"
    written = with_variants(with_table(path.read_text(encoding="utf-8"), recorded), variants)
    path.write_text(written, encoding="utf-8")
