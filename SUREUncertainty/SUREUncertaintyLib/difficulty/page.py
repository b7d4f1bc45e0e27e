"""``difficulty.html``: the cohort for people, with pictures of the hardest scans."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from ..analysis.image_measures import reasons
from ..core.errors import SureError
from ..evaluation.cases import Case
from ..report import html_parts as cells
from ..report.html_page import write_html
from ..report.html_parts import figure, number, paragraphs, section
from .case_scale import CaseScale, read_case
from .extractors.extractor import upright
from .gate import Gate, verdict
from .patient_filter import SCAN, FilterOutcome
from .table import DifficultyTable

FILE = "difficulty.html"
HARDEST = 12
MEANING = (
    "Hardness is the scan's place in this list: 0 for the easiest, 1 for the hardest (aleatoric uncertainty value, "
    "AUV). It cannot be compared with that of another list or another network.",
    "The perception scale says how evenly the detail in a structure's map is spread: the nearer to 0, the harder the "
    "scan looks to the network (semantic perception scale).",
)
NOT_RUN = "The validity test was not run, so nobody knows whether these numbers mean anything on this data set."


def write_page(
    table: DifficultyTable, gate: Gate | None, kept: Sequence[FilterOutcome], cases: Mapping[str, Case], folder: Path
) -> None:
    """Write ``difficulty.html`` into a folder."""
    order = ranking(table)
    parts = [
        section("Can these numbers be trusted?", _trust(gate)),
        section("What do the numbers mean?", paragraphs(MEANING)),
        section("Filtering", paragraphs([outcome.sentence for outcome in kept] or ["No filter was asked for."])),
        _notes(table),
        section("The hardest scans", f'<div class="few">{"".join(_figures(order[:HARDEST], table, cases))}</div>'),
        section("All scans, the hardest first", _ranking_table(order, table)),
        _failures(table),
    ]
    subtitle = f"As {table.header['fingerprint']['name']} sees them; a hard scan is not a bad scan."
    write_html(folder / FILE, "How hard are these scans?", subtitle, "\n".join(part for part in parts if part))


def _trust(gate: Gate | None) -> str:
    """The verdict as a notice, what led to it below."""
    first, *rest = verdict(gate) if gate else [NOT_RUN]
    kind = "notice fine" if gate is not None and gate.status == "valid" else "notice"
    return f'<p class="{kind}">{escape(first)}</p>\n{paragraphs(rest)}'


def ranking(table: DifficultyTable) -> list[CaseScale]:
    """The scans with a defined S, the hardest first."""
    return sorted((scan for scan in table.scans if math.isfinite(scan.scale)), key=lambda scan: (scan.scale, scan.id))


def thumbnail(case: Case) -> bytes:
    """A PNG of the middle slice of the structure, or of the scan without labels, outlined.

    Raises:
        InputError: the files cannot be read.
    """
    from matplotlib.figure import Figure

    scan, marked = read_case(case)
    image = upright(scan).array
    labels = None if marked is None else upright(marked, labels=True).array
    inside = np.flatnonzero(labels.any(axis=(1, 2))) if labels is not None else np.array([], dtype=int)
    middle = int(inside[len(inside) // 2]) if len(inside) else len(image) // 2
    drawing = Figure(figsize=(2.4, 2.4), dpi=80)
    axes = drawing.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    low, high = np.percentile(image[middle], [1, 99])
    # the patient's right is on the left of the picture
    axes.imshow(image[middle, ::-1, ::-1], cmap="gray", vmin=low, vmax=max(high, low + 1e-6))
    if labels is not None and labels[middle].any():
        axes.contour(labels[middle, ::-1, ::-1] > 0, levels=[0.5], colors="#ffb000", linewidths=1.0)
    stream = io.BytesIO()
    drawing.savefig(stream, format="png", facecolor="black")
    return stream.getvalue()


def _figures(scans: Iterable[CaseScale], table: DifficultyTable, cases: Mapping[str, Case]) -> Iterable[str]:
    span = table.ranges()[SCAN]
    measures = {scan.id: scan.measures for scan in table.scans if scan.measures}
    for scan in scans:
        try:
            png = thumbnail(cases[scan.id])
        except (SureError, KeyError, ValueError):
            continue
        why = reasons(scan.measures, [own for name, own in measures.items() if name != scan.id])
        because = f"; {'; '.join(why)}" if why else "; nothing about noise, blur or size is unusual"
        caption = f"{scan.id}: hardness {span.auv(scan.scale):.2f}, perception scale {scan.scale:.3f}{because}"
        yield figure(scan.id, caption, png)


def _ranking_table(order: Sequence[CaseScale], table: DifficultyTable) -> str:
    ranges = table.ranges()
    scales = (f"Perception scale, {name}" for name in table.classes)
    head = ("Rank", "Scan", "Patient", "Hardness", "Perception scale", *scales, "Volume (ml)")
    rows = (
        (
            str(place + 1),
            escape(scan.id),
            escape(scan.group),
            number(ranges[SCAN].auv(scan.scale), 3),
            number(scan.scale, 3),
            *(number(scan.scales.get(name), 3) for name in table.classes),
            number(scan.volume_ml, 3),
        )
        for place, scan in enumerate(order)
    )
    return cells.table(head, rows, text_columns=(1, 2))


def _notes(table: DifficultyTable) -> str:
    notes = [f"No scan has the structure '{name}', or its scale is undefined everywhere." for name in table.absent]
    warning = table.ranges()[SCAN].warning
    undefined = {f"{name}: {why}" for scan in table.scans for name, why in scan.reasons.items()}
    notes += ([warning] if warning else []) + [f"Left out and counted: {text}." for text in sorted(undefined)]
    return section("What is missing", paragraphs(notes)) if notes else ""


def _failures(table: DifficultyTable) -> str:
    failed = [f"{scan.id}: {scan.error}" for scan in table.scans if scan.error]
    return section("Scans that could not be scored", paragraphs(failed)) if failed else ""
