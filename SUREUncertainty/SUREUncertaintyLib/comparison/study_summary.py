"""The summary file: the results of whole studies in one file, a line an arm, with what page and figures need.

Recipes are kept by reference: a network's name says which arm of which study it belongs to, the study makes its recipe,
and the SHA-256 tells whether that is still the one it was trained from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.plain_json import plain
from ..files.checksum import document_sha256
from ..files.writing import write_text
from .arm_result import POINT, ArmResult, read_results
from .study import Study

SCHEMA = "sure-uncertainty/study-summary/1"
FACTS = ("arm", "title", "estimator", "passes", "seed", "failed")
COLUMNS = {
    "models": ("name", "fingerprint", "steps", "loss", "start"),
    "cases": (
        *("case", "group", "dice", "dice_gaussian", "hd95_mm", "ece", "auroc_error", "ueo"),
        *("ur_star_gradient", "ur_star_distance", "ur_star_sigma", "tau_sigma"),
        *("ucc_gradient", "ucc_distance", "far_uncertainty", "score", "mean"),
    ),
    "points": ("case", "corruption", "level", "near", "dice"),
    "outside": ("score", "mean", "own"),
    "further": ("case", "group", "dice", "hd95_mm", "ece", "auroc_error"),
}
"""Of the rows; ``case`` and ``corruption`` of a point are places in the arm's cases and its ``corruptions``."""


def summarise(studies: Sequence[Study], results: Path, summary: Path) -> list[str]:
    """Put every arm with a result file in ``results/STUDY`` into the summary file; arms without one stay as they were.

    Returns:
        The arms in the file, as STUDY/ARM.

    Raises:
        InputError: there is neither a result nor an earlier summary, or that is no summary file.
        OutputError: the file cannot be written.
    """
    document = _read(summary) if summary.is_file() else {"recipes": {}, "results": {}}
    arms, recipes = dict(document["results"]), dict(document["recipes"])
    for study in studies:
        folder = results / study.name
        arms |= {f"{study.name}/{arm.name}": _packed(arm) for arm in read_results(folder)}
        recipes |= recipe_checksums(folder / "recipes")
    if not arms:
        raise no_result(results, studies[0].name)
    head = {"schema": SCHEMA, "columns": COLUMNS, "recipes": dict(sorted(recipes.items()))}
    write_text(summary, compact(head, arms))
    return list(arms)


def results_of(study: Study, results: Path) -> list[ArmResult]:
    """Every arm of a study that has a result, in the study's order first.

    Args:
        results: a summary file, or the folder that ``sure compare run`` fills, one folder a study inside.
    """
    order = [arm.name for arm in study.compared]
    if not results.is_file():
        return read_results(results / study.name, order)
    document = _read(results)
    found = {}
    for name, arm in document["results"].items():
        owner, _, short = name.partition("/")
        if owner == study.name:
            found[short] = _unpacked(arm, document["columns"])
    names = [*(name for name in order if name in found), *(name for name in found if name not in order)]
    return [found[name] for name in names]


def settings_checksum(summary: Path, study: Study, arm: str) -> str | None:
    """SHA-256 of the settings that an arm in the summary file ran with; None where it holds no such arm."""
    if not summary.is_file():
        return None
    found = _read(summary)["results"].get(f"{study.name}/{arm}")
    return None if found is None else str(found["settings"])


def recipe_checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every recipe (YAML) in a folder, by name."""
    import yaml

    paths = sorted(folder.glob("*.yaml"))
    return {path.stem: document_sha256(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in paths}


def compact(head: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    """JSON without blanks: a line a key of the head, then ``results`` with a line an entry."""
    lines = [f"{json.dumps(key)}:{_dense(value)}," for key, value in head.items()]
    entries = ",\n".join(f"{json.dumps(name)}:{_dense(value)}" for name, value in results.items())
    return "\n".join(["{", *lines, '"results":{', entries, "}}"]) + "\n"


def no_result(results: Path, study: str) -> InputError:
    """What to say where nothing has been measured."""
    return InputError(f"No arm has a result in {results}. Run 'sure compare run {study}' first, or correct --results.")


def _dense(value: Any) -> str:
    return json.dumps(plain(value), separators=(",", ":"), allow_nan=False)


def _read(summary: Path) -> dict[str, Any]:
    try:
        document = json.loads(summary.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{summary} is not a summary file of 'sure compare summarise'. Give another one.") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise InputError(f"{summary} is not a summary file of 'sure compare summarise'. Give another one.")
    return document


def _packed(arm: ArmResult) -> dict[str, Any]:
    case, corruption, *numbers = (POINT.index(name) for name in COLUMNS["points"])
    places = {name: place for place, name in enumerate(arm.cases)}
    corruptions = list(dict.fromkeys(row[corruption] for row in arm.points))
    points = [[places[row[case]], corruptions.index(row[corruption]), *(row[n] for n in numbers)] for row in arm.points]
    models = [{**model, "start": (model["start"] or {}).get("name")} for model in arm.facts["models"]]
    return {
        **{name: arm.facts[name] for name in FACTS},
        "settings": document_sha256(arm.facts["settings"]),
        "models": _rows("models", models),
        "corruptions": corruptions,
        "outside": {kind: _rows("outside", rows) for kind, rows in arm.outside.items()},
        "further": {kind: _rows("further", _named(rows)) for kind, rows in arm.further.items()},
        "cases": _rows("cases", _named(arm.cases)),
        "points": points,
    }


def _named(rows: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the cases that could be measured."""
    return [{"case": name, **row} for name, row in rows.items() if "error" not in row]


def _rows(kind: str, rows: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    return [[row.get(column) for column in COLUMNS[kind]] for row in rows]


def _unpacked(entry: Mapping[str, Any], columns: Mapping[str, Sequence[str]]) -> ArmResult:
    models = [dict(zip(columns["models"], row, strict=True)) for row in entry["models"]]
    facts = {name: entry[name] for name in (*FACTS, "settings")}
    facts["models"] = [{**model, "start": {"name": model["start"]} if model["start"] else None} for model in models]
    cases = _by_case(entry["cases"], columns["cases"])
    names, corruptions = list(cases), entry["corruptions"]
    points = [
        {**dict(zip(columns["points"], row, strict=True)), "case": names[row[0]], "corruption": corruptions[row[1]]}
        for row in entry["points"]
    ]
    outside = {
        kind: [_defined(dict(zip(columns["outside"], row, strict=True))) for row in rows]
        for kind, rows in entry["outside"].items()
    }
    further = {kind: _by_case(rows, columns["further"]) for kind, rows in entry["further"].items()}
    return ArmResult(facts, cases, tuple(_point(point) for point in points), outside, further)


def _by_case(rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    return {row.pop("case"): row for row in named}


def _point(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """A row of ``ArmResult.points``; NaN where the summary has no number."""
    found = (values.get(name) for name in POINT)
    return tuple(float("nan") if value is None else value for value in found)


def _defined(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None}
