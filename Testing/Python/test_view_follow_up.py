"""Growth between two results in the browser: chosen, days typed, compared, and saved."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

import view_page
from follow_up_results import sampled_result
from SUREUncertaintyLib.mrml.archive import write_mrb
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.publish import publish
from view_page import text_of

pytestmark = [pytest.mark.browser, pytest.mark.render, pytest.mark.xdist_group("browser")]


@pytest.fixture
def visitor(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A page with the results of two scans, the later one published first."""
    if reason := view_page.why_not():
        pytest.skip(reason)
    with HeadlessScene() as headless:
        publish(headless.scene, sampled_result("second", 2.0, "2026-04-11"))
        publish(headless.scene, sampled_result("first", 1.0, "2026-01-01"))
        write_mrb(headless.scene, tmp_path / "both.mrb")
    with view_page.Served([str(tmp_path / "both.mrb")], tmp_path / "log") as server:
        page = view_page.open_page(browser, server.url)
        page.click("#follow-up summary")
        yield page
        page.close()


def test_two_results_are_compared_by_dates_and_by_typed_days_and_saved(visitor: Any, tmp_path: Path) -> None:
    options = visitor.locator("#follow-before option").all_inner_texts()
    assert options == ["first structures (2026-01-01)", "second structures (2026-04-11)"]
    assert visitor.get_attribute("#follow-days", "placeholder") == "100 by the dates of the scans"
    visitor.click("#compare")
    assert "100 days between them, by the dates of the scans" in text_of(visitor, "#follow-told", "between them")
    assert "1.00\n(0.90 to 1.10)" in visitor.inner_text("#follow-sizes")
    assert "Volume-doubling time (days)\t100" in visitor.inner_text("#follow-changes")
    shown = visitor.locator("#follow-up .chart img").evaluate("image => image.naturalWidth")
    assert shown > 300
    with visitor.expect_download() as saved:
        visitor.click("#follow-report")
    saved.value.save_as(tmp_path / "saved.zip")
    assert set(zipfile.ZipFile(tmp_path / "saved.zip").namelist()) == {
        "follow-up.csv",
        "follow-up.json",
        "report.html",
    }
    visitor.fill("#follow-days", "50")
    visitor.click("#compare")
    assert "50 days between them." in text_of(visitor, "#follow-told", "50 days")
    visitor.select_option("#follow-before", index=1)
    visitor.wait_for_selector("#follow-told", state="detached")
    assert visitor.is_disabled("#compare")
    assert visitor.inner_text("#follow-obstacle") == "Choose two different results."


def test_days_that_are_no_number_are_told_on_the_page(visitor: Any) -> None:
    visitor.fill("#follow-days", "soon")
    visitor.click("#compare")
    visitor.wait_for_function("() => trame.state.get('message')?.text.includes('no number of days')")
    assert visitor.locator("#follow-told").count() == 0
