"""A scan over time in a scene: as a sequence and back, measured whole or not at all; what is a person's stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

# ruff: noqa: E402
from beating import GRID, RADII_MM, beating_ball, grey_engine, heart_package
from SUREUncertaintyLib.cine.segment_frames import segment_frames
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.core.volume_sequence import VolumeSequence
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.mrml import cine_frames
from SUREUncertaintyLib.mrml.boxes import add_roi_node
from SUREUncertaintyLib.mrml.cine_frames import frames_browser, numbers_of, publish_cine
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import all_published
from SUREUncertaintyLib.mrml.rollback import node_ids
from SUREUncertaintyLib.mrml.scan_over_time import add_scan_over_time, browser_of, sequence_from_node, show_frame
from SUREUncertaintyLib.mrml.sequences import Track, add_browser
from SUREUncertaintyLib.mrml.volume_nodes import volume_from_node
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.presenters.run_controller import RunController, RunRequest


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return heart_package(tmp_path_factory.mktemp("heart") / "heart")


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


class Answering:
    """A worker that answers at once, of this process."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.asked: list[str] = []

    def segment(
        self, _model: str, _engine: str, volume: Volume, rois: Any, told: Any, done: Any, fail: Any, *further: Any
    ) -> None:
        self.asked.append(volume.name)
        done(segment(volume, self.package, grey_engine(), rois))

    def frames(
        self,
        _model: str,
        _engine: str,
        sequence: VolumeSequence,
        rois: Any,
        told: Any,
        done: Any,
        fail: Any,
        passes: str,
    ) -> None:
        self.asked.append(f"all of {sequence.name}")
        done(segment_frames(sequence, self.package, grey_engine(), rois, progress=told))


class View:
    """Keeps what a run reports."""

    published: Any = None
    failure: Any = None

    def __init__(self) -> None:
        self.told: list[str] = []

    def show_progress(self, _fraction: float, text: str, _elapsed: float) -> None:
        self.told.append(text)

    def show_result(self, _result: Any, published: Any, _seconds: float) -> None:
        self.published = published

    def show_failure(self, why: Any) -> None:
        self.failure = why


@pytest.fixture
def desk(scene: Any, package: Package) -> SimpleNamespace:
    worker, view = Answering(package), View()
    controller = RunController(worker, lambda: scene, view)  # type: ignore[arg-type]

    def run(scan: Any, all_frames: bool = True, region: Any = None, **changes: Any) -> Any:
        view.published = view.failure = None
        controller.start(RunRequest(scan, region, "heart", "auto", 0.5, all_frames=all_frames, **changes))
        return view.published

    return SimpleNamespace(scene=scene, worker=worker, view=view, run=run)


def test_a_scan_over_time_comes_back_from_its_sequence(scene: Any) -> None:
    ball = beating_ball()
    marked = replace(ball, frames=tuple(replace(frame, modality="MR", placed=False) for frame in ball.frames))
    scan = add_scan_over_time(scene, marked)
    found = sequence_from_node(browser_of(scene, scan), scan)
    assert found.times_ms == ball.times_ms
    assert [frame.name for frame in found.frames] == [f"ball frame {n}" for n in range(1, 7)]
    assert all(np.array_equal(a.array, b.array) for a, b in zip(found.frames, ball.frames, strict=True))
    assert found.grid.matches(GRID)
    assert {(frame.modality, frame.placed) for frame in found.frames} == {("MR", False)}


def test_the_slider_shows_another_frame(scene: Any) -> None:
    scan = add_scan_over_time(scene, beating_ball())
    show_frame(scene, scan, 3)
    assert np.array_equal(volume_from_node(scan).array, beating_ball().frames[3].array)
    show_frame(scene, scan, 99)
    assert browser_of(scene, scan).GetSelectedItemNumber() == 3


