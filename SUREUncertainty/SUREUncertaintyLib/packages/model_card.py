"""``docs/README.md`` of a package: the model card, written from the metadata alone, so that the two cannot differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..core.wording import in_words
from .pipeline_card import pipeline_facts

TRAINING_WORDS = {
    "data": "Data",
    "licence": "Licence of the data",
    "attribution": "Attribution",
    "cases": "Cases",
    "groups": "Subjects",
    "training_ids": "Cases trained on",
    "tuning_ids": "Cases for tuning",
    "tuning_dice": "Mean Dice on the cases for tuning",
    "recipe": "Recipe",
    "seed": "Seed",
    "ids_file": "Case ids",
    "start": "Started from",
}
MOST_LISTED = 8
METRIC_WORDS = {
    "dice": "Dice",
    "hd95_mm": "HD95 (mm)",
    "assd_mm": "ASSD (mm)",
    "ece": "ECE",
    "brier": "Brier score",
    "auroc_error": "AUROC, uncertainty finds wrong voxels",
    "aupr_error": "AUPR, uncertainty finds wrong voxels",
    "aurc": "Area under the risk-coverage curve",
    "volume_range_coverage": "Share of cases whose volume range holds the reference",
    "acdc_dice_ed": "Dice at end-diastole, ACDC",
    "acdc_dice_es": "Dice at end-systole, ACDC",
    "acdc_auroc_error": "AUROC, uncertainty finds wrong voxels, ACDC",
    "acdc_ef_absolute_error": "Absolute error of the ejection fraction (points), ACDC",
    "acdc_ef_held": "Share of patients whose interval of the ejection fraction holds the reference, ACDC",
    "ged2": "GED^2 of samples and readers (0 is best)",
    "ncc": "NCC of samples and readers (PHiSeg)",
    "ncc_variance": "NCC, map against the readers' variance",
    "diversity": "Diversity of the samples (mean 1 - IoU)",
    "best_dice": "Dice of the sample that fits a reader best",
    "dice_majority": "Dice against what half of the readers marked",
    "rater_ece": "Calibration error against the share of readers",
    "auroc_disagreement": "AUROC, map finds pixels on which readers disagree",
    "area_coverage": "Share of readers' areas in the 90 % interval, a slice",
    "area_coverage_nodule": "Share of readers' areas in the 90 % interval, a nodule",
}


def model_card(document: Mapping[str, Any]) -> str:
    """Markdown for people, from a complete ``metadata.json``."""
    sections = [
        f"# {document['name']}",
        str(document["description"]),
        f"**{document.get('intended_use', 'Research only; not a medical device.')}**",
        *_text("Limits", document.get("limits")),
        "## Input and output",
        _table(("What", "Value"), _facts(document)),
        "## Labels",
        _table(("Value", "Name", "Code"), (_label_row(label) for label in document["labels"])),
        "## Uncertainty",
        _uncertainty(document["uncertainty"]),
        *_fitted(document.get("fitted") or {}),
        *_training(document.get("training") or {}),
        *_metrics(document.get("metrics") or {}),
        *_reliability(document.get("reliability") or ()),
        *_text("References", document.get("references")),
        "## Files",
        _files(document),
    ]
    return "\n\n".join(sections) + "\n"


def _text(title: str, content: Any) -> list[str]:
    """A section of prose, or of a list; none when there is nothing to say."""
    lines = [f"- {line}" for line in content] if isinstance(content, list) else [str(content)]
    return [f"## {title}", "\n".join(lines)] if content else []


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    if "pipeline" in document:
        return _pipeline_facts(document)
    spacing = document["spacing"]
    return [
        ("Version", str(document["version"])),
        ("Task", str(document["task"])),
        ("Modality", str(document["modality"])),
        ("Orientation of the axes i, j, k", str(document["orientation"])),
        ("Spacing (mm)", "as the scan has it" if spacing is None else _spacing(spacing)),
        ("Window (k, j, i)", " x ".join(map(str, document["patch"]))),
        ("Normalisation", ", ".join(f"{key}: {value}" for key, value in document["normalisation"].items())),
        ("Network", f"{document['network']['name']}, {document['head']} head"),
    ]


def _spacing(spacing: Sequence[float]) -> str:
    return " x ".join(f"{value:g}" if value else "as the scan has it" for value in spacing)


def _pipeline_facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Version", str(document["version"])),
        ("Task", str(document["task"])),
        ("Modality", str(document["modality"])),
        ("Window", " x ".join(map(str, document["patch"]))),
        *pipeline_facts(document),
        ("Network", str(document["network"]["name"])),
    ]


def _label_row(label: Mapping[str, Any]) -> tuple[str, str, str]:
    codes = label.get("terminology") or {}
    parts = [codes[key] for key in ("type", "modifier") if codes.get(key)]
    return str(label["value"]), str(label["name"]), ", ".join(f"{c[2]} ({c[1]} {c[0]})" for c in parts)


def _uncertainty(uncertainty: Mapping[str, Any]) -> str:
    others = [kind for kind in uncertainty["kinds"] if kind != uncertainty["primary"]]
    sentences = [
        f"The map holds **{in_words(uncertainty['primary'])}**; voxels above {uncertainty['threshold']:g} count as "
        "uncertain."
    ]
    if others:
        sentences.append(f"Also given: {', '.join(map(in_words, others))}.")
    if "volume_probability" in uncertainty:
        q = uncertainty["volume_probability"]
        sentences.append(f"The range of a volume runs from that of P > {q:g} to that of P > {1 - q:.3g}.")
    if "sample_temperature" in uncertainty:
        sentences.append(
            f"The logits of every sample are divided by {uncertainty['sample_temperature']:g}, which makes a sample "
            "less sure of its own outline and moves none."
        )
    if "size_stretch" in uncertainty:
        sentences.append(
            "The 90 % interval of a size is the middle 90 % of the sizes of 100 samples, each end "
            f"{uncertainty['size_stretch']:g} times as far from their median."
        )
    if "fitted_on" in uncertainty:
        sentences.append(f"Fitted on {uncertainty['fitted_on']}.")
    return " ".join(sentences)


def _fitted(fitted: Mapping[str, Any]) -> list[str]:
    """What ``sure fit`` came to; nothing where it never ran."""
    if not fitted:
        return []
    counts = f"Fitted on {fitted.get('scans', '?')} scans, judged on {fitted.get('set_aside', '?')} others"
    labels = "with labels" if fitted.get("labelled") else "without labels"
    threshold = f" Voxels above {fitted['threshold']:g} count as uncertain." if fitted.get("graph") else ""
    return [f"{fitted.get('sentence', 'A head was added by sure fit.')} {counts}, {labels}.{threshold}"]


def _training(training: Mapping[str, Any]) -> list[str]:
    rows = [(TRAINING_WORDS.get(key, key), _words(value)) for key, value in training.items()]
    return ["## Training", _table(("What", "Value"), rows)] if rows else []


def _metrics(metrics: Mapping[str, Any]) -> list[str]:
    rows = [row for name, value in metrics.items() for row in _metric_rows(METRIC_WORDS.get(name, name), value)]
    return ["## Measured", _table(("Metric", "Structure", "Mean", "Interval", "n"), rows)] if rows else []


def _metric_rows(name: str, value: Any) -> list[tuple[str, ...]]:
    """One row a structure; a metric may also be a single number or text."""
    if not isinstance(value, Mapping):
        return [(name, "", _words(value), "", "")]
    return [(name, str(structure), *_summary(numbers)) for structure, numbers in value.items()]


def _summary(numbers: Any) -> tuple[str, str, str]:
    if not isinstance(numbers, Mapping):
        return _words(numbers), "", ""
    interval = f"{_words(numbers['low'])} to {_words(numbers['high'])}" if {"low", "high"} <= numbers.keys() else ""
    return _words(numbers.get("mean")), interval, _words(numbers.get("n"))


def _reliability(bins: Sequence[Mapping[str, Any]]) -> list[str]:
    """Mean probability against the mean share of readers, a row a bin."""
    rows = [(_words(b["pixels"]), f"{b['probability']:.3f}", f"{b['share']:.3f}") for b in bins]
    header = ("Pixels", "Mean probability", "Share of readers that marked them")
    return ["## Reliability", _table(header, rows)] if rows else []


def _files(document: Mapping[str, Any]) -> str:
    head = (document.get("fitted") or {}).get("graph")
    files = [document.get("weights"), *document["graphs"].values(), head]
    listed = ", ".join(f"`{name}`" for name in files if name)
    return (
        f"{listed}: the network, without any format that can carry code. `configs/metadata.json` is the source of this "
        "page, `configs/checksums.json` holds the SHA-256 of every file, `LICENSE` the licence of the weights."
    )


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) if len(value) <= MOST_LISTED else f"{len(value)}, listed in metadata.json"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(entry)}" for key, entry in value.items())
    return str(value)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
