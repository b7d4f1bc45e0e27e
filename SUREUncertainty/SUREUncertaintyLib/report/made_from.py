"""What the page says of a result that was made from given masks or probability maps instead of by a network."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from .html_parts import ABSENT, table

MEANINGS = {
    "masks": (
        "Entropy of the votes: 0 where all masks say the same, highest where they are evenly divided. It shows where "
        "the masks differ, not where all of them are wrong."
    ),
    "probabilities": (
        "Entropy is the spread of the mean probability: it is high where several answers are about equally likely, "
        "because a map says so itself or because the maps differ."
    ),
}
RANGES = {
    "masks": "It is no 90 % interval: another reader or model may lie outside.",
    "probabilities": "It is no 90 % interval: another network may lie outside.",
}
SINGLE = "It was not checked on labelled scans of this network."


def meaning_of(document: Mapping[str, Any]) -> str:
    """What the map of a given result means; "" for the result of a network."""
    made = document.get("made_from")
    return MEANINGS[made["kind"]] if made else ""


def range_meaning(made: Mapping[str, Any]) -> str:
    """What the range of a volume is, and what it is not; ``made``: the entry of ``report.json``."""
    note = RANGES[made["kind"]] if len(made["members"]) > 1 else SINGLE
    return f"The range of a volume is the {made['volume_range']}, widened to hold the outline that is drawn. {note}"


def made_from(document: Mapping[str, Any]) -> str:
    """The files and their checksums, in place of the model."""
    made = document["made_from"]
    files = [("Scan", made["image"]), *((str(n), member) for n, member in enumerate(made["members"], 1))]
    rows = ([escape(name), escape(file["file"]), file["sha256"] or ABSENT] for name, file in files)
    named = escape(f"No network was run here. Names of the labels: {made['label_names']}.")
    return f"<p>{named}</p>{table(('', 'File', 'SHA-256'), rows, text_columns=(0, 1, 2))}"
