"""The tables of docs/foreign.md about TotalSegmentator, bundles and costs are those of the recorded runs."""

from foreign_page import PAGE, recorded, with_tables

TIE = 0.002
"""Of probability: by less the winning class leads in a voxel that two engines may read either way."""


def test_the_tables_are_made_from_what_was_recorded() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page


def test_totalsegmentator_itself_gave_the_same_label_maps() -> None:
    document = recorded("totalsegmentator")
    assert document["tasks"] >= 48
    assert all(row["differing"] <= row["voxels"] * 0.0005 for row in document["rows"])
    assert {"", "total, fastest"} <= {row["crop"] for row in document["rows"]}


def test_runs_of_bundles_kept_their_promise() -> None:
    rows = recorded("bundle runs")["rows"]
    assert len(rows) >= 4
    assert all(row["lowest_dice"] >= 0.998 or row["largest_lead"] <= TIE for row in rows)
    assert [row["differing"] for row in rows if row["whole"]] == [0]


def test_costs_are_within_their_limits() -> None:
    rows = {row["what"]: row for row in recorded("costs")["rows"]}
    assert rows["import"]["parameters_m"] > 30
    assert rows["import"]["seconds"] <= 60
    assert rows["117 structures"]["peak_gib"] <= 8
