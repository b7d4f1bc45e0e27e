"""The reference table that a model package carries: the scales of scans that its network was not trained on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..analysis.difficulty_reference import FEWEST, SCHEMA
from ..core.errors import InputError
from .table import DifficultyTable


def reference_document(table: DifficultyTable) -> dict[str, Any]:
    """The ``reference`` field of a package's metadata, from the scans that its network was not trained on.

    Raises:
        InputError: fewer than ten such scans.
    """
    fresh = [scan for scan in table.scans if not scan.seen and math.isfinite(scan.scale)]
    if len(fresh) < FEWEST:
        raise InputError(
            f"A reference table needs {FEWEST} or more scans that the network was not trained on, not {len(fresh)}."
        )
    scans = [{"scale": scan.scale, "measures": scan.measures} for scan in sorted(fresh, key=lambda scan: scan.scale)]
    facts = {"digest": table.digest, "power": table.header["power"], "center": table.header["center"]}
    tested = {"gate": _gate_facts(table.header.get("gate"))}
    return {"schema": SCHEMA, **facts, **tested, "groups": len({scan.group for scan in fresh}), "scans": scans}


def _gate_facts(gate: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What ``caution`` needs of a gate as ``Gate.to_json`` writes it."""
    if not gate:
        return None
    tests = [{name: test[name] for name in ("kind", "status", "auroc")} for test in gate["damage"]]
    return {"status": gate["status"], "damage": tests}
