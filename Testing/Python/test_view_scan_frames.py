"""A scan over time in the page before and after it is measured: slider, tick, scans to choose, and Chromium."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

import view_page
from beating import beating_ball, grey_engine, heart_package
from heart_phantom import beating_heart, write_cine
from SUREUncertaintyLib.cine.cine_record import describe_cine
from SUREUncertaintyLib.cine.cine_sentences import fraction_sentence
from SUREUncertaintyLib.cine.segment_frames import segment_frames
from SUREUncertaintyLib.files.sequence_reading import read_sequence
from SUREUncertaintyLib.inference.openvino_engine import OpenVinoEngine
from SUREUncertaintyLib.mrml.cine_frames import publish_cine
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.scan_over_time import add_scan_over_time
from SUREUncertaintyLib.mrml.volume_nodes import add_volume, volume_from_node
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.view.input_part import InputPart
from SUREUncertaintyLib.view.scan_frames import ScanFrames
from test_view_frames import State


@pytest.fixture
def page() -> Iterator[SimpleNamespace]:
    with HeadlessScene() as headless:
        session = SimpleNamespace(state=State(), scene=headless.scene, stage=MagicMock(), segmentation=None)
        session.number = lambda name, low, high, usual: min(max(session.state[name], low), high)
        shown: list[Any] = []
        part = ScanFrames(session, shown.append)  # type: ignore[arg-type]
        scan = add_scan_over_time(headless.scene, beating_ball())
        yield SimpleNamespace(part=part, session=session, scan=scan, shown=shown)


def test_the_slider_follows_the_scan_and_the_scan_the_slider(page: SimpleNamespace) -> None:
    page.part.show(page.scan)
    assert (page.session.state.scan_frames, page.session.state.scan_frame) == (6, 0)
    page.session.state.scan_frame = 3
    page.part.update()
    assert np.array_equal(volume_from_node(page.scan).array, beating_ball().frames[3].array)
    page.session.stage.redraw.assert_called_once()
    page.session.state.scan_frame = 99
    page.part.update()
    assert np.array_equal(volume_from_node(page.scan).array, beating_ball().frames[5].array)
    assert page.shown == []


def test_a_result_of_another_frame_gives_way_to_the_scan(page: SimpleNamespace) -> None:
    page.part.show(page.scan)
    page.session.segmentation = object()
    page.part.update()
    assert page.shown == [], "the slider has not moved"
    page.session.state.scan_frame = 1
    page.part.update()
    assert page.shown == [page.scan]


def test_one_volume_has_no_slider(page: SimpleNamespace) -> None:
    page.part.show(add_volume(page.session.scene, beating_ball().frames[0]))
    assert page.session.state.scan_frames == 0
    page.part.update()
    page.session.stage.redraw.assert_not_called()


def test_the_scan_is_offered_once_and_no_copy_of_its_frame(page: SimpleNamespace, tmp_path: Path) -> None:
    package = heart_package(tmp_path / "heart")
    cine = segment_frames(beating_ball(), package, grey_engine())
    publish_cine(page.session.scene, cine, page.scan)
    part = SimpleNamespace(_session=page.session)
    assert InputPart.scans(part) == [page.scan]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def heart_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := view_page.why_not():
        pytest.skip(reason)
    path = tmp_path_factory.mktemp("cine") / "heart.nii.gz"
    write_cine(beating_heart(4, 96, 3), path)
    return path


@pytest.mark.browser
@pytest.mark.render
@pytest.mark.xdist_group("browser")
def test_a_4d_file_is_opened_run_and_its_curve_stepped_through(browser: Any, heart_file: Path, tmp_path: Path) -> None:
    package = find_package("heart-lv-cine")
    expected = segment_frames(read_sequence(heart_file), package, OpenVinoEngine(package, threads=1))
    faults: list[str] = []
    with view_page.Served([str(heart_file), "--folder", str(heart_file.parent)], tmp_path / "log") as served:
        page = view_page.open_page(browser, served.url)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.locator("#all-frames").wait_for()
        assert page.is_checked("#all-frames")
        before = view_page.resting_picture(page, "Red")
        page.fill("#scan-frame", "2")
        view_page.settle(page)
        assert (view_page.resting_picture(page, "Red") != before).any(), "another frame looks otherwise"
        page.click("#run")
        page.locator("#curve").wait_for()
        assert page.locator("#curve circle.frame").count() == 4
        shown = page.locator("#verdict").inner_text()
        assert fraction_sentence(describe_cine(expected)).rstrip(".") in shown
        assert f"End-diastole is frame {expected.phases[0] + 1}" in shown
        assert page.locator("#scan-frame").count() == 0, "the slider beside the curve has taken its place"
        with page.expect_download() as download:
            page.click("#download")
        with zipfile.ZipFile(download.value.path()) as archive:
            assert {"cine.json", "curve.csv", "scene.mrb"} <= set(archive.namelist())
        page.fill("#frame", "2")
        page.locator("#frame-text").filter(has_text="Frame 3 of 4").wait_for()
        assert page.locator("#scan option").all_inner_texts()[1:] == ["heart"]
        page.locator("#all-frames").uncheck()
        page.click("#run")
        page.locator("#frames").wait_for(state="detached")
        page.locator("#scan-frame").wait_for()
        page.close()
    assert faults == []
