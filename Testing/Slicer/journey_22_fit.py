"""Journey 22: a map of uncertainty for a network that was brought in: fit it on scans without labels, stop, go on."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "Python"))

import tempfile
from pathlib import Path

import slicer
from journey import Stopwatch, finish, measured, need_packages, open_module, parameters, run_and_wait, wait_until

SCANS = 5


def journey():
    """The small network of the tests, as nnU-Net writes it, and phantoms of the kind that it was trained on."""
    need_packages("torch", "safetensors", "onnx", "yaml", "pytest")
    from SUREUncertaintyLib.files.reading import read_volume
    from SUREUncertaintyLib.mrml.volume_nodes import add_volume
    from SUREUncertaintyLib.packages.package import load_package

    folder = Path(tempfile.mkdtemp(dir=os.environ.get("SURE_JOURNEY_FOLDER")))
    package = brought_in(folder)
    write_scans(folder / "scans")
    widget = open_module()
    panel, ui = widget.panel.fit, widget.ui
    panel.refresh()
    ui.fitFolder.currentPath = str(folder / "scans")
    panel.update()
    assert ui.fitButton.text == "Fit", ui.fitButton.toolTip
    ui.fitButton.click()
    wait_until(lambda: "disturbed copies of" in ui.fitLabel.text)
    ui.fitButton.click()
    wait_until(lambda: not panel.controller.is_running)
    assert ui.fitButton.text == "Go on fitting", ui.fitLabel.text
    assert load_package(package.root).fingerprint == package.fingerprint
    with Stopwatch("the rest of the fit"):
        ui.fitButton.click()
        wait_until(lambda: not panel.controller.is_running)
    measured("said", ui.fitLabel.text)
    assert "Report: " in ui.fitLabel.text, ui.fitLabel.text
    fitted = load_package(package.root)
    assert fitted.metadata.version != package.metadata.version
    parameters(widget).model = fitted.name
    widget.panel.input.update()
    parameters(widget).inputVolume = add_volume(slicer.mrmlScene, read_volume(folder / "scans" / "scan0.nii.gz"))
    assert run_and_wait(widget) is not None, ui.statusLabel.text


def brought_in(folder):
    """The network as the only model of the user."""
    from nnunet_folders import write_training
    from SUREUncertaintyLib.packages.importing import import_package

    os.environ["SURE_MODELS"] = str(folder / "own" / "models")
    return import_package(write_training(folder / "results", "plain", 1), "plain")


def write_scans(folder):
    """Phantoms of patients of their own."""
    from nnunet_phantoms import make_phantom
    from SUREUncertaintyLib.files.writing import write_volume

    folder.mkdir()
    for number in range(SCANS):
        (volume,) = make_phantom(900 + number, (26, 30, 28), (1.0, 1.0, 1.0), 1).volumes(["image"])
        write_volume(volume, folder / f"scan{number}.nii.gz")


if __name__ == "__main__":
    finish(journey)
