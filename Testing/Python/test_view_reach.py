"""The page for everybody: axe finds nothing serious, keys do what the mouse does, and small windows lose nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import view_page
from barriers import barriers
from numpy.typing import NDArray
from view_page import SLICES, picture, resting_picture, state_of, text_of, wait_for_glow

# ruff: noqa: E402
slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from SUREUncertaintyLib.mrml.archive import read_mrb
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import all_published

pytestmark = [pytest.mark.browser, pytest.mark.render, pytest.mark.xdist_group("browser")]

PHONE, DESKTOP = (390, 844), (1366, 768)
CUT = """
() => [...document.querySelectorAll('.panel table')]
  .filter((table) => table.scrollWidth > table.parentElement.clientWidth + 1).map((table) => table.className)
"""
TOO_SMALL = """
() => [...document.querySelectorAll('button, select, summary, input, label.tick')]
  .filter((e) => e.offsetParent && !e.closest('label.tick > *') && !(e.matches('.tick input')))
  .map((e) => [e.id || e.innerText.slice(0, 30) || e.ariaLabel || e.tagName, e.getBoundingClientRect().height])
  .filter(([, height]) => height > 0 && height < 39.5)
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, view_server: Any, page: Any, dark: bool) -> None:
    window = view_page.open_page(browser, view_server.url, DESKTOP, dark)
    try:
        assert barriers(window) == []
        window.get_by_role("button", name="Open ...", exact=True).click()
        window.locator(".dialog").wait_for()
        assert barriers(window) == []
        window.locator(".dialog").press("Escape")
    finally:
        window.close()


def test_headings_lead_through_the_page(page: Any) -> None:
    assert page.get_by_role("heading", level=1).all_inner_texts() == ["SURE Uncertainty"]
    names = page.get_by_role("heading", level=2).all_inner_texts()
    assert names == [
        "Views",
        "Result",
        "Input and model",
        "Results",
        "Uncertainty",
        "Noise",
        "Numbers",
        "What the words mean",
    ]


def test_arrows_and_page_keys_scroll_the_slice_that_has_the_focus(page: Any) -> None:
    view, step, before = page.locator("[data-view=Red]"), state_of(page, "bars")["Red"]["step"], offset(page)
    view.press("ArrowUp")
    page.wait_for_function("old => trame.state.get('slice_Red') > old", arg=before)
    assert offset(page) == pytest.approx(before + step, abs=0.01)
    view.press("PageDown")
    page.wait_for_function("old => trame.state.get('slice_Red') < old", arg=before)
    assert offset(page) == pytest.approx(before - 9 * step, abs=0.01)
    position = f"S {offset(page):.1f} mm"
    text_of(page, "[data-view=Red] .corner i", position)
    assert page.locator(".sliders input").first.get_attribute("aria-valuetext") == position


def test_escape_leaves_an_enlarged_view(page: Any) -> None:
    page.locator("[data-view=Green]").get_by_label("Enlarge this view").click()
    page.locator("[data-view=Red]").wait_for(state="hidden")
    page.keyboard.press("Escape")
    page.locator("[data-view=Red]").wait_for(state="visible")
    assert state_of(page, "large") == ""


def test_a_drag_measures_a_distance_which_stays_until_it_is_cleared(page: Any) -> None:
    take(page, "Measure")
    box = page.locator("[data-view=Red] .picture img").bounding_box()
    drag(page, box, (0.3, 0.5), (0.5, 0.5))
    drag(page, box, (0.3, 0.5), (0.7, 0.5))
    text_of(page, "#distances", ",")
    short, long = (float(told.split()[0]) for told in page.inner_text("#distances").split(","))
    assert short > 1.0
    assert long == pytest.approx(2 * short, rel=0.02)
    page.get_by_role("button", name="Clear").click()
    page.wait_for_function("() => trame.state.get('distances').length === 0")
    take(page, "Look")


def test_a_click_with_the_crosshair_moves_the_other_slices(page: Any) -> None:
    take(page, "Crosshair")
    before = {view: state_of(page, f"slice_{view}") for view in SLICES}
    box = page.locator("[data-view=Red] .picture img").bounding_box()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.6 * box["height"])
    page.wait_for_function("old => Math.abs(trame.state.get('slice_Yellow') - old) > 1", arg=before["Yellow"])
    page.wait_for_function("old => Math.abs(trame.state.get('slice_Green') - old) > 1", arg=before["Green"])
    assert state_of(page, "slice_Red") == pytest.approx(before["Red"], abs=0.01)
    take(page, "Look")


