"""A scan over time in the Slicer module: the check box comes with it, and Run gives curve, chart and fraction."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from beating import beating_ball, grey_engine, heart_package
from opened_module import add_scan, parameters, wait
from SUREUncertaintyLib.cine.segment_frames import segment_frames
from SUREUncertaintyLib.mrml.cine_frames import curve_chart, frames_browser, numbers_of, publish_cine
from SUREUncertaintyLib.mrml.nodes import REMEASURED, all_published
from SUREUncertaintyLib.mrml.scan_over_time import add_scan_over_time, browser_of
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.staging import copy_files
from SUREUncertaintyLib.presenters.result_sentences import shown_verdict


@pytest.fixture
def heart(opened: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """An untrained model of a cavity in the module's list, beside one without."""
    root = tmp_path / "models"
    package = heart_package(root / "beating", name="beating")
    copy_files(find_package("tiny").root, root / "tiny")
    monkeypatch.setenv("SURE_MODELS", str(root))
    opened.widget.panel.input.refresh_models()
    parameters(opened).model = "beating"
    return package


def choose_ball(opened: SimpleNamespace) -> Any:
    scan = add_scan_over_time(opened.scene, beating_ball())
    parameters(opened).inputVolume = scan
    return scan


def test_the_check_box_is_there_for_a_scan_over_time_only(opened: SimpleNamespace, heart: Package) -> None:
    box = opened.ui.allFramesCheckBox
    parameters(opened).inputVolume = add_scan(opened)
    assert not box.visible
    choose_ball(opened)
    assert box.visible


def test_it_is_ticked_for_a_model_of_a_cavity_and_stays_as_a_person_leaves_it(
    opened: SimpleNamespace, heart: Package
) -> None:
    choose_ball(opened)
    assert opened.ui.allFramesCheckBox.checked
    parameters(opened).model = "tiny"
    assert not opened.ui.allFramesCheckBox.checked
    opened.ui.allFramesCheckBox.checked = True
    parameters(opened).engine = "openvino"
    assert parameters(opened).allFrames
    parameters(opened).model = "beating"
    assert parameters(opened).allFrames


def test_run_measures_every_frame_and_shows_chart_and_frames(opened: SimpleNamespace, heart: Package) -> None:
    scan = choose_ball(opened)
    opened.ui.runButton.click()
    wait(opened)
    assert opened.desktop.errors == []
    published = opened.widget.panel.context.published()
    assert parameters(opened).inputVolume is scan
    assert published.chosen is scan
    numbers = numbers_of(published)
    assert numbers is not None
    assert len(numbers["frames"]) == 6
    assert opened.desktop.charts[-1] == (curve_chart(published),)
    steps = opened.ui.stepsSelector
    assert steps.itemData(steps.currentIndex) == frames_browser(published).GetName()
    assert opened.ui.stepSlider.maximum == 5.0
    assert f"End-diastole is frame {numbers['end_diastole']}" in opened.ui.noticesLabel.text
    assert browser_of(opened.scene, scan) is not frames_browser(published)


def test_without_the_tick_the_frame_that_is_shown_is_segmented(opened: SimpleNamespace, heart: Package) -> None:
    scan = choose_ball(opened)
    browser_of(opened.scene, scan).SetSelectedItemNumber(2)
    opened.ui.allFramesCheckBox.checked = False
    opened.ui.runButton.click()
    wait(opened)
    assert opened.desktop.errors == []
    published = opened.widget.panel.context.published()
    assert published.scan.GetName() == "ball frame 3"
    assert numbers_of(published) is None
    assert opened.desktop.charts == []


def test_back_at_the_scan_its_result_is_shown_again(opened: SimpleNamespace, heart: Package) -> None:
    scan = choose_ball(opened)
    cine = segment_frames(beating_ball(), heart, grey_engine())
    nodes = publish_cine(opened.scene, cine, scan)
    parameters(opened).inputVolume = add_scan(opened)
    assert parameters(opened).segmentation is None
    parameters(opened).inputVolume = scan
    assert parameters(opened).segmentation is nodes.published.segmentation


def test_fraction_and_volumes_stand_first_and_say_when_the_outline_was_edited(
    opened: SimpleNamespace, heart: Package
) -> None:
    cine = segment_frames(beating_ball(), heart, grey_engine())
    published = publish_cine(opened.scene, cine, choose_ball(opened)).published
    parameters(opened).segmentation = published.segmentation
    assert cine.ejection is not None
    text = opened.ui.noticesLabel.text
    assert f"Ejection fraction {100 * cine.ejection.fraction:.0f} % (90 % interval " in text
    assert "End-diastolic volume 38 ml (" in text
    assert "stroke volume " in text
    assert "changed by hand" not in text
    (result,) = all_published(opened.scene)
    result.structures.SetAttribute(REMEASURED, "1")
    shown = shown_verdict(result)
    assert shown is not None
    assert any("outline of end-diastole was changed by hand" in line for line in shown.volumes)


def test_tables_that_are_exported_hold_the_curve(opened: SimpleNamespace, heart: Package, tmp_path: Path) -> None:
    published = publish_cine(
        opened.scene, segment_frames(beating_ball(), heart, grey_engine()), choose_ball(opened)
    ).published
    parameters(opened).segmentation = published.segmentation
    opened.desktop.path = tmp_path
    for choice in ("csv", "nrrd"):
        opened.ui.exportSelector.setCurrentIndex(opened.ui.exportSelector.findData(choice))
        opened.ui.exportButton.click()
    assert opened.desktop.errors == []
    tables, volumes = (next(tmp_path.glob(f"*frame 0 {choice}")) for choice in ("csv", "nrrd"))
    assert len((tables / "curve.csv").read_text(encoding="utf-8").splitlines()) == 7
    assert json.loads((tables / "cine.json").read_text(encoding="utf-8")) == numbers_of(published)
    assert not (volumes / "curve.csv").exists()


def test_noise_works_on_end_diastole(opened: SimpleNamespace, heart: Package) -> None:
    scan = choose_ball(opened)
    published = publish_cine(opened.scene, segment_frames(beating_ball(), heart, grey_engine()), scan).published
    parameters(opened).segmentation = published.segmentation
    opened.ui.seriesButton.click()
    wait(opened)
    assert opened.desktop.errors == []
    assert opened.widget.panel.context.published() is not None
    assert browser_of(opened.scene, scan).GetSelectedItemNumber() == 0
