"""``fit.html``: what a fit came to, for whoever is to trust its map."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from ..report.html_page import write_html
from ..report.html_parts import details, number, paragraphs, section, table

FILE = "fit.html"
ROWS = {
    "errors": "Finds mistakes within 5 mm of the boundary (AUROC; 0.5 is chance)",
    "gradient": "More uncertain along blurred edges than along sharp ones (UR*; 0.5 is chance)",
    "noise": "Rises with noise (UR*)",
    "distance": "Rises most next to the boundary (UR*)",
    "scans": "Orders good and bad results (Spearman's rho; 0 is chance)",
}
AGREEMENT = (
    "There were no labels, so that nobody knows what is wrong in these scans. A mistake here is a voxel that the "
    "network answers differently on a disturbed copy than on the scan itself, and a bad result is one that agrees "
    "little with the answer to the scan itself. Mistakes that the network makes on every copy alike cannot be seen."
)
LABELLED = "A mistake is a voxel that differs from the label, and a bad result has a low Dice with the label."
SAME = (
    "The segmentation is the network's own: in all {passes} passes that were compared its outputs were the same to the "
    "last bit."
)


def add_fit_page(document: Mapping[str, Any], folder: Path) -> None:
    """Write ``fit.html`` from the content of ``fit.json``."""
    content = "\n".join(
        [
            f'<p class="notice{" fine" if document["accepted"] else ""}">{escape(document["sentence"])}</p>',
            section("On scans that nothing was fitted on", _measures(document)),
            section("What the words mean", paragraphs([LABELLED if document["labelled"] else AGREEMENT])),
            section("The segmentation", paragraphs([SAME.format(passes=document["passes"])])),
            _left_out(document["left_out"]),
            details(_facts(document)),
        ]
    )
    count, aside = len(document["fitted_on"]), len(document["set_aside"])
    subtitle = (
        f"fitted on {count} scans, judged on {aside} others · {'with' if document['labelled'] else 'without'} labels"
    )
    write_html(folder / FILE, f"Uncertainty for {document['model']}", subtitle, content)


def _measures(document: Mapping[str, Any]) -> str:
    rows = [
        [escape(words), number(document["own"][name], 3), number(document["head"][name], 3)]
        for name, words in ROWS.items()
    ]
    return table(("Measure (larger is better)", "Network's own map", "With the head"), rows, (0,))


def _left_out(left_out: Mapping[str, str]) -> str:
    if not left_out:
        return ""
    rows = [[escape(name), escape(reason)] for name, reason in left_out.items()]
    return section("Scans that were left out", table(("Scan", "Reason"), rows, (0, 1)))


def _facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Version of the package", str(document["version"])),
        ("Features that the head reads, by position in the network's graph", ", ".join(document["taps"])),
        ("Scans fitted on", ", ".join(document["fitted_on"])),
        ("Scans set aside", ", ".join(document["set_aside"])),
        ("Seconds", f"{document['seconds']:.0f}"),
    ]
