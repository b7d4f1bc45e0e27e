"""The page in the browser: how soon it is there, follows the slider and stops a run, and whether memory stays flat."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Python"))

STARTS = 3
TIMED_MOVES = 30
MOVES = 200
WARM_UP = 20
TARGETS = {"ready_s": 12.0, "pictures_s": 9.0, "slider_s": 0.3, "cancel_s": 0.5}

_MOVE = """
(value) => new Promise((done) => {
  const slider = document.querySelector('#strength'), text = document.querySelector('#noise-text');
  const image = document.querySelector('[data-view=Green] .picture img'), wanted = `strength ${value.toFixed(2)}`;
  const begun = performance.now();
  let seen = null;
  slider.value = value;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  const look = () => {
    if (seen === null && text.textContent.includes(wanted)) seen = image.src;
    if (seen !== null && image.src !== seen) return done((performance.now() - begun) / 1000);
    setTimeout(look, 2);
  };
  look();
})
"""
_CANCEL = """
() => new Promise((done) => {
  const begun = performance.now();
  document.querySelector('#cancel').click();
  const look = () => document.querySelector('#run') ? done((performance.now() - begun) / 1000) : setTimeout(look, 2);
  look();
})
"""


def bench_browser(starts: int = STARTS, moves: int = MOVES) -> dict[str, Any]:
    """Medians and ranges in seconds on the demo's result; memory in MB.

    ``slider_s`` runs from the input event to the picture of the coronal view that shows the new position, over the
    left region of the demo. ``memory`` is the resident memory of server and worker together.
    """
    import view_page
    from SUREUncertaintyLib.files.demo_input import ROIS, demo_scan

    times: dict[str, list[float]] = {name: [] for name in TARGETS}
    with tempfile.TemporaryDirectory(prefix="sure-bench-") as scratch, view_page.chromium() as browser:
        result = view_page.write_result(demo_scan(), ROIS, Path(scratch) / "result")
        for _ in range(starts):
            begun = time.perf_counter()
            with view_page.Served([str(result)], Path(scratch) / "log") as server:
                times["ready_s"].append(time.perf_counter() - begun)
                begun = time.perf_counter()
                page = view_page.open_page(browser, server.url)
                times["pictures_s"].append(time.perf_counter() - begun)
                _measure_cancel(page, times["cancel_s"])
                memory = _measure_slider(page, server.process.pid, times["slider_s"], moves)
                page.close()
    found = {name: _spread(values) for name, values in times.items()}
    return {**found, "targets": TARGETS, "moves": moves, "memory_mb": memory}


def _measure_cancel(page: Any, times: list[float]) -> None:
    """Cancel in the middle of the whole scan; once before the model is loaded, then with it."""
    page.select_option("#region", "")
    for _ in range(5):
        page.click("#run")
        page.locator("#cancel").wait_for()
        page.wait_for_timeout(700)
        times.append(page.evaluate(_CANCEL))
    page.select_option("#region", index=1)


def _measure_slider(page: Any, pid: int, times: list[float], moves: int) -> dict[str, float]:
    page.check("#live")
    page.locator("#noise-text").filter(has_text="strength 0.00").wait_for()
    for number in range(TIMED_MOVES):
        times.append(page.evaluate(_MOVE, 0.01 + 0.02 * (number % 25)))
    for number in range(WARM_UP):
        page.evaluate(_MOVE, 0.52 + 0.01 * (number % 10))
    before = _resident(pid)
    for number in range(moves):
        page.evaluate(_MOVE, 0.01 + 0.01 * (number % 60))
    return {"before": before, "after": _resident(pid)}


def _resident(pid: int) -> float:
    """MB of a process and everything that it started."""
    import psutil

    process = psutil.Process(pid)
    return round(sum(p.memory_info().rss for p in (process, *process.children(recursive=True))) / 1e6, 1)


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "low": round(min(values), 3),
        "high": round(max(values), 3),
        "n": len(values),
    }
