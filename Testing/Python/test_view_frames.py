"""The page's slider over the frames of a scan over time, and its curve."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from beating import RADII_MM, beating_ball, grey_engine, heart_package
from SUREUncertaintyLib.cine.segment_frames import segment_frames
from SUREUncertaintyLib.mrml.cine_frames import CineNodes, publish_cine
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.steps import frame_nodes
from SUREUncertaintyLib.mrml.volume_nodes import volume_from_node
from SUREUncertaintyLib.view.frames_part import BOTTOM, TOP, FramesPart, picture_of
from two_blobs import two_blobs


class State(dict[str, Any]):
    """trame's state as far as the part uses it."""

    __getattr__ = dict.__getitem__

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


@pytest.fixture
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    package = heart_package(tmp_path_factory.mktemp("heart") / "heart")
    cine = segment_frames(beating_ball(), package, grey_engine())
    with HeadlessScene() as headless:
        nodes: CineNodes = publish_cine(headless.scene, cine)
        session = SimpleNamespace(state=State(opacity=0.7), scene=headless.scene, stage=MagicMock())
        session.number = lambda name, low, high, usual: min(max(session.state[name], low), high)
        yield SimpleNamespace(part=FramesPart(session), session=session, nodes=nodes, cine=cine)


def test_the_curve_and_the_frame_of_end_diastole_are_shown_first(page: SimpleNamespace) -> None:
    page.part.show(page.nodes.published)
    state = page.session.state
    assert state.cine["count"] == len(RADII_MM)
    assert state.cine_frame == 0
    assert state.frame_text == "Frame 1 of 6. 38 ml (32 to 50)."
    assert state.cine["axis"] == "ms"
    assert state.cine["ends"] == ["0", "300"]


def test_the_slider_brings_a_frame_into_the_views(page: SimpleNamespace) -> None:
    page.part.show(page.nodes.published)
    page.session.state.cine_frame = 3
    page.part.update()
    assert np.array_equal(volume_from_node(page.nodes.scan).array, page.cine.sequence.frames[3].array)
    assert page.session.state.frame_text.startswith("Frame 4 of 6. 9 ml")
    page.session.stage.redraw.assert_called()
    page.session.state.cine_frame = 99
    page.part.update()
    assert page.nodes.browser.GetSelectedItemNumber() == 5


def test_another_result_has_no_frames_and_hides_the_outline_of_the_last_one(page: SimpleNamespace) -> None:
    page.part.show(page.nodes.published)
    assert page.nodes.outline.GetDisplayNode().GetVisibility()
    page.part.show(publish(page.session.scene, two_blobs()))
    assert page.session.state.cine is None
    assert not page.nodes.outline.GetDisplayNode().GetVisibility()
    page.part.update()  # a late word of the slider finds nothing to do


def test_frames_that_are_stepped_through_are_no_scans(page: SimpleNamespace) -> None:
    assert {node.GetID() for node in frame_nodes(page.session.scene)} == {
        node.GetID() for node in (page.nodes.scan, page.nodes.uncertainty, page.nodes.outline)
    }


def test_points_lie_where_their_volumes_are_and_frames_below_usable_say_so() -> None:
    curve = {
        "frame": [1.0, 2.0, 3.0],
        "volume_ml": [80.0, 40.0, 0.0],
        "volume_low_ml": [70.0, 30.0, 0.0],
        "volume_high_ml": [80.0, 50.0, 10.0],
        "verdict": [0.0, 1.0, 2.0],
    }
    found = picture_of(curve)
    assert [point["y"] for point in found["points"]] == [TOP, (TOP + BOTTOM) / 2, BOTTOM]
    assert [point["status"] for point in found["points"]] == ["usable", "check", "do_not_use"]
    assert found["points"][1]["text"] == "40 ml (30 to 50). Check."
    assert [tick["text"] for tick in found["ticks"]] == ["0", "20", "40", "60", "80"]
    assert found["axis"] == "frame"
