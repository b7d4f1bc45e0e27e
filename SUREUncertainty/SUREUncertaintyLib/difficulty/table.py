"""AUV tables: ``auv.csv`` with its header ``auv.json``. Tables of different extractors are never mixed."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..analysis.auv import AuvRange, auv_range
from ..analysis.difficulty_reference import FEWEST, SCHEMA as REFERENCE_SCHEMA
from ..core.errors import InputError
from ..core.safe_names import table_row
from .case_scale import CaseScale
from .patient_filter import SCAN, Scored

TABLE, HEADER = "auv.csv", "auv.json"
SCHEMA = "sure-difficulty/1"
NAN = float("nan")
COLUMNS = ("id", "group", "split", "structure", "S", "valid", "reason", "rank", "volume_ml", "auv", "seen", "error")


@dataclass(frozen=True)
class DifficultyTable:
    """A scored cohort and what its numbers depend on.

    Attributes:
        scans: in the order of the case list, failed ones too.
        header: schema, fingerprint, power, centring, gate, versions; ready for JSON.
    """

    scans: tuple[CaseScale, ...]
    header: dict[str, Any]

    @property
    def digest(self) -> str:
        """The extractor's fingerprint with the toggles of S."""
        facts = self.header
        return f"{facts['fingerprint']['digest']}/{facts['power']}/{facts['center']}"

    @property
    def classes(self) -> tuple[str, ...]:
        """Every class that any scan has, in order of appearance."""
        return tuple(dict.fromkeys(name for scan in self.scans for name in scan.scales))

    @property
    def absent(self) -> tuple[str, ...]:
        """Classes without a single defined scale."""
        return tuple(
            name for name in self.classes if not any(math.isfinite(scan.scales.get(name, NAN)) for scan in self.scans)
        )

    def ranges(self) -> dict[str, AuvRange]:
        """The range of S by class, ``"mean"`` for the scans' own."""
        by_class = {name: auv_range(scan.scales.get(name, NAN) for scan in self.scans) for name in self.classes}
        return {**by_class, SCAN: auv_range(scan.scale for scan in self.scans)}

    def scored(self) -> tuple[Scored, ...]:
        """AUV of every scan that did not fail, for filtering."""
        ranges = self.ranges()
        return tuple(
            Scored(scan.id, scan.group, {name: ranges[name].auv(_scale(scan, name)) for name in ranges})
            for scan in self.scans
            if not scan.error
        )


def join_tables(tables: Sequence[DifficultyTable]) -> DifficultyTable:
    """One table of all scans; AUV is then relative to all of them.

    Raises:
        InputError: the tables come from different extractors or settings, or a scan stands in two of them.
    """
    if len({table.digest for table in tables}) != 1:
        names = ", ".join(table.header["fingerprint"]["name"] for table in tables)
        raise InputError(
            f"These difficulty tables come from different networks or settings ({names}), so their "
            "values cannot be compared. Score all scans with one network."
        )
    scans = tuple(scan for table in tables for scan in table.scans)
    if len({scan.id for scan in scans}) < len(scans):
        raise InputError("A scan stands in more than one of the difficulty tables.")
    return DifficultyTable(scans, tables[0].header)


def write_table(table: DifficultyTable, folder: Path, kept: Mapping[str, Collection[str]] | None = None) -> None:
    """Write ``auv.csv`` (a row a scan and class, ``mean`` for the scan) and ``auv.json`` into a folder.

    Args:
        kept: ids that a filter keeps, by the name of the column that says so.
    """
    ranges, filters = table.ranges(), kept or {}
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow((*COLUMNS, *filters))
        for scan in table.scans:
            told = ["" if scan.error else "yes" if scan.id in ids else "no" for ids in filters.values()]
            writer.writerows(table_row([*row, *told]) for row in _rows(scan, ranges))
    document = {**table.header, "scans": [scan.to_json() for scan in table.scans]}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / HEADER).write_text(text + "\n", encoding="utf-8")


def read_table(path: Path) -> DifficultyTable:
    """Read a table back from its folder, its CSV or its JSON file.

    Raises:
        InputError: no such table, or a damaged one.
    """
    path = Path(path)
    header = (path if path.is_dir() else path.parent) / HEADER
    try:
        document = json.loads(header.read_text(encoding="utf-8"))
        scans = tuple(CaseScale.from_json(entry) for entry in document.pop("scans"))
        if document["schema"] != SCHEMA or not {"fingerprint", "power", "center", "gate"} <= document.keys():
            raise ValueError("another schema")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"There is no difficulty table at {path}: expected {TABLE} with {HEADER} beside it, as 'sure difficulty' "
            f"writes them ({error})."
        ) from error
    return DifficultyTable(scans, document)


def _scale(scan: CaseScale, name: str) -> float:
    return scan.scale if name == SCAN else scan.scales.get(name, NAN)


def _rows(scan: CaseScale, ranges: dict[str, AuvRange]) -> list[list[str]]:
    head = [scan.id, scan.group, scan.split]
    if scan.error:
        return [[*head, "", "", "no", "", "", "", "", "", scan.error]]
    return [[*head, *_cells(scan, name, ranges[name])] for name in (*scan.scales, SCAN)]


def _cells(scan: CaseScale, name: str, span: AuvRange) -> list[str]:
    scale = _scale(scan, name)
    volume = scan.volume_ml if name == SCAN else scan.volumes_ml.get(name, NAN)
    return [
        name,
        _number(scale),
        "yes" if math.isfinite(scale) else "no",
        scan.reasons.get(name, ""),
        str(scan.rank.get(name, "")),
        _number(volume),
        _number(span.auv(scale)),
        "yes" if scan.seen else "no",
        "",
    ]


def _number(value: float) -> str:
    return f"{value:.10g}" if math.isfinite(value) else ""


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
    return {
        "schema": REFERENCE_SCHEMA,
        **facts,
        **tested,
        "groups": len({scan.group for scan in fresh}),
        "scans": scans,
    }


def _gate_facts(gate: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What ``caution`` needs of a gate as ``Gate.to_json`` writes it."""
    if not gate:
        return None
    tests = [{name: test[name] for name in ("kind", "status", "auroc")} for test in gate["damage"]]
    return {"status": gate["status"], "damage": tests}
