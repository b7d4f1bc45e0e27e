"""docs/heart.md, made from heart-lv-cine.json and contracted-cavities.json in Testing/Bench/results alone.

A test compares them with the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from SUREUncertaintyLib.analysis.verdict import STATUSES
from SUREUncertaintyLib.core.wording import VERDICT_NAMES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "heart.md"
TEXT = Path(__file__).resolve().with_name("heart_page.md")
CAVITIES = TEXT.parent / "results" / "contracted-cavities.json"
SETS = {
    "acdc_original": "ACDC, whole slices",
    "acdc_roi": "ACDC, boxes around the labels",
    "sunnybrook": "Sunnybrook, set aside, whole slices",
}
ROWS = {
    "dice_ed": ("Dice, end-diastole", 3),
    "dice_es": ("Dice, end-systole", 3),
    "auroc_error": ("AUROC, uncertainty finds wrong voxels", 3),
    "ef_absolute_error": ("Ejection fraction, mean absolute error (points)", 1),
    "ef_error": ("Ejection fraction, mean error (points)", 1),
    "ef_held": ("Share of patients whose 90 % interval holds the reference", 2),
    "edv_error_ml": ("End-diastolic volume, mean error (ml)", 1),
    "esv_error_ml": ("End-systolic volume, mean error (ml)", 1),
    "volume_held": ("Share of volumes that their range holds", 2),
}
KINDS = {
    "NOR": "no disease",
    "DCM": "dilated",
    "HCM": "hypertrophic",
    "MINF": "after infarction",
    "RV": "abnormal right ventricle",
}


def heart_page(document: Mapping[str, Any]) -> str:
    """The page: the text beside this file with its tables filled in."""
    gaps = {
        "measured": measured_table(document),
        "kinds": kinds_table(document),
        "verdicts": verdicts_table(document),
        "notes": notes(document),
        "earlier": earlier_table(document),
        **contracted_cavities(json.loads(CAVITIES.read_text(encoding="utf-8"))),
    }
    text = TEXT.read_text(encoding="utf-8")
    for name, content in gaps.items():
        text = text.replace(f"<!-- {name} -->", content)
    return text


def measured_table(document: Mapping[str, Any]) -> str:
    """One column a set of patients, one row a measure."""
    sets = document["sets"]
    head = ["", *(f"{title} ({sets[key]['patients']})" for key, title in SETS.items())]
    rows = [[name, *(_interval(sets[key][row], digits) for key in SETS)] for row, (name, digits) in ROWS.items()]
    widths = ["Mean width of the interval (points)", *(_number(sets[key]["ef_interval_points"], 0) for key in SETS)]
    return _table(head, [*rows, widths])


def kinds_table(document: Mapping[str, Any]) -> str:
    """The boxes of ACDC by kind of patient."""
    patients = document["sets"]["acdc_roi"]["by_patient"]
    return _groups_table([(name, [p for p in patients if p["group"] == kind]) for kind, name in KINDS.items()])


def verdicts_table(document: Mapping[str, Any]) -> str:
    """The boxes of ACDC by verdict."""
    patients = document["sets"]["acdc_roi"]["by_patient"]
    groups = [(VERDICT_NAMES[status], [p for p in patients if p["status"] == status]) for status in STATUSES]
    return _groups_table([(name, chosen) for name, chosen in groups if chosen])


def _groups_table(groups: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> str:
    """Means of each group of patients, and the largest error."""
    rows = []
    for name, chosen in groups:
        given = [p for p in chosen if p["ef"] is not None]
        errors = [abs(p["ef"] - p["ef_true"]) for p in given]
        rows.append(
            [
                f"{name} ({len(chosen)})",
                _number(_mean([p["dice_ed"] for p in chosen]), 3),
                _number(_mean([p["dice_es"] for p in chosen]), 3),
                _number(_mean(errors), 1),
                _number(max(errors, default=None), 1),
                _number(_mean([float(p["held"]) for p in given]), 2),
            ]
        )
    head = [
        "Patients",
        "Dice, end-diastole",
        "Dice, end-systole",
        "Ejection fraction, mean absolute error",
        "largest",
        "Interval holds",
    ]
    return _table(head, rows)


def earlier_table(document: Mapping[str, Any]) -> str:
    """The boxes of ACDC by package, those that were scored before first."""
    packages = [*document["earlier"], document]
    names = ("dice_ed", "dice_es", "auroc_error", "ef_absolute_error", "ef_error", "ef_held")
    head = ["", *(f"{one['fingerprint'][:8]}" for one in packages)]
    rows = [[ROWS[n][0], *(_interval(one["sets"]["acdc_roi"][n], ROWS[n][1]) for one in packages)] for n in names]
    return _table(head, rows)


def contracted_cavities(versions: Mapping[str, Any]) -> dict[str, str]:
    """The table of cavities at a share of their radius, and how far the tuning patients' ejection fraction is off."""
    kinds = [f"{kind} {phase}" for kind in ("HF", "HYP", "N") for phase in ("ED", "ES")]
    shares = sorted({share for one in versions.values() for share in one["shares"]}, key=float, reverse=True)
    rows = []
    for share in shares:
        for version, one in sorted(versions.items()):
            found = one["shares"][share]
            rows.append([share, version, *(f"{found[kind]:.2f}" for kind in kinds), f"{found['dice']:.3f}"])
    points = {version: one["ejection_fraction_points"] for version, one in sorted(versions.items())}
    off = [
        f"{one['mean_absolute']:.1f} points with {version} (mean {one['mean']:+.1f})" for version, one in points.items()
    ]
    head = ["Radius left", "Version", *kinds, "Dice of all"]
    return {"contracted": _table(head, rows), "contracted fraction": ", ".join(off)}


def notes(document: Mapping[str, Any]) -> str:
    """What the numbers do not show by themselves."""
    lines = []
    for key, title in SETS.items():
        found = document["sets"][key]
        spare, missed = found["slices"]["spare"], found["slices"]["missed"]
        status = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found["status"].items() if count)
        without = len(found["without_fraction"])
        lines.append(
            f"- {title}: {spare[0]} and {spare[1]} slices (end-diastole, end-systole) have an outline where the "
            f"reference has none, {missed[0]} and {missed[1]} the other way round. Verdicts: {status}."
            + (f" No ejection fraction for {without}." if without else "")
        )
    return "\n".join(lines)


def _interval(found: Mapping[str, Any], digits: int) -> str:
    if found["mean"] is None:
        return ""
    mean = f"{found['mean']:.{digits}f}"
    if found["low"] is None or found["n"] < 3:
        return mean
    return f"{mean} ({found['low']:.{digits}f} to {found['high']:.{digits}f})"


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
