"""``docs/fit-study.md``: the tables, from the results alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).resolve().parents[3] / "docs" / "fit-study.md"
TEXT = Path(__file__).resolve().parent / "study.md"
NETWORKS = {
    "plain": "Plain evidential U-Net (`hippocampus-t1-plain`), uncertainty of its own: vacuity",
    "nnunet": "nnU-Net: three folds, 1000 steps of its own trainer each, uncertainty of its own: entropy",
    "acdc": "Hearts of ACDC, slice by slice: evidential 2D U-Net, uncertainty of its own: vacuity",
}
PIECES = {"nnunet": "windows", "acdc": "slices"}
"""What is judged, where it is no whole scan."""
ARMS = {
    "own": "the network's own map",
    "entropy": "entropy of one pass",
    "temperature": "temperature scaling (labels)",
    "left-right": "mirrored left to right",
    "mirrors": "mirrored along all axes",
    "folds": "folds",
    "folds x mirrors": "folds x mirrors",
    "segwithu": "SegWithU's head (labels)",
    "ours with labels": "**ours, with labels**",
    "ours without": "**ours, without labels**",
}
PASSES = {"left-right": 2, "mirrors": 8, "folds": 3, "folds x mirrors": 24}
"""Of the network, for one map; 1 for all other arms."""
DETECTION = {
    "auroc_near": ("AUROC, near", 3),
    "aurc_near": ("AURC x 1000, near", 2),
    "auroc_near_damaged": ("AUROC, near, all images", 3),
    "auroc_whole": ("AUROC, whole", 4),
    "aurc_whole": ("AURC x 1000, whole", 3),
    "ece": ("ECE", 4),
}
RELATIONS = {
    "ur_star_gradient": ("UR* edge", 3),
    "ucc_gradient": ("UCC edge", 2),
    "ur_star_noise": ("UR* noise", 3),
    "tau_noise": ("tau noise", 2),
    "ur_star_distance": ("UR* distance", 3),
    "ucc_distance": ("UCC distance", 2),
}
SCANS = {
    "scan_spearman": ("rho with Dice lost", 2),
    "scan_aurc": ("AURC of scans", 3),
    "scan_e_aurc": ("E-AURC of scans", 3),
}
SETTINGS = {
    "settings": "Settings that were tried, without labels",
    "first settings": "Settings of the first head, which did not see the answer, without labels",
}
SPREAD = "; after ±: over seeds, of arms that draw"
THOUSANDTHS = ("aurc_near", "aurc_whole")
SPLITS = {
    "tuning": "Tuning patients",
    "validation": "Validation patients",
    "first validation": "Validation patients, the first head",
}


def write_page(document: Mapping[str, Any], page: Path = PAGE) -> None:
    """Write it from the results and from the text beside this file."""
    page.write_text(study_page(document), encoding="utf-8")


def study_page(document: Mapping[str, Any]) -> str:
    """Markdown of text and tables."""
    return TEXT.read_text(encoding="utf-8").replace("{{tables}}", "\n".join(_tables(document)))


def _tables(document: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for network, title in NETWORKS.items():
        for split, words in SPLITS.items():
            found = _arms(document, network, split)
            if found:
                lines += [f"## {title}", "", f"{words}: {_counts(found, PIECES.get(network, 'scans'))}", ""]
                lines += [*_table(found, DETECTION | SCANS), "", *_table(found, RELATIONS), ""]
        for group, words in SETTINGS.items():
            settings = _settings_of(document, network, group)
            if settings:
                lines += [f"### {words}", "", *_settings(settings), ""]
    return lines


Results = dict[str, list[Mapping[str, Any]]]


def _settings_of(document: Mapping[str, Any], network: str, group: str) -> dict[str, Mapping[str, Any]]:
    """By name, the default first."""
    found = _below(document, f"{network}/{group}/")
    if not found or "default" in found:
        return found
    default = _below(document, f"{network}/tuning/ours without/")
    return {f"default, seed {seed}": value for seed, value in default.items()} | found


def _below(document: Mapping[str, Any], start: str) -> dict[str, Mapping[str, Any]]:
    return {key.removeprefix(start): value for key, value in document.items() if key.startswith(start)}


def _arms(document: Mapping[str, Any], network: str, split: str) -> Results:
    """Results of every seed by arm, in the order of ``ARMS``."""
    found: Results = {}
    for arm in ARMS:
        rows = [value for key, value in document.items() if key.rsplit("/", 1)[0] == f"{network}/{split}/{arm}"]
        if rows:
            found[arm] = rows
    return found


def _counts(found: Results, pieces: str) -> str:
    (first, *_), *_ = found.values()
    seeds = max(len(rows) for rows in found.values())
    return (
        f"{len(first['scans'])} {pieces} that nothing was fitted on, {first['images']} images with their disturbed "
        f"copies, {seeds} {'seed' if seeds == 1 else 'seeds'}. In brackets: standard deviation over {pieces}"
        f"{SPREAD if seeds > 1 else ''}."
    )


def _table(found: Results, measures: Mapping[str, tuple[str, int]]) -> list[str]:
    head = ["Arm", "Passes", *(words for words, _ in measures.values())]
    rows = [
        [ARMS[arm], str(PASSES.get(arm, 1)), *(_cell(rows, name, digits) for name, (_, digits) in measures.items())]
        for arm, rows in found.items()
    ]
    return _markdown(head, rows)


def _cell(rows: Sequence[Mapping[str, Any]], name: str, digits: int) -> str:
    factor = 1000.0 if name in THOUSANDTHS else 1.0
    means = factor * np.array([row["mean"][name] for row in rows])
    seeds = f" ± {means.std(ddof=1):.{digits}f}" if len(rows) > 1 else ""
    spread = [row["deviation"][name] for row in rows if name in row["deviation"]]
    scans = f" ({factor * float(np.mean(spread)):.{digits}f})" if spread else ""
    return f"{means.mean():.{digits}f}{seeds}{scans}"


def _settings(settings: Mapping[str, Mapping[str, Any]]) -> list[str]:
    chosen = {name: DETECTION[name] for name in ("auroc_near", "aurc_near", "auroc_near_damaged", "ece")}
    measures = chosen | SCANS | {name: RELATIONS[name] for name in RELATIONS if name.startswith("ur_star")}
    head = ["Setting", *(words for words, _ in measures.values())]
    rows = [
        [name, *(_cell([row], key, digits) for key, (_, digits) in measures.items())] for name, row in settings.items()
    ]
    return _markdown(head, rows)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]
