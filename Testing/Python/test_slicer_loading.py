"""How the Slicer module is loaded: what it imports and when, what a reload reads, what it registers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import slicer
from slicer_names import ROOT
from slicer_stub import import_module_file

pytestmark = pytest.mark.filterwarnings("error::UserWarning")


def library() -> dict[str, Any]:
    return {name: loaded for name, loaded in sys.modules.items() if name.split(".")[0] == "SUREUncertaintyLib"}


def test_importing_the_module_leaves_the_loaded_library_alone(opened: SimpleNamespace) -> None:
    """A script that holds classes of the library keeps them when Slicer, or anybody else, imports the module."""
    before = library()
    import_module_file()
    after = library()
    assert [name for name in before if after.get(name) is not before[name]] == []
    assert sys.modules["SUREUncertainty"].ModuleWidget is before["SUREUncertaintyLib.ui.module_widget"].ModuleWidget


def test_reload_reads_the_library_again(opened: SimpleNamespace) -> None:
    before, stand_in = library(), sys.modules["SUREUncertaintyLib.ui.desktop"]
    opened.widget.onReload()
    after = library()
    assert "SUREUncertaintyLib.ui.module_widget" in after
    assert [name for name in after if after[name] is before.get(name)] == []
    sys.modules["SUREUncertaintyLib.ui.desktop"] = stand_in
    again = sys.modules["SUREUncertainty"].SUREUncertaintyWidget()
    again.setup()
    assert type(again.panel) is not type(opened.widget.panel)
    again.cleanup()


def test_the_module_registers_its_samples_after_start_up(opened: SimpleNamespace) -> None:
    parent = SimpleNamespace()
    opened.module.SUREUncertainty(parent)
    assert parent.title == "SURE Uncertainty"
    assert parent.categories == ["Segmentation"]
    effects: list[str] = []
    handle = SimpleNamespace(setPythonSource=effects.append, self=lambda: SimpleNamespace(register=lambda: None))
    slicer.qSlicerSegmentEditorScriptedEffect = lambda parent: handle
    opened.app.startup[-1]()
    assert [sample["sampleName"] for sample in opened.samples] == ["SUREMRHead"]
    assert Path(effects[0]).is_file()
    assert Path(effects[0]).stem.endswith("Effect")


def test_opening_the_module_loads_no_slow_package() -> None:
    """Scientific packages wait for the first use, so that the panel is there at once."""
    code = (
        "import sys, tempfile; from pathlib import Path; sys.path.insert(0, 'Testing/Python')\n"
        "from slicer_stub import desktop_slicer\n"
        "with desktop_slicer(Path(tempfile.mkdtemp())) as session:\n"
        "    widget = session.module.SUREUncertaintyWidget(); widget.setup(); widget.cleanup()\n"
        "slow = {'scipy.ndimage', 'skimage', 'openvino', 'torch', 'matplotlib', 'highdicom'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {slow}' if slow else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