def test_a_drag_changes_the_brightness_of_the_scan_and_reset_brings_it_back(page: Any) -> None:
    page.fill("#opacity", "0")
    for view in SLICES:
        wait_for_glow(page, view, 0.0, 0.0005)
    before = resting_picture(page, "Red").mean()
    take(page, "Brightness")
    box = page.locator("[data-view=Red] .picture img").bounding_box()
    drag(page, box, (0.5, 0.3), (0.5, 0.7))  # down: brighter
    wait_for_picture(page, "Red", lambda pixels: pixels.mean() > before + 10)
    page.get_by_role("button", name="Reset").click()
    wait_for_picture(page, "Red", lambda pixels: abs(pixels.mean() - before) < 1)
    take(page, "Look")
    page.fill("#opacity", "0.8")


def test_outlines_can_be_smoothed(page: Any) -> None:
    page.uncheck("#smooth")
    before = resting_picture(page, "Red")
    page.check("#smooth")
    wait_for_picture(page, "Red", lambda pixels: not np.array_equal(pixels, before))
    change = changed(resting_picture(page, "Red"), before)
    assert change > 0.01
    page.uncheck("#smooth")
    # not exactly: where a line and its dark edge fall on one pixel, either may be drawn last
    wait_for_picture(page, "Red", lambda pixels: changed(pixels, before) < change / 2)


def test_scan_result_and_place_are_packed_for_slicer(page: Any, tmp_path: Path) -> None:
    with page.expect_download() as waiting:
        page.click("#for-slicer")
    assert waiting.value.suggested_filename == "brain for 3D Slicer.mrb"
    waiting.value.save_as(tmp_path / "scene.mrb")
    place = state_of(page, "slice_Red")
    with HeadlessScene() as headless:
        read_mrb(headless.scene, tmp_path / "scene.mrb")
        names = {published.scan.GetName() for published in all_published(headless.scene)}
        assert "brain" in names  # other tests of this server may have left a noise series beside it
        red = slicer.util.getNode("Red")
        assert red.GetSliceOffset() == pytest.approx(place, abs=0.01)


def test_on_a_phone_nothing_is_cut_and_everything_is_large_enough_to_touch(
    browser: Any, view_server: Any, page: Any
) -> None:
    phone = view_page.open_page(browser, view_server.url, PHONE)
    try:
        assert phone.evaluate("() => document.documentElement.scrollWidth") <= PHONE[0]
        assert phone.evaluate(CUT) == []
        assert phone.evaluate(TOO_SMALL) == []
    finally:
        phone.close()


def test_at_a_zoom_of_200_percent_the_views_come_first_and_the_panel_opens_on_demand(
    browser: Any, view_server: Any, page: Any
) -> None:
    half = view_page.open_page(browser, view_server.url, (DESKTOP[0] // 2, DESKTOP[1] // 2))
    try:
        button = half.get_by_role("button", name="Controls")
        assert button.get_attribute("aria-expanded") == "false"
        assert not half.locator("#panel").is_visible()
        assert half.locator("[data-view=Red]").bounding_box()["height"] > 100
        button.click()
        assert button.get_attribute("aria-expanded") == "true"
        assert half.locator("#panel").is_visible()
    finally:
        half.close()


def test_verdict_and_volumes_are_seen_without_scrolling(browser: Any, view_server: Any, page: Any) -> None:
    window = view_page.open_page(browser, view_server.url, DESKTOP)
    try:
        bottom = window.locator(".structures").bounding_box()
        assert bottom["y"] + bottom["height"] < DESKTOP[1]
        assert window.locator("#verdict").bounding_box()["y"] < bottom["y"]
    finally:
        window.close()


def offset(page: Any) -> float:
    """Where the axial slice is, mm."""
    return float(state_of(page, "slice_Red"))


def take(page: Any, tool: str) -> None:
    """Choose what the mouse does."""
    button = page.get_by_role("button", name=tool, exact=True)
    button.click()
    page.locator(f".tools [aria-pressed=true]:text-is('{tool}')").wait_for()


def drag(page: Any, box: dict[str, float], start: tuple[float, float], end: tuple[float, float]) -> None:
    """Press, move and release the mouse between shares of a picture."""
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=5)
    page.mouse.up()


def changed(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Share of the numbers in two pictures that differ; 1 where their sizes do."""
    return float((one != other).mean()) if one.shape == other.shape else 1.0


def wait_for_picture(page: Any, view: str, fits: Callable[[NDArray[np.uint8]], bool]) -> None:
    """Until a view's picture is as wanted."""
    for _ in range(view_page.PATIENCE // 100):
        if fits(picture(page, view)):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{view} never looked as it should")
