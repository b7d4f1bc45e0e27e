"""What a run will take is said before it, the same in panel, page and command line."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

# ruff: noqa: E402
slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from opened_module import page_beside, parameters, wait
from SUREUncertaintyLib.cli.foretelling import foretell
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.forecast import forecast
from SUREUncertaintyLib.mrml.volume_nodes import add_volume
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.presenters.cautions import cautions
from SUREUncertaintyLib.presenters.pace import Pace
from SUREUncertaintyLib.worker.failures import failure

LARGE = Grid((96, 96, 96))
WINDOWS = 11**3
"""Of 16 voxels that overlap by half."""


def large_scan(modality: str = "") -> Volume:
    array = np.random.default_rng(0).integers(0, 100, LARGE.shape).astype(np.int16)
    return Volume(array, LARGE, "large", modality)


class Worker:
    """Stands in for the bridge to the worker: keeps what was asked and how to answer."""

    def __init__(self) -> None:
        self.is_busy = False
        self.asked: list[tuple[str, str, str]] = []

    def pace(
        self, model: str, engine: str, passes: str, answer: Callable[[Any], None], fail: Callable[[Any], None]
    ) -> None:
        self.asked.append((model, engine, passes))
        self.answer, self.fail = answer, fail


def test_all_frames_of_a_scan_over_time_take_as_long_as_there_are_and_two_more() -> None:
    """End-diastole and end-systole run once more as whole results."""
    one = forecast(Grid((10, 256, 256), (1.4, 1.4, 8.0)), find_package("heart-lv-cine").metadata)
    assert one.of_frames(1) == one
    assert one.of_frames(25).windows == 27 * one.windows
    assert one.of_frames(25).memory_bytes == one.memory_bytes
    told = one.of_frames(25).sentences(180 / (27 * one.windows))
    assert any("3 min" in line for line in told), told


def test_the_pace_of_a_model_is_asked_once_and_again_only_after_a_run_came_in_between() -> None:
    worker, changes = Worker(), []
    pace = Pace(worker, lambda: True, lambda: changes.append(1))  # type: ignore[arg-type]
    assert pace.of("a", "auto") is None
    assert pace.of("a", "auto") is None
    assert worker.asked == [("a", "auto", "all")]
    worker.fail(failure("superseded"))
    assert pace.of("a", "auto") is None
    worker.answer({"seconds_a_window": 0.5})
    assert pace.of("a", "auto") == 0.5
    assert pace.of("a", "auto", "one") is None, "one pass takes another time"
    worker.fail(failure("out_of_memory"))
    assert pace.of("a", "auto", "one") is None
    assert (worker.asked, changes) == ([("a", "auto", "all"), ("a", "auto", "all"), ("a", "auto", "one")], [1])


def test_a_worker_that_is_busy_or_may_not_start_is_asked_nothing() -> None:
    worker = Worker()
    assert Pace(worker, lambda: False, lambda: None).of("a", "auto") is None  # type: ignore[arg-type]
    worker.is_busy = True
    assert Pace(worker, lambda: True, lambda: None).of("a", "auto") is None  # type: ignore[arg-type]
    assert worker.asked == []


def test_panel_page_and_command_line_say_the_same_about_time_and_memory(
    opened: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    node, package = add_volume(opened.scene, large_scan()), find_package("tiny")
    worker = Worker()
    monkeypatch.setattr(opened.widget.panel.bridge, "pace", worker.pace)
    parameters(opened).model, parameters(opened).inputVolume = "tiny", node
    assert f"This run needs {WINDOWS} windows of the network" in opened.ui.modelInfoLabel.text
    assert worker.asked == [("tiny", "auto", "all")]
    worker.answer({"seconds_a_window": 0.3})
    expected = f"This run takes about 7 min and 0.4 GB of memory ({WINDOWS} windows of the network)."
    assert expected in opened.ui.modelInfoLabel.text
    page = page_beside(opened)
    page.state.model = "tiny"
    page.input.choose_scan(node)
    worker.answer({"seconds_a_window": 0.3})
    assert page.state.cautions[-1].startswith(expected)
    monkeypatch.setattr("SUREUncertaintyLib.inference.forecast.seconds_a_window", lambda *_: 0.3)
    foretell(large_scan(), package, None, (), {})  # type: ignore[arg-type]
    assert f"Before the run: {expected}" in capsys.readouterr().err


def test_the_worker_measures_while_a_person_looks_and_a_run_of_a_moment_measures_nothing(
    opened: SimpleNamespace,
) -> None:
    parameters(opened).model, parameters(opened).inputVolume = "tiny", add_volume(opened.scene, large_scan())
    wait(opened)
    seconds = opened.widget.panel.pace.of("tiny", "auto")
    assert seconds is not None
    assert 0.0 < seconds < 60.0
    assert "minutes on a processor" not in opened.ui.modelInfoLabel.text
    assert forecast(Grid((30, 30, 30)), find_package("tiny").metadata).is_brief
    assert opened.desktop.errors == []


def test_another_modality_and_a_transform_are_said_before_the_run(opened: SimpleNamespace) -> None:
    metadata = find_package("hippocampus-t1").metadata
    ct = add_volume(opened.scene, large_scan("CT"))
    assert cautions(ct, metadata, ())[0].startswith("The scan 'large' is a CT scan, but this model was made for")
    low = Volume(large_scan().array - 2000, LARGE, "low", "MR")
    assert not any("air and lungs on CT" in text for text in cautions(add_volume(opened.scene, low), metadata, ()))
    moved = add_volume(opened.scene, Volume(large_scan().array + 1, LARGE, "moved"))
    moved.SetAndObserveTransformNodeID(opened.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode").GetID())
    assert "lies under the transform" in cautions(moved, metadata, ())[0]
