"""What every journey needs: the open module, a scan, waiting without blocking the window, and an exit code."""

import os
import sys
import time
import traceback
from importlib.util import find_spec

import slicer

RUN_SECONDS = 300.0
MODEL = os.environ.get("SURE_JOURNEY_MODEL", "hippocampus-t1")
"""What journeys on the phantom run: of the models that ship, the one that finds something in it."""

PAUSE_SECONDS = 0.02


class Skip(Exception):
    """What a journey needs is not here; the text says what."""


def need_packages(*names):
    """Skip the journey, in words that ``make test-slicer-python`` knows, where Slicer's Python lacks one of them."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise Skip(f"not in this Slicer's Python: {', '.join(missing)}")


def open_module():
    """The module's widget, in front."""
    slicer.util.selectModule("SUREUncertainty")
    return slicer.modules.SUREUncertaintyWidget


def parameters(widget):
    """The settings in the scene."""
    return widget._parameterNode


def pump():
    """Let the application work for a moment."""
    slicer.app.processEvents()
    time.sleep(PAUSE_SECONDS)


def measured(what, value):
    """Print what a journey measured; ``run_journeys.py`` repeats such lines."""
    print(f"journey note: {what}: {value}", flush=True)


class Stopwatch:
    """``with Stopwatch(what):`` prints how long the block took."""

    def __init__(self, what):
        self.what = what

    def __enter__(self):
        self._begun = time.monotonic()
        return self

    def __exit__(self, *failure):
        if failure[0] is None:
            measured(self.what, f"{time.monotonic() - self._begun:.1f} s")


def put_crosshair(widget, ras):
    """Put the crosshair where Shift and the mouse would, RAS mm."""
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if node is None:  # a scene without views has none: the desktop is asked instead
        widget.panel.context.desktop.crosshair = lambda: ras
    else:
        node.SetCrosshairRAS(*ras)


def choose_model(widget, name):
    """Choose a model by its name."""
    parameters(widget).model = name
    widget.panel.input.update()


def answer_with(widget, path):
    """Answer the next questions for a folder with a path."""
    widget.panel.context.desktop.choose_folder = lambda title: path


def wait_until(condition, seconds=RUN_SECONDS):
    """Work until the condition holds; an assertion fails after ``seconds``."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        pump()


def add_phantom(widget):
    """The phantom as the input, with the box of its left body as the region; the volume node."""
    choose_model(widget, MODEL)
    widget.ui.phantomButton.click()
    return parameters(widget).inputVolume


def run_and_wait(widget):
    """Press Run and wait for the end; the result's nodes, None without a result."""
    widget.ui.runButton.click()
    wait_until(lambda: not widget.panel.runs.is_running)
    return widget.panel.context.published()


def started(widget):
    """Press Run and come back while the worker computes."""
    widget.ui.runButton.click()
    assert widget.panel.runs.is_running, widget.ui.statusLabel.text


def write_dicom(node, folder):
    """A volume node as a DICOM series, one file a slice."""
    import SimpleITK as sitk
    from SUREUncertaintyLib.core.resampling import to_itk
    from SUREUncertaintyLib.mrml.volume_nodes import volume_from_node

    image = sitk.Cast(to_itk(volume_from_node(node)), sitk.sitkInt16)
    folder.mkdir()
    root = "1.2.826.0.1.3680043.10.2"
    shared = {"0008|0060": "MR", "0008|0016": "1.2.840.10008.5.1.4.1.1.4", "0008|103e": "Phantom", "0020|0011": "1"}
    shared |= {"0020|000d": f"{root}.1", "0020|000e": f"{root}.2", "0020|0052": f"{root}.3", "0010|0010": "Phantom"}
    shared |= {"0010|0020": "SURE", "0008|0020": "20260101", "0008|0030": "120000"}
    cosines = image.GetDirection()
    along = "\\".join(f"{value:.9f}" for value in (*cosines[0::3], *cosines[1::3]))
    for number in range(image.GetSize()[2]):
        part = image[:, :, number : number + 1]
        place = "\\".join(f"{value:.9f}" for value in image.TransformIndexToPhysicalPoint((0, 0, number)))
        own = {"0020|0013": str(number + 1), "0020|0032": place, "0020|0037": along, "0008|0018": f"{root}.4.{number}"}
        for key, value in {**shared, **own}.items():
            part.SetMetaData(key, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetImageIO("GDCMImageIO")
        writer.SetFileName(str(folder / f"{number:03d}.dcm"))
        writer.Execute(part)


def load_dicom(widget, folder):
    """Import a folder into the DICOM database of this session and load its first series; the volume node.

    A Slicer without the DICOM module reads the series with our own reader; where its files lie is then told by hand.
    """
    try:
        import DICOMLib.DICOMUtils as utils
    except ImportError:
        from SUREUncertaintyLib.files.reading import read_volume
        from SUREUncertaintyLib.mrml.volume_nodes import add_volume

        print("journey note: this Slicer has no DICOM module; the series was read without its database")
        widget.panel.context.desktop.dicom_files = lambda scan: sorted(folder.iterdir())
        return add_volume(slicer.mrmlScene, read_volume(folder))
    utils.openTemporaryDatabase()
    utils.importDicom(str(folder))
    patient = slicer.dicomDatabase.patients()[0]
    return slicer.mrmlScene.GetNodeByID(utils.loadPatientByUID(patient)[0])


def finish(journey):
    """Run a journey and end the application with its exit code."""
    import slicer.testing

    try:
        with Stopwatch("took"):
            journey()
    except Skip as reason:
        print(f"journey skipped: {reason}")
        slicer.testing.exitSuccess()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        slicer.testing.exitFailure("journey failed")
    else:
        slicer.testing.exitSuccess()
