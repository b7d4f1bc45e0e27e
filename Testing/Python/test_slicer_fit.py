"""Uncertainty for a model in the module: which models can be chosen, a stop that keeps what was found, and the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from opened_module import LIMIT_SECONDS, wait
from SUREUncertaintyLib.packages.package import Package, load_package


@pytest.fixture
def fitting(opened: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The opened module with a model that came from nnU-Net in the user's folder, and five scans for it."""
    from fit_scans import imported_nnunet, write_scans

    package = imported_nnunet(tmp_path / "own", "plain")
    monkeypatch.setenv("SURE_MODELS", str(package.root.parent))
    opened.package, opened.scans = package, write_scans(tmp_path / "scans", "plain", 5)
    opened.widget.panel.fit.refresh()
    return opened


def tick_until(opened: SimpleNamespace, condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT_SECONDS
    while not condition():
        opened.desktop.tick()
        assert time.monotonic() < limit, opened.ui.fitLabel.text


def test_models_that_ship_cannot_be_chosen_and_what_is_missing_is_said(
    opened: SimpleNamespace, tiny_package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, ui = opened.widget.panel.fit, opened.ui
    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "empty"))
    panel.refresh()
    panel.update()
    assert not ui.fitButton.enabled
    assert ui.fitButton.toolTip.startswith("Bring a model in first")
    monkeypatch.setenv("SURE_MODELS", str(tiny_package.root.parent))
    panel.refresh()
    panel.update()
    assert ui.fitModelSelector.findData("tiny") == 0
    assert ui.fitModelSelector.findData("hippocampus-t1") == -1
    assert "five or more of your own scans" in ui.fitButton.toolTip
    ui.fitFolder.currentPath = str(tmp_path)
    panel.update()
    assert ui.fitButton.enabled
    assert ui.fitButton.text == "Fit"


@pytest.mark.torch
def test_too_few_scans_are_said_and_a_fit_that_is_stopped_keeps_what_it_found(
    fitting: SimpleNamespace, tmp_path: Path
) -> None:
    panel, ui, before = fitting.widget.panel.fit, fitting.ui, fitting.package.fingerprint
    (tmp_path / "empty").mkdir()
    ui.fitFolder.currentPath = str(tmp_path / "empty")
    panel.update()
    ui.fitButton.click()
    wait(fitting)
    assert "needs at least 5 scans" in ui.fitLabel.text
    assert "needs at least 5 scans" in fitting.desktop.errors.pop()
    ui.fitFolder.currentPath = str(fitting.scans)
    panel.update()
    ui.fitButton.click()
    assert ui.fitButton.text == "Cancel"
    tick_until(fitting, lambda: "disturbed copies of scan" in ui.fitLabel.text)
    ui.fitButton.click()
    wait(fitting)
    assert ui.fitLabel.text.startswith("Stopped, and the model is as it was.")
    assert ui.fitButton.text == "Go on fitting"
    assert load_package(fitting.package.root).fingerprint == before


def test_the_end_says_what_came_of_it_and_the_next_run_reads_the_model_anew(
    opened: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel, ui, told = opened.widget.panel.fit, opened.ui, []
    monkeypatch.setattr(opened.widget.panel.bridge, "forget_model", lambda: told.append("forgotten"))
    answer = {"model": "tiny", "accepted": True, "sentence": "The head is taken.", "page": "/x/fit.html"}
    panel.show_fitted({**answer, "left_out": {"odd": "unlike"}})
    assert ui.fitLabel.text == "The head is taken. Report: /x/fit.html Left out: odd."
    assert told == ["forgotten"]


@pytest.mark.torch
def test_the_worker_s_answer_names_model_verdict_and_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fit_scans import QUICK, imported_nnunet, write_scans
    from SUREUncertaintyLib.core.progress import never, silent
    from SUREUncertaintyLib.fitting import fit
    from SUREUncertaintyLib.worker.fitting import fit_uncertainty

    monkeypatch.setattr(fit, "FitSettings", lambda: QUICK)
    package = imported_nnunet(tmp_path / "own", "plain")
    asked = {"model": str(package.root), "scans": str(write_scans(tmp_path / "scans", "plain", 5))}
    answer = fit_uncertainty({**asked, "output": str(tmp_path / "out")}, silent, never)
    assert answer["model"] == package.name
    assert answer["accepted"] is (load_package(package.root).metadata.fitted is not None)
    assert Path(answer["page"]).is_file()
    assert answer["left_out"] == {}
