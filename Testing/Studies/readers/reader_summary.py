"""``results/readers.json``: what ``docs/hierarchical.md`` needs of every training of the reader study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readers.reader_page import KINDS, SHOWN
from readers.shifted_slices import SCORES
from recorded_results import SUMMARIES, Codec, Document, Names

OF_LEVELS = ("weights", "network", "levels")
"""Kept of networks whose levels add up."""
FIT = ("seed", "steps", "temperature", "own_share")
PROBE = ("level", "kl", "mean_spread", "std_spread", "collapsed")


def pack(name: str, result: Mapping[str, Any], names: Names, head: Document) -> Document:
    """Values of the nodules as one row a metric; of a shift, one row a score."""
    head |= {"metrics": list(SHOWN), "scores": list(SCORES), "probe": list(PROBE)}
    if name.startswith("fit-"):
        return {"fit": {key: result[key] for key in FIT}}
    if name.startswith("shift-"):
        kinds = {kind: result["scores"][kind] for kind in ("clean", *KINDS)}
        return {"kinds": {kind: [found[score] for score in SCORES] for kind, found in kinds.items()}}
    levels = {key: result[key] for key in OF_LEVELS if key in result}
    answer = {"answer": result["values"]["dice_answer"]} if levels else {}
    return {
        **levels,
        **answer,
        "steps": result["steps"],
        "loss": result.get("loss", {}),
        "patients": names.place(result["patients"]),
        "probe": [[level[key] for key in PROBE] for level in result["probe"]],
        "values": [result["values"][metric] for metric in SHOWN],
    }


def unpack(entry: Mapping[str, Any], head: Mapping[str, Any]) -> Document:
    """A result as the study wrote it, less what no page uses."""
    if "fit" in entry:
        return dict(entry["fit"])
    if "kinds" in entry:
        kinds = entry["kinds"].items()
        return {"scores": {kind: dict(zip(head["scores"], rows, strict=True)) for kind, rows in kinds}}
    answer = {"dice_answer": entry["answer"]} if "answer" in entry else {}
    return {
        **{key: entry[key] for key in OF_LEVELS if key in entry},
        "steps": entry["steps"],
        "loss": entry["loss"],
        "patients": head["names"][entry["patients"]],
        "probe": [dict(zip(head["probe"], row, strict=True)) for row in entry["probe"]],
        "values": dict(zip(head["metrics"], entry["values"], strict=True)) | answer,
    }


CODEC = Codec(SUMMARIES / "readers.json", pack, unpack)
