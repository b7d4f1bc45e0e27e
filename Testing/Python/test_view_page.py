"""The page around the views in a real browser: locked without its secret, reached by keyboard, fitting every screen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import view_page
from view_page import overlay_colours, text_of, wait_for_pictures

pytestmark = [pytest.mark.browser, pytest.mark.render, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("secret", ["", "?secret=wrong", "?secret=wslink-secret"])
def test_a_wrong_address_shows_a_locked_page_and_nothing_else(browser: Any, view_server: Any, secret: str) -> None:
    stranger = browser.new_page()
    stranger.goto(f"{view_server.address}/{secret}")
    assert "opens only with the whole address" in text_of(stranger, "#lost", "This page is locked")
    assert stranger.locator(".picture").count() == 0
    assert "wrong" not in stranger.url
    stranger.close()


def test_everything_is_reached_with_the_keyboard(page: Any) -> None:
    reached: set[str] = set()
    page.locator("#scan").focus()
    for _ in range(160):
        reached.add(page.evaluate("document.activeElement.id"))
        page.keyboard.press("Tab")
    wanted = {"scan", "region", "model", "engine", "run", "map", "band-low", "band-high", "opacity", "next"}
    wanted |= {"noise-kind", "strength", "seed", "live", "series", "copy", "csv", "trust", "download"}
    assert wanted <= reached


def test_every_control_has_a_name_for_screen_readers(page: Any) -> None:
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, select, input, summary')].filter(e =>
        !(e.getAttribute('aria-label') || e.title || e.innerText.trim() || e.closest('label')?.innerText.trim()))
        .map(e => e.outerHTML)""")
    assert nameless == []


@pytest.mark.parametrize("size", [(390, 844), (768, 1024), (2560, 1300)])
def test_nothing_overflows_on_a_phone_a_tablet_or_a_wide_screen(page: Any, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    wide = page.evaluate("document.documentElement.scrollWidth")
    outside = page.evaluate("""() => [...document.querySelectorAll('.panel :is(button, select, input), .heading *')]
        .filter(e => !e.closest('.scroll, .places') && e.offsetParent
            && (e.getBoundingClientRect().right > innerWidth + 1 || e.scrollWidth > e.clientWidth + 40))
        .map(e => e.outerHTML.slice(0, 80))""")
    page.set_viewport_size({"width": 1440, "height": 900})
    assert wide <= size[0]
    assert outside == []


def test_the_page_says_that_it_is_for_research_only(page: Any) -> None:
    assert "Research use only. Not a medical device." in page.inner_text(".heading")


def test_light_and_dark_follow_the_system_and_the_button(page: Any) -> None:
    def paper() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    page.emulate_media(color_scheme="light")
    light = paper()
    page.emulate_media(color_scheme="dark")
    assert paper() != light
    button = page.get_by_label("Light or dark colours")
    button.click()
    assert paper() == light
    button.click()
    button.click()
    page.emulate_media(color_scheme="light")
    assert paper() == light


def test_a_scan_far_from_the_boxes_of_another_is_not_segmented_in_them(page: Any, view_example: Path) -> None:
    from dataclasses import replace

    from SUREUncertaintyLib.files.writing import write_volume

    scan = view_page.brain()
    r, a, s = scan.grid.origin
    moved = replace(scan, grid=replace(scan.grid, origin=(r + 500.0, a, s)))
    write_volume(moved, view_example / "far away.nrrd")
    page.select_option("#region", "all")
    page.evaluate("path => trame.trigger('open', [path])", str(view_example / "far away.nrrd"))
    page.wait_for_function("() => trame.state.get('title') === 'far away'")
    assert page.input_value("#region") == ""
    assert page.locator(".empty").inner_text().startswith("Press Run")
    (view_example / "far away.nrrd").unlink()


def test_when_the_server_stops_the_page_says_so(browser: Any, view_example: Path, tmp_path: Path) -> None:
    with view_page.Served([str(view_example / "brain.nrrd")], tmp_path / "log") as server:
        visitor = view_page.open_page(browser, server.url)
        server.process.kill()
        assert "has stopped" in text_of(visitor, "#lost", "The connection is lost")
        visitor.close()


def test_no_request_leaves_this_machine(browser: Any, view_server: Any) -> None:
    asked: list[str] = []
    visitor = browser.new_page()
    visitor.on("request", lambda request: asked.append(request.url))
    visitor.goto(view_server.url)
    wait_for_pictures(visitor)
    visitor.close()
    assert asked
    allowed = (view_server.address, view_server.address.replace("http", "ws"), "blob:", "data:")
    assert [url for url in asked if not url.startswith(allowed)] == []


def test_glow_counts_only_the_colours_of_uncertainty() -> None:
    from SUREUncertaintyLib.core.uncertainty_colours import uncertainty_colours

    shades = (uncertainty_colours(256)[128:] * 255).astype(np.uint8)[None]
    assert overlay_colours(shades) > 0.9
    others = np.array([[[80, 80, 80], [220, 220, 220], [87, 190, 219], [158, 219, 90], [10, 12, 16]]], np.uint8)
    assert overlay_colours(others) == 0.0
