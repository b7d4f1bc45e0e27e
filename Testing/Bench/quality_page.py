"""docs/quality.md from quality.json and quality-others.json in Testing/Bench/results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TEXT = ROOT / "docs" / "quality-text.md"
RESULT, OTHERS = (ROOT / "Testing" / "Bench" / "results" / name for name in ("quality.json", "quality-others.json"))
MARK, MARK_OF_OTHERS = "<!-- tables -->", "<!-- heart and lung -->"
PARTS = ("all", "intact", "seen damage", "unseen damage")
TITLES = {
    "tuning": "Tuning scans: every forecast from a fit on other patients",
    "validation": "Validation scans: the package's own forecast (scored once)",
}
LIMIT_TEXT = (
    "The Dice of a copy is that of the patient's intact scan less what the damage cost. Here the orders of the tuning "
    "scans stand beside three that nobody can have who has not seen the intact scan or its label: the agreement of the "
    "answer with that to the intact scan, the Dice lost, and the Dice of the intact scan. Made by "
    "`Testing/Bench/quality_limit.py`."
)

READERS_TEXT = (
    "The agreement of readers is the Dice of two of them on a slice, mean over all pairs and over the slices of a "
    "nodule. On the tuning patients that of 16 samples stands for it: as it is, and through a rising curve fitted on "
    "the other patients; the constant is the mean of the other patients. Made by `Testing/Bench/quality_readers.py`."
)
READERS_WAYS = {
    "samples": "agreement of the samples",
    "curve": "a curve of it",
    "constant": "a constant",
}

OTHER_TITLES = {
    "tuning": "Tuning scans: every forecast from a fit on other patients",
    "validation": "Patients that nothing was chosen on: the fit on all tuning patients (scored once)",
}


def write_page() -> None:
    """Renew docs/quality.md from what is recorded."""
    documents = (json.loads(path.read_text(encoding="utf-8")) for path in (RESULT, OTHERS))
    (ROOT / "docs" / "quality.md").write_text(quality_page(*documents), encoding="utf-8")


def quality_page(document: Mapping[str, Any], others: Mapping[str, Any]) -> str:
    """The text of docs/quality-text.md with the tables in the place of its marks."""
    parts = [_split(title, document[name], document) for name, title in TITLES.items() if name in document]
    if "limit" in document:
        parts += ["### What an order can reach", LIMIT_TEXT, _limit(document["limit"])]
    if "foreign" in document:
        parts += ["### Scans that the model does not know", _foreign(document["foreign"])]
    text = TEXT.read_text(encoding="utf-8").replace(MARK, "\n\n".join(parts))
    return text.replace(MARK_OF_OTHERS, "\n\n".join(_other(name, entry) for name, entry in others.items()))


def _other(name: str, entry: Mapping[str, Any]) -> str:
    """A model for which it was tried whether it can carry a forecast."""
    parts = [f"### `{name}` {entry['version']}", f"Fitted on {entry['data']}."]
    for split, title in OTHER_TITLES.items():
        if split in entry:
            table = entry[split]
            against = "; ".join(table["against"]) or "nothing"
            parts += [
                f"**{title}**, {table['patients']} patients.",
                _measured("Dice, mean of the structures", table["dice"]),
                _order(table["order"]),
                f"Errs less than a constant by {_number(table['skill'], 3)}. Against offering it: {against}.",
            ]
    if "foreign" in entry:
        parts += ["**Scans that the model does not know**", _foreign(entry["foreign"])]
    if "readers" in entry:
        parts += ["**How far readers will agree**", READERS_TEXT, _readers(entry["readers"])]
    return "\n\n".join(parts)


def _split(title: str, table: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    surface = f"Surface Dice within {document['tolerance_mm']:g} mm"
    return "\n\n".join(
        [
            f"### {title}",
            f"Model `{document['model']}` {document['version']}, {table['patients']} patients. In brackets: 95 % "
            "interval from drawing patients with replacement.",
            _measured("Dice, mean of the structures", table["dice"]),
            _measured(surface, table["surface_dice"]),
            _order(table["order"]),
            _verdicts(table["verdicts"]),
        ]
    )


def _measured(title: str, parts: Mapping[str, Any]) -> str:
    head = (
        title,
        "scans",
        "silent",
        "below 0.75",
        "90 % interval holds",
        "9 of 10 bound holds",
        "width",
        "mean abs. error",
        "Spearman",
    )
    rows = (
        (
            name,
            str(parts[name]["scans"]),
            str(parts[name]["silent"]),
            str(parts[name]["failures"]),
            _share(parts[name]["coverage"]),
            _share(parts[name]["at_least_holds"]),
            f"{parts[name]['width']['mean']:.3f}",
            _number(parts[name]["error"], 3),
            _number(parts[name]["spearman"]),
        )
        for name in PARTS
        if name in parts
    )
    return _table(head, rows)


def _order(ways: Mapping[str, Any]) -> str:
    head = (
        "order of all scans with a forecast",
        "Spearman with the Dice",
        "forecast is ahead by",
        "failures in the worst 20 %",
    )
    rows = (
        (
            name,
            _number(way["spearman"]),
            "" if name == "forecast" else _number(way["forecast_ahead_by"]),
            _share(way["failures_among_worst"]),
        )
        for name, way in ways.items()
    )
    return _table(head, rows)


def _limit(ways: Mapping[str, Any]) -> str:
    head = ("order", "scans", "Spearman with the Dice", "with the Dice lost against the intact scan")
    rows = ((name, str(way["scans"]), _number(way["dice"]), _number(way["lost"])) for name, way in ways.items())
    return _table(head, rows)


def _readers(table: Mapping[str, Any]) -> str:
    head = (
        f"{table['nodules']} nodules, {table['patients']} patients",
        "agreement",
        "mean abs. error",
        "less than a constant's by",
        "Spearman",
    )
    agreement = table["agreement"]
    rows = (
        (
            words,
            _number(agreement[name]),
            _number(table["error"][name], 3),
            *(
                _number(table[key][name], digits) if name in table[key] else ""
                for key, digits in (("less_than_constant", 3), ("spearman", 2))
            ),
        )
        for name, words in READERS_WAYS.items()
    )
    return _table(head, [("readers", _number(agreement["readers"]), "", "", ""), *rows])


def _verdicts(rows: Mapping[str, Mapping[str, int]]) -> str:
    head = ("verdict by", "usable", "check", "do not use")
    return _table(head, ((name, *map(str, row.values())) for name, row in sorted(rows.items())))


def _foreign(rows: Mapping[str, Mapping[str, int]]) -> str:
    lines = ((name, str(row["scans"]), str(row["silent"])) for name, row in rows.items())
    return _table(("kind", "scans", "silent"), lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _share(interval: Mapping[str, float]) -> str:
    if interval["mean"] != interval["mean"]:
        return "–"
    return f"{interval['mean']:.0%} ({interval['low']:.0%} to {interval['high']:.0%})"


def _number(interval: Mapping[str, float], digits: int = 2) -> str:
    mean, low, high = (f"{interval[key]:.{digits}f}" for key in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"
