"""The table of the model zoo in docs/foreign.md is that of the recorded run, which kept its promise."""

import json
from pathlib import Path

from zoo_page import NEEDED, WHY, with_zoo

ROOT = Path(__file__).resolve().parents[2]
RECORDED = json.loads((ROOT / "Testing" / "Bench" / "results" / "zoo.json").read_text(encoding="utf-8"))


def test_the_table_is_made_from_the_recorded_run() -> None:
    page = (ROOT / "docs" / "foreign.md").read_text(encoding="utf-8")
    assert with_zoo(page, RECORDED) == page


def test_every_bundle_that_can_come_in_did() -> None:
    assert {row["bundle"] for row in RECORDED["rows"] if row["by"]} == set(NEEDED)
    assert {row["bundle"] for row in RECORDED["rows"] if not row["by"]} == set(WHY)
    assert len(RECORDED["rows"]) == 19
