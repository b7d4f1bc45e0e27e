"""How a scan and the slice through its structures are first shown."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.mrml.camera_focus import Focus
from SUREUncertaintyLib.mrml.framing import frame_slice, slice_centre
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.uncertainty_nodes import set_threshold
from SUREUncertaintyLib.mrml.volume_nodes import add_volume


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


def test_the_grey_window_leaves_its_brightest_tones_to_the_map_and_no_share_to_air(scene: Any) -> None:
    array = np.zeros((20, 20, 20), np.int16)
    array[10:] = np.linspace(1, 1000, 4000).astype(np.int16).reshape(10, 20, 20)
    display = add_volume(scene, Volume(array, Grid(array.shape), "scan")).GetDisplayNode()
    low, high = np.percentile(array[array != 0], (1, 99.5))
    assert display.GetWindowLevelMin() == pytest.approx(low)
    assert display.GetWindowLevelMax() == pytest.approx(low + 1.2 * (high - low))


def test_a_slice_shows_where_most_of_the_structures_lies_not_their_middle() -> None:
    column = [(0.0, 0.0, float(s)) for s in range(21)]
    plate = [(float(r), float(a), 4.0) for r in range(-6, 11) for a in range(-3, 8)]
    focus = Focus(np.array([*column, *plate]), np.empty((0, 3)))
    assert slice_centre(focus, "Axial").tolist() == [2.0, 2.0, pytest.approx(4.0, abs=1.0)]
    assert slice_centre(focus, "Reformat").tolist() == [2.0, 2.0, 10.0]


@pytest.mark.parametrize(("size", "field"), [((200, 100), (100.0, 50.0)), ((100, 200), (50.0, 100.0))])
def test_a_slice_shows_the_extent_in_the_shorter_direction_too(
    scene: Any, size: tuple[int, int], field: tuple[float, float]
) -> None:
    node = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    frame_slice(node, size, np.array([1.0, 2.0, 3.0]), 50.0)
    assert node.GetFieldOfView()[:2] == pytest.approx(field)


def test_the_most_uncertain_voxels_of_a_band_are_drawn_in_spite_of_rounding(scene: Any) -> None:
    array = np.zeros((4, 4, 4), np.float32)
    node = add_volume(scene, Volume(array, Grid(array.shape), "map"))
    set_threshold(node, 0.3, 0.7)
    display = node.GetDisplayNode()
    assert display.GetLowerThreshold() == pytest.approx(0.3)
    assert np.float64(np.float32(0.7) * np.float32(1.0000001)) < display.GetUpperThreshold() < 0.71
