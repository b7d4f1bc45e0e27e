"""Follow-up in module and page: two results of a scene, days by their dates or as typed, and what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

# ruff: noqa: E402
slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from follow_up_results import sampled_result
from opened_module import State
from phantoms import asymmetric_volume, write_dicom_series
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import published_nodes
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.remeasure import remeasure
from SUREUncertaintyLib.mrml.volume_nodes import add_volume, volume_from_node
from SUREUncertaintyLib.presenters.follow_up import chosen_pair, comparable_results, compare_published, days_hint
from SUREUncertaintyLib.view.follow_up_part import FollowUpPart
from two_blobs import two_blobs

BEFORE, AFTER = "2026-01-01", "2026-04-11"


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


def test_growth_of_two_results_in_a_scene_by_the_dates_of_their_scans(scene: Any) -> None:
    before = publish(scene, sampled_result("first", 1.0, BEFORE))
    after = publish(scene, sampled_result("second", 2.0, AFTER))
    found = compare_published(before, after, "")
    (row,) = found.document["structures"]
    assert (found.document["days"], found.document["days_from"], found.document["matched"]) == (100.0, "dates", True)
    assert row["share"]["value"] == pytest.approx(1.0)
    assert row["doubling_days"]["value"] == pytest.approx(100.0)
    told = found.told(str)
    assert told[0].startswith("left blob grew by 25 % or more with a probability of more than 99 %")
    assert "The scans have 100 days between them, by the dates of the scans." in told
    assert found.sizes[0] == ("Volume (ml)", "1.00\n(0.90 to 1.10)", "2.00\n(1.90 to 2.10)")
    assert found.sizes[1] == ("Axial (mm)", "10.0\n(10.0 to 10.0)", "20.0\n(20.0 to 20.0)")
    assert dict(found.changes)["Grew by 25 % or more"] == "more than 99 %"
    assert "Volume-doubling time (days)" in dict(found.changes)
    typed = compare_published(before, after, "50,5").document
    assert (typed["days"], typed["days_from"]) == (50.5, "given")


def test_without_dates_days_are_asked_for_and_there_is_no_doubling_time(scene: Any) -> None:
    before, after = (publish(scene, sampled_result(name, ml)) for name, ml in (("first", 1.0), ("second", 2.0)))
    found = compare_published(before, after, " ")
    assert found.document["days"] is None
    assert any("type them" in text for text in found.told(str))
    assert "Volume-doubling time (days)" not in dict(found.changes)
    assert found.sizes[0] == ("Volume (ml)", "1.00\n(0.90 to 1.10)", "2.00\n(1.90 to 2.10)")


@pytest.mark.parametrize(
    ("days", "dates", "message"),
    [
        ("soon", (BEFORE, AFTER), "'soon' is no number of days"),
        ("-3", (BEFORE, AFTER), "more than 0 days"),
        ("inf", (BEFORE, AFTER), "less than a lifetime"),
        ("", ("yesterday", AFTER), "report.json of a is damaged"),
        ("", (AFTER, BEFORE), "was taken on 2026-04-11, after the second one of 2026-01-01"),
    ],
)
def test_days_that_make_no_sense_are_refused(scene: Any, days: str, dates: tuple[str, str], message: str) -> None:
    before, after = (publish(scene, sampled_result(n, ml, day)) for n, ml, day in zip("ab", (1, 2), dates, strict=True))
    with pytest.raises(InputError, match=message):
        compare_published(before, after, days)


def test_two_scans_of_one_day_have_no_doubling_time_and_it_is_said(scene: Any) -> None:
    before, after = (publish(scene, sampled_result(n, ml, BEFORE)) for n, ml in (("a", 1.0), ("b", 1.2)))
    found = compare_published(before, after, "")
    assert found.document["days"] is None
    assert "Both scans were taken on one day (2026-01-01)" in found.told(str)[-1]
    assert days_hint((before, after), str) == "not after the earlier one, by the dates"


def test_results_without_samples_are_not_offered_and_edited_ones_are_refused(scene: Any) -> None:
    publish(scene, two_blobs(name="plain"))
    after = publish(scene, sampled_result("second", 2.0, AFTER))
    before = publish(scene, sampled_result("first", 1.0, BEFORE))
    offered = comparable_results(scene)
    assert [published.scan.GetName() for published in offered.values()] == ["first", "second"], "the earlier one first"
    before.segmentation.GetSegmentation().RemoveSegment("right_blob_12")
    remeasure(before)
    with pytest.raises(InputError, match="was edited"):
        compare_published(before, after, "")


def test_lists_keep_what_was_chosen_while_it_is_there() -> None:
    assert chosen_pair({"a": 1, "b": 2, "c": 3}, "b", "a") == ("b", "a")
    assert chosen_pair({"a": 1, "b": 2}, "a", "a") == ("a", "b")
    assert chosen_pair({"a": 1, "b": 2}, "b", "gone") == ("a", "b")
    assert chosen_pair({}, "a", "b") == ("", "")


@pytest.mark.parametrize(
    ("tags", "day"),
    [
        ({"0008|0020": "20260101"}, "2026-01-01"),
        ({"0008|0020": "20260101", "0008|0022": "20260103"}, "2026-01-03"),
        ({"0008|0020": "20260101", "0008|002a": "20260104120000.00"}, "2026-01-04"),
        ({"0008|0020": "no date"}, ""),
        ({"0008|0020": "2020111"}, ""),
    ],
)
def test_the_day_of_a_dicom_scan_comes_along_into_the_scene(
    scene: Any, tmp_path: Path, tags: dict[str, str], day: str
) -> None:
    names = [f"{number}.dcm" for number in range(4)]
    write_dicom_series(tmp_path / "series", asymmetric_volume(Grid((4, 8, 8))), names, more=tags)
    volume = read_volume(tmp_path / "series")
    assert volume.acquired == day
    assert volume_from_node(add_volume(scene, volume)).acquired == day


def test_the_panel_compares_and_writes_a_report(opened: SimpleNamespace, tmp_path: Path) -> None:
    panel, ui, desktop = opened.widget.panel, opened.ui, opened.desktop
    assert not ui.followButton.enabled
    assert "results of two scans" in ui.followButton.toolTip
    publish(opened.scene, sampled_result("first", 1.0, BEFORE))
    publish(opened.scene, sampled_result("second", 2.0, AFTER))
    panel.follow_up.refresh()
    assert (ui.followButton.enabled, ui.followReportButton.enabled) == (True, False)
    assert ui.followDaysEdit.placeholderText == "100 by the dates of the scans"
    ui.followButton.click()
    assert "left blob grew by 25 % or more" in ui.followLabel.text
    headers, rows, _ = desktop.tables["followSizesTable"]
    assert headers == ["Structure", "First scan", "Second scan"]
    assert rows[0] == ("Volume (ml)", "1.00\n(0.90 to 1.10)", "2.00\n(1.90 to 2.10)")
    assert dict(desktop.tables["followChangesTable"][1])["Volume-doubling time (days)"].startswith("100\n(")
    desktop.path = tmp_path
    ui.followReportButton.click()
    document = json.loads((tmp_path / "second follow-up" / "follow-up.json").read_text(encoding="utf-8"))
    assert (document["days"], document["before"]["where"]) == (100.0, "first")
    assert (tmp_path / "second follow-up" / "report.html").stat().st_size > 10_000
    assert str(tmp_path / "second follow-up") in ui.followLabel.text
    ui.followBeforeSelector.setCurrentIndex(1)
    assert (ui.followButton.enabled, ui.followReportButton.enabled) == (False, False)
    assert "grew" not in ui.followLabel.text
    assert desktop.errors == []


def test_the_panel_says_what_is_wrong_with_typed_days(opened: SimpleNamespace) -> None:
    publish(opened.scene, sampled_result("first", 1.0))
    publish(opened.scene, sampled_result("second", 2.0))
    opened.widget.panel.follow_up.refresh()
    assert opened.ui.followDaysEdit.placeholderText == "not known"
    opened.ui.followDaysEdit.text = "soon"
    opened.ui.followButton.click()
    assert "no number of days" in opened.ui.followLabel.text
    assert "no number of days" in opened.desktop.errors[-1]


def test_the_page_compares_and_what_was_said_goes_with_other_results(scene: Any, tmp_path: Path) -> None:
    async def at_once(work: Any, *arguments: Any) -> Any:
        return work(*arguments)

    session = SimpleNamespace(scene=scene, state=State(), stage=MagicMock())
    part, state = FollowUpPart(session), session.state  # type: ignore[arg-type]
    assert (state.follow_results, state.follow_up) == ([], None)
    with pytest.raises(InputError, match="results of two scans"):
        asyncio.run(part.compare(at_once))
    publish(scene, sampled_result("first", 1.0, BEFORE))
    second = sampled_result("second", 2.0, AFTER)
    publish(scene, second)
    part.refresh()
    assert [result["name"] for result in state.follow_results] == [
        "first structures (2026-01-01)",
        "second structures (2026-04-11)",
    ]
    assert (state.follow_obstacle, state.follow_days_hint) == ("", "100 by the dates of the scans")
    asyncio.run(part.compare(at_once))
    assert state.follow_up["told"][0].startswith("left blob grew by 25 % or more")
    assert state.follow_up["charts"][0]["source"].startswith("data:image/png;base64,")
    part.refresh()
    assert state.follow_up is not None, "the same two results are chosen still"
    publish(scene, replace(sampled_result("second", 1.05, AFTER), image=second.image))
    part.refresh()
    assert state.follow_up is None, "the later scan was run again"
    asyncio.run(part.compare(at_once))
    assert "grew by 25 % or more" not in state.follow_up["told"][0]
    state.follow_days = "12"
    assert asyncio.run(part.write(tmp_path, at_once)) == "second follow-up"
    assert (tmp_path / "report.html").is_file()
    state.follow_before = state.follow_after
    part.update()
    assert (state.follow_up, state.follow_obstacle) == (None, "Choose two different results.")
    assert state.follow_days == "", "days were those of the other two"
    with pytest.raises(InputError, match="Press Compare first"):
        asyncio.run(part.write(tmp_path, at_once))


def test_a_result_that_lacks_its_map_and_a_record_that_cannot_be_read(scene: Any) -> None:
    before, after = (publish(scene, sampled_result(name, ml)) for name, ml in (("first", 1.0), ("second", 2.0)))
    scene.RemoveNode(before.uncertainty)
    with pytest.raises(InputError, match="uncertainty map"):
        compare_published(published_nodes(before.segmentation), after, "")
    before.provenance.SetText("{")
    assert list(comparable_results(scene)) == [after.segmentation.GetID()]


def test_the_panel_forgets_typed_days_with_the_pair_and_growth_with_an_edit(
    opened: SimpleNamespace, tmp_path: Path
) -> None:
    panel, ui = opened.widget.panel, opened.ui
    before, _, _ = (publish(opened.scene, sampled_result(n, ml)) for n, ml in (("a", 1.0), ("b", 2.0), ("c", 3.0)))
    panel.follow_up.refresh()
    ui.followDaysEdit.text = "50"
    ui.followButton.click()
    panel.follow_up.refresh()
    assert ui.followDaysEdit.text == "50"
    ui.followButton.click()
    before.segmentation.GetSegmentation().RemoveSegment("right_blob_12")
    remeasure(before)
    opened.desktop.path = tmp_path
    ui.followReportButton.click()
    assert "was edited" in opened.desktop.errors[-1]
    assert (list(tmp_path.iterdir()), panel.follow_up.comparison) == ([], None)
    ui.followBeforeSelector.setCurrentIndex(1)
    assert ui.followDaysEdit.text == ""
