"""A running ``sure view`` and a real browser, for tests, benchmark and screenshots."""

from __future__ import annotations

import base64
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LIBRARY = Path(__file__).resolve().parents[2] / "SUREUncertainty"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SLICES = ("Red", "Green", "Yellow")
VIEWS = (*SLICES, "ThreeD")
PATIENCE = 90_000
"""Milliseconds: long, because the machine may be busy; a condition that holds ends the wait at once."""
ROUNDS_AT_REST = 10
"""Questions that the server answers without a change of the picture until a view counts as resting."""

_HAVE_PICTURES = """
() => { const found = [...document.querySelectorAll('.picture img')];
        return found.length === 4 && found.every((image) => image.naturalWidth > 0); }
"""
_GRAB = """
(view) => { const image = document.querySelector(`[data-view=${view}] .picture img`);
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/png').split(',')[1]; }
"""


def why_not() -> str:
    """Why the page cannot be served here; empty when it can."""
    if find_spec("trame_slicer") is None:
        return "trame-slicer is not installed: pip install 'sure-uncertainty[view]'"
    from SUREUncertaintyLib.mrml.opengl import pick_gl

    return "" if pick_gl() else "no OpenGL library: apt-get install libegl1 libgl1-mesa-dri"


def find_chromium() -> str:
    """Path of a Chromium; empty where there is none."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), "")


class Served:
    """``with Served(arguments) as served``: a server in a process of its own.

    Attributes:
        url: the address with its secret.
    """

    def __init__(self, arguments: list[str], log: Path) -> None:
        self._log = log.open("w", encoding="utf-8")
        command = [sys.executable, "-m", "SUREUncertaintyLib.cli.app", "view", "--no-browser", *arguments]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(LIBRARY), os.environ.get("PYTHONPATH", "")]))
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment, cwd=log.parent
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "http" not in line:
            self.process.wait(30)
            raise RuntimeError(f"no server: {line}{log.read_text(encoding='utf-8')}")
        self.url = line.split()[-1]

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return self.url.split("/?")[0]

    @property
    def token(self) -> str:
        """The secret."""
        return self.url.split("secret=")[1]

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.close()


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless browser of playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Any, url: str, size: tuple[int, int] = (1440, 900), dark: bool = False) -> Any:
    """A page with four pictures."""
    scheme = "dark" if dark else "light"
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    wait_for_pictures(page)
    return page


def wait_for_pictures(page: Any) -> None:
    """Until every view shows a picture."""
    page.wait_for_function(_HAVE_PICTURES)


def picture(page: Any, view: str) -> NDArray[np.uint8]:
    """(rows, columns, 3) pixels of a view."""
    from PIL import Image

    content = base64.b64decode(page.evaluate(_GRAB, view))
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def settle(page: Any) -> None:
    """Until what was asked has been done and told: the server tells of slices that moved a moment after they did."""
    for _ in range(3):
        page.evaluate("() => trame.trigger('copy')")
        page.wait_for_timeout(100)


def resting_picture(page: Any, view: str) -> NDArray[np.uint8]:
    """Pixels of a view whose picture no longer changes: the same after several questions that the server answered.

    A view draws while it is asked, and sends its picture once more at rest: on a busy machine, a picture that is taken
    at once may still show the state before.
    """
    pixels, same = picture(page, view), 0
    for _ in range(PATIENCE // 100):
        page.evaluate("() => trame.trigger('copy')")
        page.wait_for_timeout(100)
        now = picture(page, view)
        same = same + 1 if np.array_equal(now, pixels) else 0
        if same == ROUNDS_AT_REST:
            return now
        pixels = now
    raise AssertionError(f"{view} never came to rest")


def overlay_colours(pixels: NDArray[np.uint8]) -> float:
    """Share of pixels in the colours of uncertainty: red over orange to yellow, never grey, blue or green."""
    red, green, blue = (pixels[..., n].astype(int) for n in range(3))
    return float(((red > 90) & (red - blue > 60) & (red > green - 5)).mean())


def wait_for_glow(page: Any, view: str, low: float, high: float = 1.0) -> float:
    """Until the share of uncertainty in a view lies in low..high; that share."""
    share = -1.0
    for _ in range(PATIENCE // 100):
        share = overlay_colours(picture(page, view))
        if low <= share <= high:
            return share
        page.wait_for_timeout(100)
    raise AssertionError(f"{view} glows in {share:.4f} of its pixels, expected {low} to {high}")


def wait_for_mirror(leading: Any, mirroring: Any, view: str) -> None:
    """Until both windows show pictures of one size."""
    shapes: tuple[Any, ...] = ()
    for _ in range(PATIENCE // 100):
        shapes = (picture(leading, view).shape, picture(mirroring, view).shape)
        if shapes[0] == shapes[1]:
            return
        leading.wait_for_timeout(100)
    raise AssertionError(f"pictures of {view} differ in size: {shapes}")


def brain() -> Any:
    """The hippocampi of the demo's template with some brain around them: a scan that segments within a second."""
    from SUREUncertaintyLib.core.roi import Roi, roi_grid, roi_slices
    from SUREUncertaintyLib.core.volume import Volume
    from SUREUncertaintyLib.files.demo_input import demo_scan

    whole = demo_scan()
    part = Roi("part", (-52.0, -60.0, -44.0), (52.0, 14.0, 20.0))
    array = np.ascontiguousarray(whole.array[roi_slices(whole.grid, part)])
    return Volume(array, roi_grid(whole.grid, part), "brain")


def write_example(folder: Path) -> tuple[Path, Path]:
    """A scan ``brain.nrrd`` and a folder ``result`` in ``folder``, made as ``sure segment`` does."""
    from SUREUncertaintyLib.files.demo_input import ROIS
    from SUREUncertaintyLib.files.writing import write_volume

    scan = brain()
    write_volume(scan, folder / "brain.nrrd")
    return folder / "brain.nrrd", write_result(scan, ROIS, folder / "result")


def write_result(scan: Any, rois: Any, folder: Path, model: str = "hippocampus-t1") -> Path:
    """A folder of results with a scene, without pictures and report."""
    from SUREUncertaintyLib.mrml.scene_addition import add_scene
    from SUREUncertaintyLib.packages.catalogue import find_package
    from SUREUncertaintyLib.report.result_folder import OutputOptions
    from SUREUncertaintyLib.report.segment_to_folder import Job, run_job

    job = Job(scan, find_package(model), folder, rois, wanted=OutputOptions(pictures=False, page=False))
    run_job(job, (add_scene,))
    return folder


def text_of(page: Any, selector: str, part: str) -> str:
    """Wait until an element holds a text; all of it."""
    found = page.locator(selector).filter(has_text=part)
    found.wait_for()
    return str(found.inner_text())


def state_of(page: Any, name: str) -> Any:
    """An entry of the state, as the page has it."""
    return page.evaluate("name => trame.state.get(name)", name)


def wait_for_state(page: Any, name: str, value: Any) -> None:
    """Until an entry of the state is ``value``; a failure tells the page's message, which says why."""
    from playwright.sync_api import TimeoutError as TooLate

    try:
        page.wait_for_function("([name, value]) => trame.state.get(name) === value", arg=[name, value])
    except TooLate:
        told = {key: state_of(page, key) for key in (name, "message", "busy", "title")}
        raise AssertionError(f"{name} is not {value!r}: {told}") from None
