"""Contours around what 10, 50 and 90 % of the samples mark: lines in slices, made when they are first shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
import slicer
from full_result import full_result
from SUREUncertaintyLib.mrml.contour_lines import has_contours, show_contours
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import published_nodes
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.removal import remove_result
from SUREUncertaintyLib.mrml.segmentation_nodes import labels_from_segmentation
from SUREUncertaintyLib.view.samples_part import SamplesPart
from test_view_frames import State
from two_blobs import two_blobs


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


def banded() -> Any:
    """Bands of the left blob that shrink from 1 to 3, and none of the other structures."""
    result = full_result()
    array = np.zeros(result.labels.grid.shape, np.uint8)
    array[2:8, 2:8, 2:8] = 1
    array[3:7, 3:7, 3:7] = 2
    array[4:6, 4:6, 4:6] = 3
    return replace(
        result, sampling=replace(result.sampling, bands={"left blob": result.labels.with_array(array, "bands")})
    )


def test_lines_are_nested_thin_to_thick_and_in_the_structures_colour(scene: Any) -> None:
    result = banded()
    published = publish(scene, result)
    assert has_contours(published)
    assert published.lines == {}
    show_contours(scene, published, True)
    lines = published_nodes(published.segmentation).lines
    assert [node.GetDisplayNode().GetSliceIntersectionThickness() for node in lines.values()] == [1, 2, 3]
    for band, node in lines.items():
        (name,) = node.GetSegmentation().GetSegmentIDs()
        segment = node.GetSegmentation().GetSegment(name)
        assert segment.GetName() == f"left blob {[10, 50, 90][band - 1]} %"
        assert segment.GetColor() == pytest.approx(result.label_set[0].color)
        drawn = labels_from_segmentation(node, result.labels.grid)
        assert int(drawn.sum()) == [6**3, 4**3, 2**3][band - 1]
        assert not node.GetDisplayNode().GetVisibility3D()


def test_the_answers_outline_makes_room_and_comes_back(scene: Any) -> None:
    published = publish(scene, banded())
    display = published.segmentation.GetDisplayNode()
    show_contours(scene, published, True)
    assert not display.GetVisibility2DOutline()
    show_contours(scene, published, False)
    assert display.GetVisibility2DOutline()
    assert not any(
        node.GetDisplayNode().GetVisibility() for node in published_nodes(published.segmentation).lines.values()
    )


def test_a_second_run_and_a_removal_leave_no_line_behind(scene: Any) -> None:
    published = publish(scene, banded())
    show_contours(scene, published, True)
    again = publish(scene, banded())
    assert again.lines == {}
    show_contours(scene, again, True)
    remove_result(scene, published_nodes(again.segmentation), with_scan=True)
    assert [
        node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene) if "contours" in node.GetName()
    ] == []


def test_a_result_without_samples_has_none(scene: Any) -> None:
    published = publish(scene, two_blobs())
    assert not has_contours(published)
    assert not has_contours(None)
    show_contours(scene, published, True)
    assert published_nodes(published.segmentation).lines == {}
    assert published.segmentation.GetDisplayNode().GetVisibility2DOutline()


def test_the_page_draws_those_of_the_shown_result_alone(scene: Any) -> None:
    first = publish(scene, banded())
    here = SimpleNamespace(state=State(), scene=scene, stage=MagicMock(), shown=first)
    here.published = lambda: here.shown
    here.number = lambda name, low, high, usual: min(max(here.state[name], low), high)
    part = SamplesPart(here)
    assert here.state.has_contours is True
    here.state.contours = True
    part.update()
    lines = published_nodes(first.segmentation).lines
    assert all(node.GetDisplayNode().GetVisibility() for node in lines.values())
    here.shown = publish(scene, replace(two_blobs(), provenance={"model": {"name": "other"}}))
    part.refresh()
    assert here.state.has_contours is False
    assert not any(node.GetDisplayNode().GetVisibility() for node in lines.values())
