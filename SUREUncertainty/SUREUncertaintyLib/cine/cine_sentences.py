"""What a scan over time says, in sentences for every face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..analysis.verdict import STATUSES
from ..core.wording import VERDICT_NAMES

VOLUMES = {
    "end_diastolic_volume": "End-diastolic volume",
    "end_systolic_volume": "End-systolic volume",
}
MEANING = (
    "The interval (90 %) holds what the outlines of both frames leave open, calibrated on patients whom the network "
    "was never trained on, and what leaving out or adding one slice at the base and at the apex would change: no "
    "network decides that for you."
)


def fraction_sentence(document: Mapping[str, Any]) -> str:
    """The ejection fraction with its interval, or why there is none; empty for models of no cavity."""
    found = document["ejection"]
    if found is None:
        return str(document["why_no_ejection_fraction"])
    low, value, high = (
        f"{100 * found[key]:.0f}" for key in ("ejection_fraction_low", "ejection_fraction", "ejection_fraction_high")
    )
    return f"Ejection fraction {value} % (90 % interval {low} to {high} %)"


def volume_rows(document: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, ml and range of end-diastolic, end-systolic and stroke volume."""
    found = document["ejection"]
    if found is None:
        frames = (("Largest volume", "end_diastole"), ("Smallest volume", "end_systole"))
        return [_row(name, document["frames"][document[key] - 1], "volume") for name, key in frames]
    rows = [_row(name, found, key) for key, name in VOLUMES.items()]
    return [*rows, ("Stroke volume", f"{found['stroke_volume_ml']:.0f}", "")]


def _row(name: str, found: Mapping[str, Any], key: str) -> tuple[str, str, str]:
    low, high = found[f"{key}_low_ml"], found[f"{key}_high_ml"]
    return name, f"{found[f'{key}_ml']:.0f}", f"{low:.0f} to {high:.0f}"


def phase_sentence(document: Mapping[str, Any]) -> str:
    """Which frames were taken."""
    return (
        f"End-diastole is frame {document['end_diastole']}, end-systole frame {document['end_systole']} of "
        f"{len(document['frames'])}."
    )


def short_sentences(document: Mapping[str, Any]) -> list[str]:
    """What comes first where there is little room: the fraction, the volumes, and which frames were taken."""
    fraction = fraction_sentence(document)
    volumes = ", ".join(
        f"{name if number == 0 else name.lower()} {value} ml" + (f" ({ends})" if ends else "")
        for number, (name, value, ends) in enumerate(volume_rows(document))
    )
    first = [fraction if fraction.endswith(".") else f"{fraction}."] if fraction else []
    return [*first, f"{volumes}; ranges with the slices at base and apex.", phase_sentence(document)]


def phases_status(document: Mapping[str, Any]) -> str:
    """The worse verdict of the two frames that the numbers come from."""
    phases = [document["frames"][document[name] - 1] for name in ("end_diastole", "end_systole")]
    return str(max((frame["status"] for frame in phases), key=STATUSES.index))


def frame_sentences(document: Mapping[str, Any]) -> list[str]:
    """A sentence for every distinct warning, with the frames that have it."""
    frames: dict[tuple[str, str], list[int]] = {}
    for frame in document["frames"]:
        for reason in frame["reasons"]:
            frames.setdefault((frame["status"], reason), []).append(frame["frame"])
    return [f"{VERDICT_NAMES[status]} ({_listed(numbers)}): {reason}" for (status, reason), numbers in frames.items()]


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:6])) + (" ..." if len(numbers) > 6 else "")
    return f"frame {shown}" if len(numbers) == 1 else f"{len(numbers)} frames: {shown}"
