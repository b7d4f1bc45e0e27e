"""``robustness.html``: what a model bears."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from ..core.wording import ESTIMATOR_NAMES
from ..corruptions.registry import find_corruption
from ..corruptions.strengths import scale_of
from ..report.html_page import filled, write_html
from ..report.html_parts import ABSENT, details, figure, number, table
from .chart import draw_chart
from .results import BREAKS_BELOW

FILE = "robustness.html"
FOLLOWS = 0.1
"""A weaker rank correlation is none."""
TEMPLATE = Path(__file__).resolve().parent / "robustness.html"
CHART_TITLE = "Agreement and uncertainty by strength of the damage"
LEVEL_HEAD = {
    "Agreement (Dice)": "agreement_dice",
    "Agreement HD95 (mm)": "agreement_hd95_mm",
    "Uncertainty near boundary": "near_uncertainty",
    "Uncertainty far from it": "far_uncertainty",
    "Dice with label": "dice",
    "HD95 to label (mm)": "hd95_mm",
}
CARD_HEAD = (
    "Damage",
    "Breaks at",
    "Agreement",
    "Dice with label",
    "Uncertainty near",
    "More noise, more uncertain: share of pairs (UR*)",
    "Uncertainty follows noise (tau)",
)


def add_robustness_page(document: Mapping[str, Any], folder: Path) -> None:
    """Write ``robustness.png`` and ``robustness.html`` from the content of ``robustness.json``."""
    chart = draw_chart(document, folder)
    several = len(document["corruptions"]) > 1
    values = {
        "findings": "\n".join(_findings(document)),
        "chart": figure(CHART_TITLE, _caption(document), (folder / chart).read_bytes()),
        "table": _card(document) if several else _levels(document),
        "limit": f"{BREAKS_BELOW:g}",
        "boundary": "\n".join(f"<li>{escape(note)}</li>" for note in boundary_notes(document)),
        "details": _details(document),
    }
    write_html(folder / FILE, _title(document), _subtitle(document), filled(TEMPLATE, values))


def finding(name: str, entry: Mapping[str, Any]) -> str:
    """One sentence about one corruption: where it breaks the segmentation, or up to where that holds."""
    title = find_corruption(name).title
    if not entry["levels"]:
        return f"{title}: not run. " + " ".join(entry["skipped"])
    strongest = max(entry["levels"], key=float)
    at = entry["breaks_at"]
    level = strongest if at is None else f"{at:g}"
    agreement = entry["levels"][level]["metrics"]["agreement_dice"]["mean"]
    if agreement is None:
        return f"{title}: the model finds nothing, with or without damage, so that nothing can be compared."
    if at is None:
        return f"{title}: holds up to level {level} (agreement {agreement:.3f})."
    return f"{title}: breaks at level {level} (agreement {agreement:.3f})."


def _title(document: Mapping[str, Any]) -> str:
    if len(document["corruptions"]) > 1:
        return f"Robustness card of {document['model']}"
    (name,) = document["corruptions"]
    return f"{find_corruption(name).title}: what {document['model']} bears"


def _subtitle(document: Mapping[str, Any]) -> str:
    count, passes = document["n_cases"], document["passes"]
    named = ESTIMATOR_NAMES.get(document["estimator"], document["estimator"])
    estimator = f"uncertainty: {named} ({passes} {'pass' if passes == 1 else 'passes'})"
    scans = document["series"][0]["id"] if count == 1 else f"{count} scans"
    boxes = document.get("rois", {})
    region = [f"region {box}" for box in boxes.values()] if count == 1 else [f"{len(boxes)} in a region"] * bool(boxes)
    return " · ".join((str(scans), *region, estimator, f"seed {document['seed']}"))


def _findings(document: Mapping[str, Any]) -> Iterator[str]:
    entries = document["corruptions"]
    for fine in (False, True):
        found = [finding(name, entry) for name, entry in entries.items() if _holds(entry) == fine]
        if found:
            yield f'<p class="notice{" fine" if fine else ""}">{escape(" ".join(found))}</p>'
    for failure in document["failed"]:
        yield f'<p class="notice">{escape(failure["id"])} could not be run: {escape(failure["error"])}</p>'


def _holds(entry: Mapping[str, Any]) -> bool:
    return bool(entry["levels"]) and entry["breaks_at"] is None


def _caption(document: Mapping[str, Any]) -> str:
    several = " Bands are 95 % bootstrap intervals over groups of cases." if document["n_cases"] > 1 else ""
    axes = " Overlap counts on the left axis, uncertainty on the right one." if len(document["corruptions"]) > 1 else ""
    return f"The dashed line is an agreement of {BREAKS_BELOW:g}; a red line marks where it is crossed.{axes}{several}"


def _levels(document: Mapping[str, Any]) -> str:
    ((name, entry),) = document["corruptions"].items()
    scale = scale_of(name, document["unit"])
    head = ["Level", f"{scale.title} ({scale.unit})", *LEVEL_HEAD]
    rows = [
        [
            level,
            f"{scale.at(float(level)):.4g}",
            *(number(found["metrics"][key]["mean"], 3) for key in LEVEL_HEAD.values()),
        ]
        for level, found in entry["levels"].items()
    ]
    return table(head, rows) + _relation(entry)


def _relation(entry: Mapping[str, Any]) -> str:
    """Whether uncertainty follows this noise: the verdict, the numbers, their symbols."""
    values = {key: entry["relation"][key]["mean"] for key in ("ur_sigma", "ur_star_sigma", "tau_sigma")}
    numbers = (
        f"correlation {number(values['tau_sigma'], 3)} (tau); pairs of voxels in the right order "
        f"{number(values['ur_sigma'], 3)} (UR), without equal ones {number(values['ur_star_sigma'], 3)} (UR*)"
    )
    kind, words = noise_verdict(values["tau_sigma"])
    return f'<p class="{kind}">{words}: {numbers}{escape(_reason(entry))}.</p>'


def noise_verdict(tau: float | None) -> tuple[str, str]:
    """The class of the paragraph and the sentence for a rank correlation of noise and uncertainty."""
    if tau is None or tau != tau:
        return "quiet", "Whether uncertainty follows this noise cannot be said"
    if tau <= -FOLLOWS:
        return "notice", "\u26a0 The wrong way round: uncertainty falls as noise rises"
    if tau < FOLLOWS:
        return "notice", "Uncertainty does not follow this noise"
    return "quiet", "Uncertainty rises with noise, as it should"


def _reason(entry: Mapping[str, Any]) -> str:
    """Why the relations are missing; with several scans, in how many."""
    reasons = entry["undefined"].get("ur_sigma", {})
    texts = [text if entry["n_cases"] == 1 else f"{text} in {count} scans" for text, count in reasons.items()]
    return f" (undefined: {', '.join(texts)})" if texts else ""


def _card(document: Mapping[str, Any]) -> str:
    return table(CARD_HEAD, [_card_row(name, entry, document) for name, entry in document["corruptions"].items()])


def _card_row(name: str, entry: Mapping[str, Any], document: Mapping[str, Any]) -> list[str]:
    scale = scale_of(name, document["unit"])
    meaning = f"strength 1: {scale.at_one:g} {scale.unit}"
    title = f"{escape(find_corruption(name).title)}<br><small>{escape(meaning)}</small>"
    if not entry["levels"]:
        return [title, "not run", *[ABSENT] * (len(CARD_HEAD) - 2)]
    at = entry["breaks_at"]
    return [
        title,
        "holds" if at is None else f"{at:g}",
        *(_change(entry, key, 2) for key in ("agreement_dice", "dice")),
        _change(entry, "near_uncertainty", 3),
        *(number(entry["relation"][key]["mean"]) for key in ("ur_star_sigma", "tau_sigma")),
    ]


def _change(entry: Mapping[str, Any], metric: str, digits: int) -> str:
    """The clean value and the one at the strongest level."""
    levels = list(entry["levels"].values())
    first, last = (levels[place]["metrics"][metric]["mean"] for place in (0, -1))
    return ABSENT if first is None and last is None else f"{number(first, digits)} → {number(last, digits)}"


def boundary_notes(document: Mapping[str, Any]) -> list[str]:
    """Sentences about scans whose boundary is not that of a label."""
    count, found = document["n_cases"], document["boundary"]
    notes = []
    if guessed := found.get("prediction", 0):
        notes.append(
            f"{_scans(guessed, count)} no label: near and far are measured from the boundary of the model's own result "
            "on the undamaged scan."
        )
    if without := found.get("", 0):
        notes.append(
            f"{_scans(without, count)} no boundary, because its label or the model's result is empty: uncertainty near "
            "and far from it is undefined."
        )
    return notes


def _scans(some: int, count: int) -> str:
    return "The scan has" if count == 1 else f"{some} of {count} scans {'has' if some == 1 else 'have'}"


def _details(document: Mapping[str, Any]) -> str:
    facts = {
        "Model fingerprint": document["fingerprint"],
        "Engine": document["engine"],
        "Kind of uncertainty": document["uncertainty"],
        "Levels": ", ".join(f"{level:g}" for level in document["levels"]),
        "Unit of strength": document["unit"],
        "Normalisation": str(document["normalisation"]),
    }
    return details((name, str(text)) for name, text in facts.items())
