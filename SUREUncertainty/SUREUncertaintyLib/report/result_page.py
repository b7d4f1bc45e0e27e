"""``report.html``: the result of one scan for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from ..analysis.in_samples import absent_words
from ..analysis.wholes import Asymmetry, whole_sentences
from ..core.dataclass_json import from_json
from ..core.glossary import MAP_TERMS
from ..core.latent_levels import LatentLevel
from ..core.rounding import decimals
from ..core.wording import REASON_NAMES, VERDICT_MEANINGS, VERDICT_NAMES, in_words
from ..packages.metadata import PackageMetadata
from .additions import Picture
from .boxes import box_sentences
from .difficulty_section import hardness
from .forecast_bar import forecast_bar, score_cell
from .html_page import HERE, filled, write_html
from .html_parts import ABSENT, definitions, details, figure, number, share, table
from .made_from import made_from, meaning_of, range_meaning
from .members import agreement_section
from .sample_files import SPECKS
from .words import link_to

FILE = "report.html"
CARD = "model-card.md"
SCALE = "Perception scale"
UNCERTAINTIES = {
    "Mean uncertainty": "mean_uncertainty",
    "95th percentile": "p95_uncertainty",
    "Mean at boundary": "boundary_uncertainty",
    "Mean inside": "interior_uncertainty",
}
DIAMETERS = {"Longest axial diameter (mm)": "axial", "Longest diameter (mm)": "longest"}
KINDS = {
    "vacuity": (
        "Vacuity is the lack of evidence: it is high where the network has seen little like this in training, "
        "and where the scan shows too little to decide."
    ),
    "entropy": "Entropy is the spread of the prediction: it is high where several answers are about equally likely.",
    "mutual_information": (
        "Mutual information is what the drawn samples disagree about: it is high where another plausible outline "
        "would give another answer. It is highest where half of the samples mark a voxel and half do not."
    ),
}
NETWORK_ERRS = "A network can be sure and wrong, above all on scans unlike those it was trained on."
MEMBERS_ERR = "What the outline was made from can be wrong in the same way everywhere."
WHOLE_UNCERTAINTY = "Mean entropy (bits)"
WHOLE_NOTE = (
    "What is uncertain only about the border between the parts does not count here: ranges and entropy are of the "
    "question whether a voxel belongs to the whole. The range of both sides is the sum of theirs."
)
CENTRED = (
    " This model sees {} pixels around the middle of a region, whatever the region's size, so that outlines and "
    "uncertainty may lie outside of the frame."
)


def write_page(
    document: Mapping[str, Any], metadata: PackageMetadata | None, pictures: Sequence[Picture], folder: Path
) -> None:
    """Write ``report.html`` into the folder.

    Args:
        document: the content of ``report.json`` (``run_record.describe_result``).
        metadata: of the model; None for a result that was made from given masks or probabilities.
        pictures: PNG files inside the folder, embedded in this order.
    """
    uncertainty = document["uncertainty"]
    values = {
        "verdict": _verdict(document),
        "notices": _notices(document),
        "pictures": "\n".join(_figure(picture, folder) for picture in pictures),
        "structures": _structures(document),
        "diameters": _diameters(document),
        "wholes": _wholes(document),
        "levels": _levels(document),
        "structures_note": " ".join([_range_note(document), *map(escape, box_sentences(document))]),
        "difficulty": hardness(document.get("difficulty", ())),
        "agreement": agreement_section(document),
        "regions": _regions(document["regions"]),
        "kind": _kind(uncertainty["kind"]),
        "most": _most(uncertainty["kind"], len(document["labels"]) + 1 if metadata is None else len(metadata.labels)),
        "centred": _centred(metadata),
        "kind_meaning": escape(
            meaning_of(document) or KINDS.get(uncertainty["kind"], "High values mean that the network is not sure.")
        ),
        "caution": MEMBERS_ERR if metadata is None else NETWORK_ERRS,
        "threshold": f"{uncertainty['threshold']:.2f}",
        "model_heading": "Made from" if metadata is None else "Model",
        "model": made_from(document) if metadata is None else _model(metadata, (folder / CARD).is_file()),
        "details": _details(document),
    }
    title = f"Segmentation of {document['image']}"
    write_html(folder / FILE, title, _subtitle(document), filled(HERE / "result_page.html", values))


def _kind(kind: str) -> str:
    term, words = MAP_TERMS.get(kind), in_words(kind)
    return escape(words) if term is None else link_to(term, words)


def _centred(metadata: PackageMetadata | None) -> str:
    if metadata is None or not metadata.centred:
        return ""
    return escape(CENTRED.format("×".join(map(str, reversed(metadata.patch)))))


def _most(kind: str, classes: int) -> str:
    """The largest value that a map can have."""
    if kind == "mutual_information":
        return f"{math.log(classes):.2f}"
    return "0.25" if kind.endswith("_variance") else "1"


def _subtitle(document: Mapping[str, Any]) -> str:
    model = document.get("model", {})
    regions = ", ".join(roi["name"] for roi in document["rois"]) or "whole scan"
    made = f"{model.get('name')}" if "made_from" in document else f"Model {model.get('name')} {model.get('version')}"
    parts = (made, f"analysed: {regions}", _moment(document["created"]))
    return " · ".join(parts)


def _moment(created: str) -> str:
    return created.replace("T", " ")[:16] + " UTC"


def _verdict(document: Mapping[str, Any]) -> str:
    """The word, what it means and why; its colour reassures only where nothing speaks against the result."""
    status, reasons = document["status"], document["status_reasons"]
    why = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    head = f"<b>{escape(VERDICT_NAMES[status])}.</b> {escape(VERDICT_MEANINGS[status])}"
    told = "".join(forecast_bar(quality) for quality in document.get("quality", ()) if not quality["reason"])
    return f'<div class="notice verdict {status}"><p>{head}</p>{told}{f"<ul>{why}</ul>" if why else ""}</div>'


def _notices(document: Mapping[str, Any]) -> str:
    """The warnings that are no reason of the verdict."""
    further = [notice["text"] for notice in document["notices"] if notice["text"] not in document["status_reasons"]]
    return "\n".join(f'<p class="notice">{escape(text)}</p>' for text in further)


def _figure(picture: Picture, folder: Path) -> str:
    return figure(picture.title, picture.caption or picture.title, (folder / picture.file).read_bytes())


def _structures(document: Mapping[str, Any]) -> str:
    scaled = bool(document.get("difficulty"))
    told = any(row["predicted_dice"] is not None for row in document["structures"])
    head = (
        "Structure",
        *(("Predicted Dice",) if told else ()),
        "Volume (ml)",
        "Range (ml)",
        "Uncertain voxels",
        *UNCERTAINTIES,
        *((SCALE,) if scaled else ()),
    )
    colours = {label["value"]: label["color"] for label in document["labels"]}
    return table(head, (_structure_cells(row, colours, scaled, told) for row in document["structures"]))


def _wholes(document: Mapping[str, Any]) -> str:
    """Volumes of what several structures make up; empty where the model names nothing."""
    rows = document.get("wholes", ())
    if not rows:
        return ""
    head = ("Together", "Volume (ml)", "Range (ml)", WHOLE_UNCERTAINTY)
    cells = (
        [escape(row["name"]), number(row["volume_ml"]), _range(row), number(row["mean_uncertainty"])] for row in rows
    )
    sides = from_json(tuple[Asymmetry, ...], document.get("asymmetry", ()))
    said = "".join(f"<p>{escape(text)}.</p>" for text in whole_sentences((), sides))
    return f'{table(head, cells)}<p class="quiet">{WHOLE_NOTE}</p>{said}'


def _structure_cells(
    row: Mapping[str, Any], colours: Mapping[int, Sequence[float]], scaled: bool, told: bool
) -> list[str]:
    rgb = ", ".join(str(round(255 * part)) for part in colours[row["value"]])
    swatch = f'<span class="swatch" style="background: rgb({rgb})"></span>'
    return [
        f"{swatch}{escape(row['name'])}",
        *((score_cell(row, "predicted_dice"),) if told else ()),
        number(row["volume_ml"]) if row["voxels"] else absent_words(row["samples"], row["samples_with"]),
        _range(row),
        share(row["share_over_threshold"]),
        *(number(row[key]) for key in UNCERTAINTIES.values()),
        *((number(row["perception_scale"]),) if scaled else ()),
    ]


def _range(row: Mapping[str, Any]) -> str:
    low, high = row["volume_low_ml"], row["volume_high_ml"]
    return ABSENT if low is None else f"{number(low)} – {number(high)}"


def _diameters(document: Mapping[str, Any]) -> str:
    """Longest diameters with their ranges; empty where none is known."""
    rows = [row for row in document["structures"] if row["axial_mm"] is not None]
    if not rows:
        return ""
    cells = ([escape(row["name"]), *(_diameter(row, name) for name in DIAMETERS.values())] for row in rows)
    return table(("Structure", *DIAMETERS), cells)


def _levels(document: Mapping[str, Any]) -> str:
    """A line about each level of the samples, coarse to fine."""
    levels = from_json(tuple[LatentLevel, ...], document.get("samples", {}).get("levels", ()))
    return "\n".join(f"<li><b>{escape(level.title())}</b>: {escape(level.sentence())}</li>" for level in levels)


def _diameter(row: Mapping[str, Any], name: str) -> str:
    """A longest diameter with the ends of its range."""
    value, low, high = (row[key] for key in (f"{name}_mm", f"{name}_low_mm", f"{name}_high_mm"))
    if value is None:
        return ABSENT
    return decimals(value, 1) if low is None else f"{decimals(value, 1)} ({decimals(low, 1)} – {decimals(high, 1)})"


def _range_note(document: Mapping[str, Any]) -> str:
    uncertain = f"Uncertain voxels are those above the threshold of {document['uncertainty']['threshold']:.2f}."
    if made := document.get("made_from"):
        return f"{range_meaning(made)} {uncertain}"
    if drawn := document.get("sampling"):
        return f"{_sampled_range(drawn)} {uncertain}"
    sure = document.get("options", {}).get("volume_probability", 0.95)
    return (
        f"The range of a volume lies between what is nearly certain (probability above {sure:.3g}) and what cannot be "
        f"ruled out (above {1 - sure:.3g}). {uncertain}"
    )


def _sampled_range(drawn: Mapping[str, Any]) -> str:
    stretch = float(drawn.get("size_stretch", 1.0))
    fitted = f", made {stretch:.3g} times as wide so that it holds 90 % of readers" if stretch != 1.0 else ""
    specks = f" {SPECKS.format(least=least)}" if (least := int(drawn.get("least_voxels", 1))) > 1 else ""
    count = drawn["size_samples"]
    return (
        f"The range of a volume is the middle 90 % of the volumes of {count} samples{fitted}; that of a diameter is "
        f"not widened.{specks}"
    )


def _place(region: Mapping[str, Any]) -> str:
    """The structure and why the region is listed."""
    if region["structure"] == "background":
        return "away from any structure"
    reason = REASON_NAMES.get(region.get("reason", ""))
    return region["structure"] + (f", {reason}" if reason else "")


def _regions(regions: Sequence[Mapping[str, Any]]) -> str:
    if not regions:
        return "<p>No voxel is above the threshold of uncertainty.</p>"
    head = ("Place", "At", "Position R, A, S (mm)", "Size (mm³)", "Mean uncertainty", "Highest uncertainty")
    rows = (
        [
            str(region["rank"]),
            escape(_place(region)),
            ", ".join(f"{x:.1f}" for x in region["centre_ras"]).replace("-", "−"),
            f"{region['size_mm3']:.0f}",
            number(region["mean_uncertainty"]),
            number(region["max_uncertainty"]),
        ]
        for region in regions
    )
    note = (
        "Uncertain voxels that belong together, the largest and most uncertain first: at the edge of a structure, "
        "inside it, or away from any. The border between parts of one structure is not listed. In Slicer, jump to the "
        "position."
    )
    return f'<p class="quiet">{note}</p>{table(head, rows, text_columns=(1,))}'


def _model(metadata: PackageMetadata, has_card: bool) -> str:
    facts = [("Task", metadata.task), ("Intended use", metadata.intended_use)]
    facts.append(("Limits", metadata.limits))
    card = f'<p><a href="{CARD}">Model card</a> (beside this page)</p>' if has_card else ""
    return definitions((name, escape(str(text))) for name, text in facts if text) + card


def _details(document: Mapping[str, Any]) -> str:
    model, grid = document.get("model", {}), document.get("geometry", {}).get("input", {})
    timings = document.get("timings_s", {})
    network = {
        "Model fingerprint": model.get("fingerprint", ABSENT),
        "Engine": f"{document.get('engine', ABSENT)} on {document.get('device', ABSENT)}",
    }
    facts = {
        **({} if "made_from" in document else network),
        "Seconds": ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in timings.items()) or ABSENT,
        "Voxels (k, j, i)": " × ".join(map(str, grid.get("shape_kji", ()))),
        "Spacing (mm)": " × ".join(f"{x:.4g}" for x in grid.get("spacing_mm", ())),
        "Regions": "; ".join(_box(roi) for roi in document["rois"]) or "whole scan",
        "Versions": ", ".join(f"{name} {version}" for name, version in document.get("versions", {}).items()),
    }
    return details(facts.items())


def _box(roi: Mapping[str, Any]) -> str:
    ends = zip("RAS", roi["low_ras_mm"], roi["high_ras_mm"], strict=True)
    return f"{roi['name']}: " + ", ".join(f"{axis} {low:.1f} to {high:.1f}" for axis, low, high in ends) + " mm"