@pytest.mark.parametrize(
    ("unit", "values", "times"),
    [
        ("s", ("0.5", "0.75"), (0.0, 250.0)),
        (" MS ", ("10", "35.5"), (0.0, 25.5)),
        ("", ("1", "2"), ()),
        ("mm", ("1", "2"), ()),
    ],
)
def test_times_come_from_an_index_with_a_unit_of_time(
    scene: Any, unit: str, values: tuple[str, ...], times: tuple[float, ...]
) -> None:
    nodes = [cine_frames.volume_node_of(frame) for frame in beating_ball((20.0, 15.0)).frames]
    browser, (scan,) = add_browser(scene, "cine", "time", values, [Track("cine", nodes)])
    browser.GetMasterSequenceNode().SetIndexUnit(unit)
    assert sequence_from_node(browser, scan).times_ms == times


def test_a_volume_of_its_own_and_a_single_frame_have_no_browser(scene: Any) -> None:
    (frame, *_) = beating_ball().frames
    assert browser_of(scene, cine_frames.volume_node_of(frame)) is None
    _, (single,) = add_browser(scene, "one", "frame", ["1"], [Track("one", [cine_frames.volume_node_of(frame)])])
    assert browser_of(scene, single) is None
    assert browser_of(scene, None) is None


def test_frames_of_two_sizes_are_refused_with_their_number(scene: Any) -> None:
    first = beating_ball().frames[0]
    other = Volume(np.ones((4, 20, 22), np.float32), replace(GRID, shape=(4, 20, 22)))
    nodes = [cine_frames.volume_node_of(volume) for volume in (first, first, other)]
    browser, (scan,) = add_browser(scene, "cine", "frame", ["1", "2", "3"], [Track("cine", nodes)])
    with pytest.raises(InputError, match=r"Frame 3 of 'cine' lies on another grid .*22 x 20 x 4 against 44 x 40 x 8"):
        sequence_from_node(browser, scan)


def test_label_maps_over_time_are_no_scan(scene: Any) -> None:
    nodes = [slicer.vtkMRMLLabelMapVolumeNode() for _ in range(2)]
    browser, (labels,) = add_browser(scene, "labels", "frame", ["1", "2"], [Track("labels", nodes)])
    with pytest.raises(InputError, match="shows label maps, frame by frame, and no scan"):
        sequence_from_node(browser, labels)


def test_a_scan_that_a_transform_moves_over_time_is_refused_by_name(desk: SimpleNamespace) -> None:
    scan = add_scan_over_time(desk.scene, beating_ball())
    nodes = [slicer.vtkMRMLLinearTransformNode() for _ in range(2)]
    _, (transform,) = add_browser(desk.scene, "moves", "frame", ["1", "2"], [Track("motion", nodes)])
    scan.SetAndObserveTransformNodeID(transform.GetID())
    assert desk.run(scan) is None
    assert "lies under the transform 'motion'" in desk.view.failure.text


def test_all_frames_give_curve_and_fraction_and_leave_scan_and_browser_alone(desk: SimpleNamespace) -> None:
    scan = add_scan_over_time(desk.scene, beating_ball())
    show_frame(desk.scene, scan, 2)
    own = browser_of(desk.scene, scan)
    before = node_ids(desk.scene)
    published = desk.run(scan)
    assert desk.view.failure is None
    assert desk.worker.asked == ["all of ball"]
    assert desk.view.told[0].startswith("frame 1 of 6: ")
    assert published.chosen is scan
    assert published.scan is not scan
    assert np.array_equal(volume_from_node(published.scan).array, beating_ball().frames[0].array)
    numbers = numbers_of(published)
    assert numbers is not None
    assert (numbers["end_diastole"], numbers["end_systole"], len(numbers["frames"])) == (1, 4, 6)
    assert 0.0 < numbers["ejection"]["ejection_fraction"] < 1.0
    assert own.GetSelectedItemNumber() == 2
    assert np.array_equal(volume_from_node(scan).array, beating_ball().frames[2].array)
    assert frames_browser(published) is not own
    assert node_ids(desk.scene)[: len(before)] == before


