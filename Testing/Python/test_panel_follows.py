"""Panel and page follow what was chosen: cautions before a run, one run a double click, nothing of another scan."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

# ruff: noqa: E402
slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from opened_module import (
    add_scan,
    page_beside,
    parameters,
    run,
    wait,
)
from SUREUncertaintyLib.analysis import notice_texts as texts
from SUREUncertaintyLib.analysis.grey_values import GreyValues
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import (
    Grid,
    Volume,
)
from SUREUncertaintyLib.inference.forecast import forecast
from SUREUncertaintyLib.mrml.boxes import (
    add_roi_node,
    box_around,
    replace_suggested,
)
from SUREUncertaintyLib.mrml.located_boxes import show_located
from SUREUncertaintyLib.mrml.nodes import all_published
from SUREUncertaintyLib.mrml.volume_nodes import add_volume
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.metadata import Expected
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.presenters import suggested_regions
from SUREUncertaintyLib.presenters.cautions import cautions
from SUREUncertaintyLib.presenters.double_click import DoubleClick
from SUREUncertaintyLib.presenters.result_sentences import shown_verdict

BOXES = (Roi("Left", (-20, -20, -20), (-1, 20, 20)), Roi("Right", (1, -20, -20), (20, 20, 20)))


def test_a_forecast_counts_windows_and_memory_and_warns_as_the_run_would(tiny_package: Package) -> None:
    metadata = replace(tiny_package.metadata, expected=Expected(extent_mm=(10.0, 20.0)))
    grid = Grid((16, 16, 32))
    ahead = forecast(grid, metadata, (), GreyValues(-1000.0, 0.2))
    assert [notice.code for notice in ahead.notices] == [texts.HOUNSFIELD, texts.REGION_NEEDED]
    assert ahead.windows == 3  # 16 wide windows that overlap by half along 32 voxels
    assert ahead.memory_bytes == 350_000_000 + 16 * 16 * 32 * (4 * 7 + 24)
    long = "This run takes about 3 min and 0.4 GB of memory (3 windows of the network)."
    assert ahead.sentences(seconds_a_window=60.0)[-1].startswith(long)
    assert len(ahead.sentences(seconds_a_window=1.0)) == 2
    assert "minutes on a processor" in forecast(Grid((90, 90, 90)), metadata).sentences()[-1]
    huge = replace(ahead, memory_bytes=10**16)
    assert "10000000.0 GB of memory" in huge.sentences()[-1]
    boxed = forecast(grid, metadata, (Roi("a", (-15.0, -15.0, 0.0), (-1.0, -1.0, 14.0)),), GreyValues(0.0, 0.0))
    assert boxed.notices == ()


def test_a_second_click_is_known_by_time_and_request() -> None:
    now = [10.0]
    clicks = DoubleClick(lambda: now[0])
    assert not clicks.is_second("a")
    now[0] = 10.4
    assert clicks.is_second("a")
    assert not clicks.is_second("b")
    now[0] = 11.0
    assert not clicks.is_second("b")
    assert clicks.is_fresh()


def test_after_a_run_that_ended_at_once_the_next_click_is_a_new_one() -> None:
    clicks = DoubleClick(lambda: 0.0)
    assert not clicks.is_second("run")
    clicks.forget()
    assert not clicks.is_second("run")
    assert clicks.is_second("run")


def test_the_panel_says_before_the_run_what_speaks_against_it(opened: SimpleNamespace) -> None:
    parameters(opened).model = "tiny"
    parameters(opened).inputVolume = add_scan(opened)
    assert "\u26a0" not in opened.ui.modelInfoLabel.text
    ct = np.random.default_rng(0).integers(-1000, 500, (16, 18, 20)).astype(np.int16)
    parameters(opened).inputVolume = add_volume(opened.scene, Volume(ct, Grid(ct.shape), "abdomen"))
    assert "\u26a0 21% of the scan has the values of air and lungs on CT" in opened.ui.modelInfoLabel.text
    assert cautions(None, None, ()) == ()


HEAD = Grid((40, 44, 40), (5.0, 5.0, 5.0))
SEARCHES = "Without a region, Run searches the scan for the model's structures and analyses a box around each."


def head(opened: SimpleNamespace, lowest: float = 0.0) -> Any:
    """A scan of the size of a head, and the box of a structure in it."""
    array = np.random.default_rng(0).uniform(lowest, 100.0, HEAD.shape).astype(np.float32)
    return add_volume(opened.scene, Volume(array, HEAD, "head"))


def test_where_run_will_search_nothing_is_counted_and_no_region_asked_for(opened: SimpleNamespace) -> None:
    metadata = find_package("hippocampus-t1").metadata
    spacing, searches = cautions(head(opened), metadata, ())
    assert spacing.startswith("The voxel spacing of the scan (5.00 x 5.00 x 5.00 mm)"), (
        "what needs no box is still said"
    )
    assert searches == SEARCHES
    assert cautions(head(opened, -1000.0), metadata, ())[0].startswith("27% of the scan has the values of air")
    asked = cautions(head(opened), replace(metadata, locator=None), ())
    assert any("give a region" in text for text in asked), "a model that cannot search still asks for one"


def test_boxes_that_a_search_placed_are_what_panel_and_page_speak_of(opened: SimpleNamespace, page: Any) -> None:
    model, scan = "hippocampus-t1", head(opened)
    parameters(opened).model, parameters(opened).inputVolume = model, scan
    page.state.model = model
    page.input.choose_scan(scan)
    assert opened.ui.modelInfoLabel.text.count(SEARCHES) == 1
    assert page.state.cautions == list(cautions(scan, find_package(model).metadata, ()))
    middle = (HEAD.ijk_to_ras @ [19.5, 21.5, 19.5, 1.0])[:3]
    boxes = show_located(opened.scene, scan, model, (box_around(middle.tolist(), (36.0, 50.0, 40.0), "Left"),))
    opened.widget.panel.update()
    page.input.update()
    expected = cautions(scan, find_package(model).metadata, boxes)
    assert SEARCHES not in expected
    assert page.state.cautions == list(expected)
    assert [line[2:] for line in opened.ui.modelInfoLabel.text.splitlines() if line.startswith("\u26a0")] == [*expected]
    assert opened.widget.panel.input.request().region is boxes[0]


def test_a_double_click_on_run_starts_one_run_and_does_not_cancel_it(opened: SimpleNamespace) -> None:
    panel = opened.widget.panel
    panel.input.clicks.clock = lambda: 5.0
    parameters(opened).inputVolume, parameters(opened).model = add_scan(opened), "tiny"
    opened.ui.runButton.click()
    opened.ui.runButton.click()
    wait(opened)
    assert opened.ui.statusLabel.text.startswith("Done")
    assert len(all_published(opened.scene)) == 1


def test_with_another_scan_warnings_legend_map_and_noise_line_of_the_first_go(opened: SimpleNamespace) -> None:
    first = add_scan(opened)
    run(opened, first)
    (published,) = all_published(opened.scene)
    verdict = shown_verdict(published)
    assert verdict is not None
    assert verdict.word in opened.ui.noticesLabel.text
    assert verdict.meaning.endswith(".")  # numbers follow it, not the reasons that a colon would promise
    opened.ui.noiseLabel.text = "Gaussian, strength 0.30"
    array = np.random.default_rng(1).random((14, 18, 20), np.float32)
    second = add_volume(opened.scene, Volume(array, Grid(array.shape), "second"))
    parameters(opened).inputVolume = second
    assert opened.ui.noticesLabel.text == "There is no result yet. Press Run first."
    assert opened.ui.noiseLabel.text == ""
    assert parameters(opened).segmentation is None
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(published.uncertainty)
    assert not legend.GetVisibility()
    assert not published.segmentation.GetDisplayNode().GetVisibility()
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", opened.scene):
        assert composite.GetForegroundVolumeID() is None
    parameters(opened).inputVolume = first
    assert parameters(opened).segmentation is published.segmentation
    assert verdict.word in opened.ui.noticesLabel.text
    assert published.segmentation.GetDisplayNode().GetVisibility()


def test_suggest_replaces_its_own_boxes_and_leaves_drawn_ones(
    opened: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggested_regions, "locate", lambda *_: SimpleNamespace(rois=BOXES))
    add_roi_node(opened.scene, Roi("Mine", (0, 0, 0), (5, 5, 5)))
    parameters(opened).inputVolume = add_scan(opened)
    for _ in range(3):
        opened.ui.suggestRegionButton.click()
    nodes = slicer.util.getNodesByClass("vtkMRMLMarkupsROINode", opened.scene)
    assert sorted(node.GetName() for node in nodes) == ["Left", "Mine", "Right"]
    assert parameters(opened).region.GetName() == "Left"


@pytest.fixture
def page(opened: SimpleNamespace) -> Any:
    return page_beside(opened)


def test_the_page_says_cautions_replaces_suggested_boxes_and_takes_a_result_s_model(
    opened: SimpleNamespace, page: Any
) -> None:
    ct = np.random.default_rng(0).integers(-1000, 500, (16, 18, 20)).astype(np.int16)
    page.state.model = "tiny"
    page.input.choose_scan(add_volume(opened.scene, Volume(ct, Grid(ct.shape), "abdomen")))
    assert page.state.cautions[0].startswith("21% of the scan has the values of air")
    page.input.add_boxes(BOXES)
    page.input.add_boxes(BOXES)
    assert [box["name"] for box in page.state.regions] == ["Left", "Right"]
    assert page.state.region == "all"
    page.state.model = ""
    page.input.choose_model("tiny")
    page.input.choose_model("a model of somebody else")
    assert page.state.model == "tiny"


def test_the_page_starts_one_run_a_double_click(opened: SimpleNamespace, page: Any) -> None:
    from SUREUncertaintyLib.presenters.run_controller import RunRequest
    from SUREUncertaintyLib.view.run_part import RunPart

    started: list[Any] = []
    bridge = SimpleNamespace(segment=lambda *arguments: started.append(arguments), cancel=lambda: started.clear())
    part = RunPart(page.session, bridge, lambda published: None, lambda: None)  # type: ignore[arg-type]
    now = [100.0]
    part._clicks.clock = lambda: now[0]
    request = RunRequest(add_scan(opened), None, "tiny", "auto", 1.0)
    part.add(request)
    part.add(replace(request))
    part.cancel()
    assert len(started) == 1
    assert page.state.line == []
    now[0] = 102.0
    part.add(replace(request))
    assert len(page.state.line) == 1
    now[0] = 104.0
    part.cancel()
    assert started == []


def test_replaced_boxes_are_those_of_suggest_only(opened: SimpleNamespace) -> None:
    first = replace_suggested(opened.scene, BOXES)
    second = replace_suggested(opened.scene, BOXES[:1])
    assert second == first[:1]
    assert not opened.scene.IsNodePresent(first[1])
    assert second[0].GetAttribute("SURE.Suggested") == "Left"


def test_selectors_of_further_images_appear_as_the_model_asks(
    opened: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from SUREUncertaintyLib.ui import input_panel

    scan, other = add_scan(opened), add_scan(opened, "other")
    ui, panel = opened.ui, opened.widget.panel.input
    parameters(opened).inputVolume, parameters(opened).model = scan, "tiny"
    assert not ui.furtherSelector1.visible
    assert panel.request().channels == ()
    monkeypatch.setattr(input_panel, "further_names", lambda metadata: ("T2", "FLAIR"))
    panel.update()
    assert (ui.furtherLabel1.text, ui.furtherLabel2.text, ui.furtherSelector3.visible) == ("T2:", "FLAIR:", False)
    assert not ui.runButton.enabled
    assert "further images" in ui.runButton.toolTip
    parameters(opened).furtherVolume1 = parameters(opened).furtherVolume2 = other
    panel.update()
    assert ui.runButton.enabled
    assert panel.request().channels == (("T2", other), ("FLAIR", other))
