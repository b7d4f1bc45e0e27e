"""Pictures of Slicer's views: what the eye must find in them, counted in pixels."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from SUREUncertaintyLib.core.uncertainty_colours import uncertainty_colours
from SUREUncertaintyLib.mrml import opengl
from SUREUncertaintyLib.mrml.archive import write_mrb
from SUREUncertaintyLib.mrml.camera_focus import focus_of, fullest_slice
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.opengl import OpenGL, first_gl, pick_gl
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.views import BACKGROUND, direction_letters, legible
from two_blobs import two_blobs

LEGEND = (slice(0, 320), slice(800, 1000))
"""Rows and columns of the legend in a picture of 1000 x 800 pixels."""

SLICES = ("axial", "sagittal", "coronal")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NDArray[np.float64]]:
    """The four pictures of the phantom as (rows, columns, RGB) in 0..1; another, calm result is in the scene too."""
    calm = replace(faint(two_blobs()), provenance={"model": {"name": "calm"}})
    return draw(tmp_path_factory.mktemp("pictures"), calm, two_blobs())


def faint(result: Any) -> Any:
    """The same result with all uncertainty below the threshold."""
    return replace(result, uncertainty=result.uncertainty.with_array(result.uncertainty.array * np.float32(0.2)))


DRAW = """
import sys
from pathlib import Path
from SUREUncertaintyLib.mrml.pictures import draw_pictures
archive, folder, number = sys.argv[1:]
print(*draw_pictures(Path(archive), Path(folder), int(number)))
"""


def draw(folder: Path, *results: Any) -> dict[str, NDArray[np.float64]]:
    """Publish all results and draw the last, in a process of its own: VTK may crash."""
    gl = pick_gl()
    if gl is None:
        pytest.skip(opengl.MISSING)
    archive, pictures = folder / "scene.mrb", folder / "pictures"
    pictures.mkdir()
    with HeadlessScene() as headless:
        for result in results:
            publish(headless.scene, result)
        write_mrb(headless.scene, archive)
    command = [sys.executable, "-c", DRAW, str(archive), str(pictures), str(len(results) - 1)]
    drawn = subprocess.run(command, env=gl.environment(), capture_output=True, text=True, check=True).stdout.split()
    assert drawn == ["axial.png", "sagittal.png", "coronal.png", "3d.png"]
    return {Path(name).stem: np.asarray(Image.open(pictures / name).convert("RGB")) / 255 for name in drawn}


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


def share_near(picture: NDArray[np.float64], colour: tuple[float, ...], tolerance: float = 0.04) -> float:
    return float((np.abs(picture - colour).max(axis=-1) < tolerance).mean())


def overlay_share(picture: NDArray[np.float64]) -> float:
    """Share of pixels, legend aside, in the warm hues of the uncertainty map alone: red well over green and blue."""
    body = picture.copy()
    body[LEGEND] = 0
    red, green, blue = np.moveaxis(body, -1, 0)
    return float(((red > 0.45) & (red - blue > 0.15) & (red - green > 0.1)).mean())


@pytest.mark.render
@pytest.mark.parametrize("view", SLICES)
def test_a_slice_shows_contours_overlay_scan_and_background(drawn: dict[str, Any], view: str) -> None:
    picture = drawn[view]
    assert picture.shape == (800, 1000, 3)
    assert 0.005 < overlay_share(picture) < 0.3
    assert share_near(picture, (0.03, 0.03, 0.05), 0.02) > 0.0005, "outlines have a dark edge"
    grey = np.ptp(picture, axis=-1) < 0.02
    assert ((picture.mean(axis=-1) > 0.2) & grey).mean() > 0.05
    assert share_near(picture, (0.2, 0.7, 0.9), 0.02) + share_near(picture, (0.9, 0.3, 0.3), 0.02) > 0.0005


@pytest.mark.render
def test_the_dark_edge_is_drawn_over_the_coloured_line_whatever_happened_before() -> None:
    gl = pick_gl()
    if gl is None:
        pytest.skip(opengl.MISSING)
    command = [sys.executable, str(Path(__file__).with_name("drawn_order.py"))]
    told = subprocess.run(command, env=gl.environment(), capture_output=True, text=True, check=True).stdout
    lines = [line for line in told.splitlines() if line.endswith("]")]
    assert lines == 4 * ["first [3, 1]", "surfaces [3, 1]", "smoothed and back [3, 1]", "again [3, 1]"]


@pytest.mark.render
@pytest.mark.parametrize("view", [*SLICES, "3d"])
def test_every_picture_has_the_legend_in_the_colours_of_uncertainty(drawn: dict[str, Any], view: str) -> None:
    bar = drawn[view][90:260, 966:974]
    distance = np.abs(bar[:, :, None, :] - uncertainty_colours(64)).max(axis=-1)
    assert (distance.min(axis=-1) < 0.03).mean() > 0.5
    rows = bar[:, 4].mean(axis=-1)
    assert rows[:40].mean() > rows[-40:].mean() + 0.2


@pytest.mark.render
def test_the_3d_view_shows_both_structures_and_the_uncertainty_framed_on_a_dark_background(
    drawn: dict[str, Any],
) -> None:
    picture = drawn["3d"]
    assert 0.3 < share_near(picture, BACKGROUND, 0.02) < 0.9
    assert overlay_share(picture) > 0.02
    body = (np.abs(picture - BACKGROUND).max(axis=-1) > 0.1)[:640, :790]
    rows, columns = np.nonzero(body)
    assert np.ptp(rows) > 350
    assert columns.min() > 20


@pytest.mark.render
def test_nothing_found_and_no_uncertainty_over_the_threshold_gives_pictures_of_the_bare_scan(tmp_path: Path) -> None:
    result = faint(two_blobs())
    empty = replace(result, labels=result.labels.with_array(np.zeros_like(result.labels.array)))
    blue = replace(empty, label_set=tuple(replace(label, color=(0.2, 0.6, 0.9)) for label in empty.label_set))
    for name, picture in draw(tmp_path, blue).items():
        assert overlay_share(picture) < 1e-4, name
        if name in SLICES:
            assert (picture[100:700, 200:700].mean(axis=-1) > 0.2).mean() > 0.1, name


def test_a_window_class_that_does_not_exist_or_crashes_is_not_picked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opengl, "_PROBE", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert pick_gl() is None
    monkeypatch.setattr(opengl, "_PROBE", "import os; print(os.environ['VTK_DEFAULT_OPENGL_WINDOW'], 'llvmpipe')")
    monkeypatch.setenv("VTK_DEFAULT_OPENGL_WINDOW", "mine")
    assert pick_gl() == OpenGL("mine", "mine llvmpipe")
    assert first_gl() == OpenGL("mine", "")


def test_software_renderers_are_known_by_name() -> None:
    assert OpenGL("", "llvmpipe (LLVM 15.0.6, 256 bits)").is_software
    assert not OpenGL("", "NVIDIA H200/PCIe/SSE2").is_software
    environment = OpenGL("vtkEGLRenderWindow", "").environment({"A": "b"})
    assert environment == {"A": "b", "VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow"}
    assert OpenGL("", "").environment().items() <= dict(os.environ).items()


def test_the_fullest_slice_is_the_one_with_most_voxels() -> None:
    values = np.concatenate([np.linspace(0, 100, 101), np.full(50, 70.0)])
    assert fullest_slice(values) == pytest.approx(70, abs=2)
    assert fullest_slice(np.array([3.0, 3.5])) == 3.25


def test_the_focus_lies_on_the_structures_and_on_the_scan_without_any(scene: Any) -> None:
    result = two_blobs()
    focus = focus_of(publish(scene, result))
    assert len(focus.points) == (result.labels.array > 0).sum()
    assert ((focus.best >= focus.low) & (focus.best <= focus.high)).all()
    empty = replace(result, labels=result.labels.with_array(np.zeros_like(result.labels.array)))
    assert len(focus_of(publish(scene, empty)).points) == 8


def test_letters_name_the_patients_directions() -> None:
    assert direction_letters(np.array([-1.0, 0.0, 0.0])) == ("L", "R")
    assert direction_letters(np.array([0.0, 0.6, 0.8])) == ("SA", "IP")


def test_dark_names_are_lightened_and_light_ones_kept() -> None:
    assert np.mean(legible((0.1, 0.1, 0.2))) == pytest.approx(0.6)
    assert legible((0.9, 0.9, 0.3)) == (0.9, 0.9, 0.3)
