"""The page walks through a cohort: cases by need, decisions with their notes, and no scan that it may not read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from SUREUncertaintyLib.cohort.review import Worklist
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import all_published
from SUREUncertaintyLib.view.folders import Folders
from SUREUncertaintyLib.view.worklist_part import WorklistPart
from test_cohort_review import write_cohort
from test_view_frames import State


@pytest.fixture
def page(tmp_path: Path) -> Iterator[SimpleNamespace]:
    write_cohort(tmp_path / "cohort")
    with HeadlessScene() as headless:
        session = SimpleNamespace(state=State(), scene=headless.scene, stage=MagicMock(), said=[], segmentation=None)
        session.say = session.said.append
        shown: list[Any] = []
        part = WorklistPart(session, shown.append)
        yield SimpleNamespace(part=part, session=session, shown=shown, folder=tmp_path / "cohort")


def names(page: SimpleNamespace) -> list[str]:
    return [published.scan.GetName() for published in all_published(page.session.scene)]


def test_the_neediest_case_comes_first_and_one_case_at_a_time_is_in_the_scene(page: SimpleNamespace) -> None:
    assert page.session.state.worklist is None
    page.part.open(page.folder, Path)
    state = page.session.state
    assert state.worklist["progress"] == "Case 1 of 3, 0 decided."
    assert state.worklist["case"].startswith("b: Do not use.")
    assert (state.worklist["first"], state.worklist["last"], state.worklist["decided"]) == (True, False, False)
    page.part.step(1)
    assert names(page) == ["c"]
    assert len(page.shown) == 2
    page.part.step(5)
    assert state.worklist["last"]
    page.session.stage.redraw.assert_called()


def test_a_decision_is_written_with_its_note_and_can_be_taken_back(page: SimpleNamespace) -> None:
    page.part.open(page.folder, Path)
    page.session.state.worklist_note = " motion "
    page.part.decide("rejected")
    assert page.session.state.worklist_note == ""
    assert page.session.state.worklist["progress"] == "Case 2 of 3, 1 decided."
    last = Worklist.open(page.folder).review(Worklist.open(page.folder).rows[0]).last
    assert last is not None
    assert (last.decision, last.note) == ("rejected", "motion")
    page.part.step(-1)
    assert page.session.state.worklist["decided"]
    page.part.undo()
    assert not page.session.state.worklist["decided"]
    assert Worklist.open(page.folder).decided == 0


def test_the_end_of_the_list_is_said(page: SimpleNamespace) -> None:
    page.part.open(page.folder, Path)
    for _ in range(3):
        page.part.decide("accepted")
    page.part.go_to_open()
    assert page.session.said == ["Every case has a decision."]


def test_what_a_window_sends_for_a_decision_is_one_of_two(page: SimpleNamespace) -> None:
    page.part.open(page.folder, Path)
    with pytest.raises(InputError, match="accepted or rejected"):
        page.part.decide("edited")
    assert Worklist.open(page.folder).decided == 0


def test_a_list_that_names_scans_outside_of_the_pages_folders_shows_none_of_them(page: SimpleNamespace) -> None:
    folders = Folders([page.folder / "cases"])
    with pytest.raises(InputError, match="not in the folders that this page may read"):
        page.part.open(page.folder, folders.require)
    assert names(page) == []
