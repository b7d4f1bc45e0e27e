"""``make screenshots``: pictures of the page for the docs, from the demo's result."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Python"))

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
WIDE, LOW, HIGH, PHONE = (1440, 900), (1280, 1010), (1280, 1500), (390, 844)


def main() -> None:
    """Light, dark, the noise slider with its series, a phone, and a scan over time."""
    import view_page
    from SUREUncertaintyLib.files.demo_input import ROIS, demo_scan

    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sure-shots-") as scratch, view_page.chromium() as browser:
        result = view_page.write_result(demo_scan(), ROIS, Path(scratch) / "result")
        with view_page.Served([str(result)], Path(scratch) / "log") as server:
            page = view_page.open_page(browser, server.url, WIDE)
            page.click("#next")
            page.locator("#place").filter(has_text="Region 1").wait_for()
            _scroll(page, "#map")
            _save(page, "view-light")
            page.emulate_media(color_scheme="dark")
            _scroll(page, "#scan")
            page.get_by_role("button", name="Fit").click()
            _save(page, "view-dark")
            page.emulate_media(color_scheme="light")
            page.select_option("#region", index=1)
            page.click("#series")
            page.locator("#chart").wait_for()
            page.click("#trust")
            page.locator("#trust-text").wait_for()
            _scroll(page, "#noise-kind")
            _save(page, "view-noise")
            page.close()
            phone = view_page.open_page(browser, server.url, PHONE, dark=True)
            _scroll(phone, "#map")
            _save(phone, "view-phone")
        _frames(browser, Path(scratch))
        _follow_up(browser, Path(scratch))


def _frames(browser: Any, scratch: Path) -> None:
    """A made-up heart: its ejection fraction, and the curve at end-systole."""
    import view_page
    from heart_phantom import beating_heart, write_cine

    write_cine(beating_heart(), scratch / "made-up heart.nii.gz")
    with view_page.Served([str(scratch / "made-up heart.nii.gz")], scratch / "log") as server:
        page = view_page.open_page(browser, server.url, LOW)
        page.click("#run")
        page.locator("#curve").wait_for()
        for number in (0, 1):
            page.locator("#panel > details > summary").nth(number).click()
        page.locator("#curve circle.frame").nth(5).click()
        page.locator("#panel").evaluate("e => e.scrollTo(0, 0)")
        _save(page, "view-frames")
        page.close()


def _follow_up(browser: Any, scratch: Path) -> None:
    """A made-up nodule that has grown: the part of the panel that says by how much."""
    import view_page
    from nodule_phantom import BOX, made_up_nodule

    folder = scratch / "results"
    scans = (made_up_nodule("first", 5.0, "2026-01-05"), made_up_nodule("second", 6.5, "2026-07-04", seed=1))
    paths = [view_page.write_result(scan, (BOX,), folder / scan.name, "lung-nodule-ct") for scan in scans]
    with view_page.Served([str(paths[0]), "--folder", str(folder)], scratch / "log") as server:
        page = view_page.open_page(browser, server.url, HIGH)
        page.evaluate("path => trame.trigger('open', [path])", str(paths[1]))
        page.wait_for_function("() => trame.state.get('follow_results').length === 2")
        page.click("#follow-up summary")
        page.click("#compare")
        page.locator("#follow-told").wait_for()
        _scroll(page, "#follow-before")
        page.wait_for_timeout(1000)
        page.locator("#follow-up").screenshot(path=FOLDER / "view-follow-up.png")
        page.close()


def _scroll(page: Any, selector: str) -> None:
    page.locator(selector).evaluate("e => e.closest('details').scrollIntoView({ block: 'start' })")


def _save(page: Any, name: str) -> None:
    page.mouse.move(700, 20)
    page.wait_for_timeout(3000)  # until pictures at rest have come
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
