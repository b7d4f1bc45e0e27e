"""The worklist in a browser: keys, ticks that are kept, filters, and words where there is nothing to show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from SUREUncertaintyLib.cohort.case_row import CaseRow
from SUREUncertaintyLib.cohort.worklist_page import write_worklist
from SUREUncertaintyLib.packages.package import Package

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

FOCUSED = "document.activeElement.dataset.id ?? ''"
SHOWN = "[...document.querySelectorAll('.case')].filter((one) => !one.hidden).map((one) => one.dataset.id)"


def rows(count: int) -> list[CaseRow]:
    """Cases ``c0``, ``c1``, ...; the first one failed, the second one has a label and no forecast."""
    failed = CaseRow("c0", "c0", "", "", "failed", error="The file is gone.", reasons=("The file is gone.",))
    silent = CaseRow("c1", "c1", "", "c1", "check", no_forecast="no forecast: unlike", dice=0.61)
    told = [
        CaseRow(f"c{n}", f"c{n}", "", f"c{n}", "usable", (), 0.9, 0.8, 0.95, 0.82, dice=0.88) for n in range(2, count)
    ]
    return [failed, silent, *told]


@pytest.fixture
def opened(browser: Any, tiny_package: Package, tmp_path: Path) -> Iterator[Any]:
    """The page of thirty cases."""
    write_worklist(rows(30), (), None, tiny_package.metadata, tmp_path)
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((tmp_path / "worklist.html").as_uri())
    yield page
    assert faults == []
    page.close()


def test_keys_go_down_and_up_and_tick(opened: Any) -> None:
    for key in "jjjk":
        opened.keyboard.press(key)
    assert opened.evaluate(FOCUSED) == "c1"
    opened.keyboard.press("x")
    assert opened.inner_text("#progress") == "1 of 30 reviewed"
    opened.reload()
    assert opened.is_checked("[data-id=c1] .tick")


def test_a_ticked_case_that_leaves_the_list_hands_the_keys_to_the_next_one(opened: Any) -> None:
    opened.check("#open-only")
    opened.focus("[data-id=c20]")
    opened.keyboard.press("x")
    assert "c20" not in opened.evaluate(SHOWN)
    assert opened.evaluate(FOCUSED) == "c21"
    opened.focus("[data-id=c29]")
    opened.keyboard.press("x")
    assert opened.evaluate(FOCUSED) == "c28"


def test_keys_begin_at_the_first_case_on_the_screen(opened: Any) -> None:
    opened.evaluate("document.querySelector('[data-id=c20]').scrollIntoView()")
    opened.keyboard.press("j")
    assert opened.evaluate(FOCUSED) in {"c20", "c21"}  # the bar of filters covers some of the first one


def test_a_case_without_a_forecast_tells_its_dice_with_the_label(opened: Any) -> None:
    assert "No forecast: unlike. Dice with the label 0.61." in opened.inner_text("[data-id=c1]")
    assert "with the label 0.88" in opened.inner_text("[data-id=c2]")
    assert "Dice" not in opened.inner_text("[data-id=c0]")


def test_filters_that_leave_nothing_say_so(opened: Any) -> None:
    assert opened.is_hidden("#none")
    opened.fill("#search", "nobody")
    assert opened.evaluate(SHOWN) == []
    assert opened.is_visible("#none")
    opened.fill("#search", "C2")
    assert opened.evaluate(SHOWN) == ["c2", *(f"c{n}" for n in range(20, 30))]
    assert opened.is_hidden("#none")


def test_ticks_of_somebody_else_join_those_that_are_there(opened: Any, tmp_path: Path) -> None:
    opened.check("[data-id=c3] .tick")
    file = tmp_path / "ticks.json"
    file.write_text(json.dumps({"reviewed": {"c4": "2026-01-01", "left": "2026-01-01"}}), encoding="utf-8")
    opened.set_input_files("#import", file)
    opened.wait_for_selector("#lost:visible")
    assert opened.inner_text("#progress") == "2 of 30 reviewed"
    assert "left" in opened.inner_text("#lost")
