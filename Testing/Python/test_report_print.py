"""The report of one structure on a screen and on paper: short, whole, two pages, and open to everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import view_page
from barriers import barriers

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SCREEN, PHONE, PAPER = (1366, 768), (390, 844), (703, 1035)
"""Pixels; the paper is A4 within its margins."""
LONGEST = 2500
ENDS = "() => [...document.querySelectorAll('table')].map((t) => t.getBoundingClientRect().right)"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("nilearn", reason="nilearn is not installed: pip install 'sure-uncertainty[demo]'")
    from SUREUncertaintyLib.files.demo_input import ROIS
    from SUREUncertaintyLib.packages.catalogue import find_package
    from SUREUncertaintyLib.report.segment_to_folder import Job, run_job

    folder = tmp_path_factory.mktemp("report") / "result"
    run_job(Job(view_page.brain(), find_package("hippocampus-t1"), folder, ROIS[:1]))
    return folder / "report.html"


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Any]:
    page = browser.new_page(viewport={"width": SCREEN[0], "height": SCREEN[1]})
    page.goto(report.as_uri())
    yield page
    page.close()


def test_it_is_short_and_says_where_to_look_before_it_shows_pictures(opened: Any) -> None:
    assert opened.evaluate("() => document.documentElement.scrollHeight") < LONGEST
    regions = opened.get_by_role("heading", name="Where to look first").bounding_box()
    assert regions["y"] < opened.locator("figure").first.bounding_box()["y"]
    assert opened.locator(".verdict").bounding_box()["y"] < opened.locator("table").first.bounding_box()["y"]
    opened.get_by_role("heading", name="How to read the map").click()
    assert opened.get_by_text("No colour does not mean correct.").is_visible()


def test_it_prints_on_two_pages_with_whole_tables_and_all_that_is_folded_away(opened: Any) -> None:
    pages = re.findall(rb"/Type\s*/Page\b", opened.pdf(format="A4", print_background=True))
    assert len(pages) == 2
    opened.emulate_media(media="print")
    opened.set_viewport_size({"width": PAPER[0], "height": PAPER[1]})
    assert max(opened.evaluate(ENDS)) <= PAPER[0]
    assert opened.get_by_text("No colour does not mean correct.").is_visible()


def test_on_a_phone_the_page_is_no_wider_than_the_screen(opened: Any) -> None:
    opened.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert opened.evaluate("() => document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opened: Any, scheme: str) -> None:
    opened.emulate_media(color_scheme=scheme)
    assert barriers(opened) == []


def test_the_widest_table_fits_a_screen(browser: Any, tmp_path: Path) -> None:
    from SUREUncertaintyLib.report.html_page import write_html
    from SUREUncertaintyLib.report.html_parts import share, table
    from SUREUncertaintyLib.report.result_page import SCALE, UNCERTAINTIES

    head = ("Structure", "Predicted Dice", "Volume (ml)", "Range (ml)", "Uncertain voxels", *UNCERTAINTIES, SCALE)
    dice = "0.87<br><small>0.81 to 0.92</small>"
    name = '<span class="swatch"></span>Right Posterior hippocampus'
    row = [name, dice, "12.34", "10.25 – 14.75", share(0.355), *["0.07"] * 4, "0.412"]
    write_html(tmp_path / "wide.html", "Wide", "", table(head, [row] * 4))
    page = browser.new_page(viewport={"width": SCREEN[0], "height": SCREEN[1]})
    page.goto((tmp_path / "wide.html").as_uri())
    try:
        frame = "() => [document.querySelector('.scroll').scrollWidth, document.querySelector('.scroll').clientWidth]"
        wide, room = page.evaluate(frame)
        assert wide <= room
    finally:
        page.close()
