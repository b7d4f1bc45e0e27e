"""The journeys of Testing/Slicer, run here on real MRML nodes and a real worker with stand-ins for the desktop.

They are written for a real Slicer, where ``Testing/Slicer/run_journeys.py`` runs them; here they must at least work.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import slicer
import slicer.util
from slicer_names import ROOT
from slicer_stub import desktop_slicer
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.mrml.archive import read_mrb, write_mrb
from SUREUncertaintyLib.mrml.volume_nodes import add_volume
from SUREUncertaintyLib.packages.package import Package

FOLDER = ROOT / "Testing" / "Slicer"
JOURNEYS = sorted(path.stem for path in FOLDER.glob("journey_*.py"))

pytestmark = pytest.mark.filterwarnings("error::UserWarning")


@pytest.fixture
def session(tmp_path: Path, tiny_package: Package, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The module with the tiny package as its only model of the user, and what journeys ask of the application."""
    monkeypatch.setenv("SURE_MODELS", str(tiny_package.root.parent))
    monkeypatch.setenv("SURE_JOURNEY_FOLDER", str(tmp_path))
    monkeypatch.setenv("SURE_JOURNEY_MODEL", "tiny")
    monkeypatch.syspath_prepend(str(FOLDER))
    with desktop_slicer(tmp_path) as here:
        widget = here.module.SUREUncertaintyWidget()
        widget.setup()
        widget._parameterNode.model = "tiny"
        monkeypatch.setattr(slicer, "modules", SimpleNamespace(SUREUncertaintyWidget=widget), raising=False)
        monkeypatch.setattr(slicer.util, "selectModule", lambda name: None)
        monkeypatch.setattr(slicer.util, "saveScene", lambda path: write_mrb(slicer.mrmlScene, Path(path)) or True)
        monkeypatch.setattr(slicer.util, "loadScene", lambda path: read_mrb(slicer.mrmlScene, Path(path)))
        here.widget = widget
        yield here
        widget.cleanup()


def play(session: SimpleNamespace, name: str, monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> None:
    for loaded in [loaded for loaded in sys.modules if loaded.startswith("journey")]:
        monkeypatch.delitem(sys.modules, loaded)
    shared = importlib.import_module("journey")
    monkeypatch.setattr(shared, "pump", session.desktop.tick)
    monkeypatch.setattr(shared, "load_dicom", partial(load_dicom, session))
    script = importlib.import_module(name)
    if hasattr(script, "pump"):
        monkeypatch.setattr(script, "pump", session.desktop.tick)
    try:
        script.journey(**arguments)
    except shared.Skip as reason:
        pytest.skip(str(reason))


def test_the_suite_without_pytorch_expects_what_journeys_say_of_missing_packages(
    session: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = importlib.import_module("journey")
    monkeypatch.setattr(shared, "find_spec", lambda name: None)
    expected = re.search(r'SURE_EXPECTED_SKIPS="(.+?)"', (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert expected is not None
    with pytest.raises(shared.Skip) as said:
        shared.need_packages("torch", "onnx")
    assert re.search(expected[1], str(said.value))
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("journey_*.py")}
    assert [name for name, text in scripts.items() if 'find_spec("torch' in text] == []


def load_dicom(session: SimpleNamespace, widget: Any, folder: Path) -> Any:
    """What Slicer's DICOM database does, for one series."""
    session.desktop.dicom = sorted(folder.iterdir())
    return add_volume(slicer.mrmlScene, read_volume(folder))


@pytest.mark.parametrize("name", [name for name in JOURNEYS if "_05b_" not in name])
def test_journey(session: SimpleNamespace, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = {"sliding_seconds": 1.0} if "_03_" in name else {}
    play(session, name, monkeypatch, **arguments)
    refused = name.startswith(("journey_06", "journey_07"))
    assert bool(session.desktop.errors) == refused
    if "_05a_" in name:
        slicer.mrmlScene.Clear(0)
        play(session, "journey_05b_open", monkeypatch)


def test_every_journey_is_a_ctest() -> None:
    text = (ROOT / "Testing" / "CMakeLists.txt").read_text(encoding="utf-8")
    assert [line.strip() for line in text.splitlines() if line.strip().startswith("journey_")] == JOURNEYS


def test_the_module_s_own_self_test_passes(session: SimpleNamespace) -> None:
    session.module.SUREUncertaintyTest().runTest()
    assert session.desktop.errors == []
