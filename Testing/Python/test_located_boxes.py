"""Boxes of a search in a scene: shown after a run without a region, movable, and taken by the next run as they lie."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer")
pytest.importorskip("vtk")

import slicer
from ball import ball_result
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.mrml.boxes import add_roi_node, place_roi, roi_from_node
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.located_boxes import located_nodes, show_located
from SUREUncertaintyLib.mrml.volume_nodes import add_volume
from SUREUncertaintyLib.presenters.run_controller import RunController, RunRequest

LEFT, RIGHT = Roi("Left", (-9.0, -8.0, -7.0), (-1.0, 8.0, 7.0)), Roi("Right", (1.0, -8.0, -7.0), (9.0, 8.0, 7.0))


class AnsweringBridge:
    """A worker that answers at once with a result whose regions a search found."""

    def __init__(self) -> None:
        self.asked: list[tuple[Roi, ...]] = []

    def segment(
        self,
        model: str,
        engine: str,
        volume: Any,
        rois: Any,
        progress: Any,
        done: Callable[[Any], None],
        fail: Any,
        channels: Any = None,
        passes: str = "all",
    ) -> None:
        self.asked.append(tuple(rois))
        done(replace(ball_result(), rois=(LEFT, RIGHT), image=volume))


class Quiet:
    """A view that fails the test when a run fails."""

    def show_progress(self, *arguments: Any) -> None: ...

    def show_result(self, *arguments: Any) -> None: ...

    def show_failure(self, why: Any) -> None:
        raise AssertionError(why)


def test_a_run_without_a_region_leaves_the_boxes_that_were_found() -> None:
    with HeadlessScene() as headless:
        scene = headless.scene
        scan = add_volume(scene, ball_result().image)
        bridge = AnsweringBridge()
        controller = RunController(bridge, lambda: scene, Quiet())  # type: ignore[arg-type]
        controller.start(RunRequest(scan, None, "m", "auto", 1.0))
        left, right = located_nodes(scene, scan, "m")
        assert (left.GetName(), right.GetName()) == ("Left", "Right")
        place_roi(left, Roi("Left", (-8.0, -8.0, -7.0), (0.0, 8.0, 7.0)))
        controller.start(RunRequest(scan, left, "m", "auto", 1.0, (right,)))
        assert bridge.asked[0] == ()
        assert bridge.asked[1][0].low == pytest.approx((-8.0, -8.0, -7.0))
        assert bridge.asked[1][1].high == pytest.approx(RIGHT.high)
        assert len(located_nodes(scene, scan, "m")) == 2


def test_boxes_of_another_scan_or_model_are_not_taken() -> None:
    with HeadlessScene() as headless:
        scene = headless.scene
        image = ball_result().image
        scan, other = add_volume(scene, image), add_volume(scene, replace(image, array=image.array + 1, name="other"))
        nodes = show_located(scene, scan, "m", (LEFT, RIGHT))
        assert located_nodes(scene, scan, "m") == nodes
        assert located_nodes(scene, other, "m") == []
        assert located_nodes(scene, scan, "n") == []
        assert np.allclose([node.GetSize() for node in nodes], (8.0, 16.0, 14.0))


def test_a_second_search_moves_the_boxes_of_the_first() -> None:
    """Two runs without a region may stand in line before the first one has found its boxes."""
    with HeadlessScene() as headless:
        scene = headless.scene
        scan = add_volume(scene, ball_result().image)
        drawn = add_roi_node(scene, Roi("Left", (-3.0, -3.0, -3.0), (3.0, 3.0, 3.0)))
        (of_another,) = show_located(scene, scan, "n", (LEFT,))
        controller = RunController(AnsweringBridge(), lambda: scene, Quiet())  # type: ignore[arg-type]
        for _ in range(2):
            controller.start(RunRequest(scan, None, "m", "auto", 1.0))
        left, right = located_nodes(scene, scan, "m")
        assert roi_from_node(left).low == pytest.approx(LEFT.low)
        assert roi_from_node(right).high == pytest.approx(RIGHT.high)
        moved = Roi("Left", (-10.0, -8.0, -7.0), (-2.0, 8.0, 7.0))
        assert show_located(scene, scan, "m", (moved,)) == [left]
        assert roi_from_node(left).low == pytest.approx(moved.low)
        assert located_nodes(scene, scan, "m") == [left]
        nodes = slicer.util.getNodesByClass("vtkMRMLMarkupsROINode", scene)
        assert sorted(node.GetID() for node in nodes) == sorted(node.GetID() for node in (drawn, of_another, left))
