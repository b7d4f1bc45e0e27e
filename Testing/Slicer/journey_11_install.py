"""Journey 11: something is missing; declined, failed and accepted installations, and the repair button."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from journey import Skip, add_phantom, finish, open_module, run_and_wait


def journey():
    """OpenVINO is made to look missing, and Slicer's installer is a stand-in that answers as a person would."""
    try:
        from slicer import packaging
    except ImportError as error:
        raise Skip("only a Slicer from 5.12 on has slicer.packaging") from error
    from SUREUncertaintyLib.presenters import texts
    from SUREUncertaintyLib.ui import dependencies

    widget = open_module()
    add_phantom(widget)
    told, installed = [], []
    widget.panel.context.desktop.error = lambda text, details="": told.append(text)
    find_spec, pip_ensure = dependencies.find_spec, packaging.pip_ensure
    dependencies.find_spec = lambda name: None if name == "openvino" and not installed else find_spec(name)
    try:
        _decline(widget, packaging, told)
        _fail(widget, packaging, told)
        packaging.pip_ensure = lambda needed, **options: installed.append(True)
        assert run_and_wait(widget) is not None, widget.ui.statusLabel.text
    finally:
        dependencies.find_spec, packaging.pip_ensure = find_spec, pip_ensure
    widget.ui.installButton.click()
    assert widget.ui.setupLabel.text == texts.ALL_WORKS, widget.ui.setupLabel.text


def _decline(widget, packaging, told):
    asked = []
    packaging.pip_ensure = lambda needed, **options: asked.append((list(map(str, needed)), options))
    widget.ui.runButton.click()
    ((needed, options),) = asked
    assert any(name.startswith("openvino") for name in needed), needed
    assert "numpy==" in options["constraints"].read_text(encoding="utf-8")
    assert not widget.panel.runs.is_running
    assert "openvino" in widget.ui.statusLabel.text == told[-1]


def _fail(widget, packaging, told):
    def broken(needed, **options):
        raise RuntimeError("no network")

    packaging.pip_ensure = broken
    widget.ui.runButton.click()
    assert "no network" in widget.ui.statusLabel.text == told[-1]


if __name__ == "__main__":
    finish(journey)