def test_a_second_run_takes_the_place_of_the_first(desk: SimpleNamespace) -> None:
    scan = add_scan_over_time(desk.scene, beating_ball())
    first = desk.run(scan)
    count = {kind: len(slicer.util.getNodesByClass(kind, desk.scene)) for kind in KINDS}
    second = desk.run(scan)
    assert second.segmentation is first.segmentation
    assert {kind: len(slicer.util.getNodesByClass(kind, desk.scene)) for kind in KINDS} == count
    assert frames_browser(second).GetNumberOfItems() == len(RADII_MM)


KINDS = (
    "vtkMRMLSequenceNode",
    "vtkMRMLSequenceBrowserNode",
    "vtkMRMLScalarVolumeNode",
    "vtkMRMLSegmentationNode",
    "vtkMRMLTableNode",
    "vtkMRMLTextNode",
    "vtkMRMLPlotChartNode",
    "vtkMRMLPlotSeriesNode",
)


@pytest.mark.parametrize("earlier", [False, True])
def test_when_it_fails_the_scene_is_as_before(
    desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, earlier: bool
) -> None:
    scan = add_scan_over_time(desk.scene, beating_ball())
    published = desk.run(scan) if earlier else None
    before = node_ids(desk.scene)
    table = published.structures.GetTable().GetValue(0, 3).ToString() if earlier else ""

    def fail(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(cine_frames, "describe_cine", fail)
    assert desk.run(scan) is None
    assert desk.view.failure.kind == "out_of_memory"
    assert sorted(node_ids(desk.scene)) == sorted(before)
    if published is not None:
        (again,) = all_published(desk.scene)
        assert numbers_of(again) is not None
        assert frames_browser(again).GetNumberOfItems() == len(RADII_MM)
        assert again.structures.GetTable().GetValue(0, 3).ToString() == table


def test_one_frame_becomes_a_scan_of_its_own(desk: SimpleNamespace) -> None:
    scan = add_scan_over_time(desk.scene, beating_ball())
    show_frame(desk.scene, scan, 3)
    published = desk.run(scan, all_frames=False)
    assert desk.worker.asked == ["ball frame 4"]
    assert published.chosen is scan
    assert published.scan.GetName() == "ball frame 4"
    show_frame(desk.scene, scan, 0)
    assert np.array_equal(volume_from_node(published.scan).array, beating_ball().frames[3].array)
    assert numbers_of(published) is None


def test_a_frame_of_a_result_can_be_measured_again(desk: SimpleNamespace, package: Package) -> None:
    nodes = publish_cine(desk.scene, segment_frames(beating_ball(), package, grey_engine()))
    assert browser_of(desk.scene, nodes.scan) is nodes.browser
    assert desk.run(nodes.scan).chosen is nodes.scan


def test_two_boxes_and_further_images_are_refused_before_anything_runs(desk: SimpleNamespace) -> None:
    scan = add_scan_over_time(desk.scene, beating_ball())
    boxes = [add_roi_node(desk.scene, Roi(name, (-60, -60, 20), (10, 0, 80))) for name in ("a", "b")]
    assert desk.run(scan, region=boxes[0], further=(boxes[1],)) is None
    assert "measured in one region; 2 were given" in desk.view.failure.text
    assert desk.run(scan, channels=(("T2", scan),)) is None
    assert "several images" in desk.view.failure.text
    assert desk.worker.asked == []


def test_noise_works_on_the_frame_of_the_result_else_on_the_one_that_is_shown(desk: SimpleNamespace) -> None:
    scan = add_scan_over_time(desk.scene, beating_ball())
    request = RunRequest(scan, None, "heart", "auto", 0.5, all_frames=True)
    assert request.on_one_frame(desk.scene) == replace(request, all_frames=False)
    published = desk.run(scan)
    assert request.on_one_frame(desk.scene).scan is published.scan
    other = add_scan_over_time(desk.scene, beating_ball((20.0, 15.0)))
    assert replace(request, scan=other).on_one_frame(desk.scene).scan is other
