"""The tables of the search's page are those of the recorded results."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Testing" / "Bench"))

import locator_placements  # noqa: E402
import locator_rates  # noqa: E402
import locator_turns  # noqa: E402
import whole_heads  # noqa: E402

PAGE = (ROOT / "docs" / "locator.md").read_text(encoding="utf-8")


def recorded(name: str) -> Any:
    return json.loads((ROOT / "Testing" / "Bench" / "results" / "locator" / name).read_text(encoding="utf-8"))


def test_the_tables_of_the_page_are_made_from_the_recorded_results() -> None:
    assert locator_rates.as_table(recorded("rates.json")) in PAGE
    assert locator_placements.as_table(recorded("placements.json")) in PAGE
    assert locator_turns.as_table(recorded("turns.json")) in PAGE


def test_the_table_of_heads_is_made_from_the_recorded_results_and_ends_with_the_model_that_ships() -> None:
    from SUREUncertaintyLib.packages.catalogue import find_package

    documents = recorded("heads.json")
    page = (ROOT / "docs" / "heads.md").read_text(encoding="utf-8")
    assert whole_heads.as_table(documents) in page
    assert documents[-1]["version"] == find_package("hippocampus-t1").metadata.version


def test_the_shipped_judgement_is_the_one_that_was_measured() -> None:
    from SUREUncertaintyLib.packages.catalogue import find_package
    from SUREUncertaintyLib.packages.package import read_metadata

    shipped = read_metadata(find_package("hippocampus-t1").root)["locator"]["judgement"]
    assert shipped == recorded("judgement.json")
