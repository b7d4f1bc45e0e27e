"""Folds and mirrored copies as a person chooses them in panel and page: what is offered, and what the worker runs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from needed_torch import torch  # noqa: F401 - packages of nnU-Net are built with it
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine_choice import create_member_engine
from SUREUncertaintyLib.inference.native.choice import parse_choice
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.inference.session import LiveSession
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.presenters.passes import applied_passes, passes_entries
from SUREUncertaintyLib.worker.client import WorkerClient

LONG = 120


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Two folds, with the mirrors of nnU-Net, beside nothing else in the user's folder."""
    from fit_scans import imported_nnunet

    found = imported_nnunet(tmp_path / "own", "plain", 2)
    monkeypatch.setenv("SURE_MODELS", str(found.root.parent))
    return found


def test_every_choice_is_named_with_its_cost(package: Package, tiny_package: Package) -> None:
    pipeline = package.metadata.pipeline
    assert pipeline is not None
    copies = len(pipeline.mirrorings)
    assert copies > 1
    assert passes_entries(package.metadata, str) == {
        "all": f"All: {2 * copies} passes",
        "folds": "Not mirrored: 2 passes",
        "mirrors": f"One fold: {copies} passes",
        "one": "One pass",
    }
    assert (applied_passes(package.metadata, "one"), applied_passes(tiny_package.metadata, "one")) == ("one", "all")
    assert passes_entries(tiny_package.metadata, str) == passes_entries(None, str) == {}


def test_the_worker_runs_the_passes_that_were_chosen(package: Package, tmp_path: Path) -> None:
    from fit_scans import write_scans

    scan = read_volume(next(write_scans(tmp_path / "scans", "plain", 1).iterdir()))
    engine = create_member_engine(package, "openvino", threads=1, choice=parse_choice("0", "none"))
    expected = segment(scan, package, engine)
    with WorkerClient() as client:
        client.load(package.root, "openvino", threads=1, passes="one").wait(LONG)
        one = client.segment(scan).wait(LONG)
        client.load(package.root, "openvino", threads=1).wait(LONG)
        every = client.segment(scan).wait(LONG)
    assert np.array_equal(one.uncertainty.array, expected.uncertainty.array)
    assert not np.array_equal(every.uncertainty.array, expected.uncertainty.array)
    assert (one.members is None, every.members is None) == (True, False)
    with pytest.raises(InputError, match="no passes 'few'"):
        LiveSession(package, "openvino", threads=1, passes="few")


def test_the_panel_offers_them_and_asks_for_what_was_chosen(
    package: Package, opened: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opened_module import add_scan, page_beside

    monkeypatch.setenv("SURE_MODELS", str(package.root.parent))
    panel, ui = opened.widget.panel, opened.ui
    panel.input.refresh_models()
    panel.context.parameters.inputVolume = add_scan(opened)
    panel.context.parameters.model = package.name
    panel.input.update()
    assert (ui.passesSelector.visible, ui.labelPasses.visible) == (True, True)
    assert panel.input.request().passes == "all"
    ui.passesSelector.setCurrentIndex(ui.passesSelector.findData("one"))
    assert panel.input.request().passes == "one"
    panel.context.parameters.model = "hippocampus-t1"
    panel.input.update()
    assert (ui.passesSelector.visible, panel.input.request().passes) == (False, "all")
    page = page_beside(opened)
    page.state.scan, page.state.model = panel.context.parameters.inputVolume.GetID(), package.name
    page.input.update()
    assert [one["id"] for one in page.state.passes_choices] == ["all", "folds", "mirrors", "one"]
    page.state.passes = "mirrors"
    assert page.input.request().passes == "mirrors"
    page.state.model = "hippocampus-t1"
    page.input.update()
    assert (page.state.passes_choices, page.state.passes) == ([], "all")


@pytest.mark.parametrize("taken", [True, False])
def test_a_map_that_a_fit_added_is_what_the_next_run_shows(
    taken: bool, package: Package, opened: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head reads one pass; a fit that kept the network's own map changes nothing."""
    from test_fit_network import with_head

    monkeypatch.setenv("SURE_MODELS", str(package.root.parent))
    panel = opened.widget.panel
    panel.input.refresh_models()
    panel.context.parameters.model = package.name
    if taken:
        with_head(package, tmp_path, 1.0)
    panel.fit.show_fitted({"sentence": "", "page": "", "left_out": [], "model": package.name})
    assert panel.context.parameters.passes == ("one" if taken else "all")
