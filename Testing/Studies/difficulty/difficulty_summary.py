"""``results/difficulty.json``: what ``docs/difficulty-experiments.md`` needs of every row of the difficulty study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recorded_results import SUMMARIES, Codec, Document, Names

VALUES = {"arm": "dice", "dice": "dice", "score": "scales"}
"""What a result of each kind holds for every scan."""
FACTS = {
    "arm": ("arm", "steps"),
    "dice": ("set", "network"),
    "score": ("set", "extractor", "digest", "seen", "damaged", "auroc"),
}


def pack(name: str, result: Mapping[str, Any], names: Names, head: Document) -> Document:
    """Values of the scans as a row; subjects once for all results, since a scan is always of the same one."""
    kind = kind_of(name)
    if kind not in VALUES:
        return dict(result)
    subjects = head.setdefault("subjects", {})
    subjects |= result.get("groups", {})
    values = result[VALUES[kind]]
    small = {key: result[key] for key in FACTS[kind]}
    if "gate" in result:
        small["gate"] = _gate(result["gate"])
    return {"kind": kind, **small, "scans": names.place(list(values)), "values": list(values.values())}


def unpack(entry: Mapping[str, Any], head: Mapping[str, Any]) -> Document:
    """A result as the study wrote it, less what no page uses."""
    if "kind" not in entry:
        return dict(entry)
    scans = head["names"][entry["scans"]]
    result = {key: value for key, value in entry.items() if key not in ("kind", "scans", "values")}
    result[VALUES[entry["kind"]]] = dict(zip(scans, entry["values"], strict=True))
    if entry["kind"] != "dice":
        result["groups"] = {scan: head["subjects"][scan] for scan in scans}
    return result


def kind_of(name: str) -> str:
    """``arm``, ``dice``, ``score`` or ``correlations``."""
    return name.partition("-")[0]


def _gate(gate: Mapping[str, Any] | None) -> Document | None:
    if gate is None:
        return None
    damage = [{"kind": test["kind"], "auroc": test["auroc"]} for test in gate["damage"]]
    return {"status": gate["status"], "volume_correlation": gate["volume_correlation"], "damage": damage}


CODEC = Codec(SUMMARIES / "difficulty.json", pack, unpack)
