"""Journey 18: every format of the list is written."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tempfile
from pathlib import Path

from journey import (
    Stopwatch,
    add_phantom,
    answer_with,
    finish,
    load_dicom,
    measured,
    open_module,
    parameters,
    run_and_wait,
    write_dicom,
)


def journey():
    """The result of a DICOM series, since DICOM objects refer to one."""
    from SUREUncertaintyLib.export.formats import CHOICES

    folder = Path(tempfile.mkdtemp(dir=os.environ.get("SURE_JOURNEY_FOLDER")))
    widget = open_module()
    write_dicom(add_phantom(widget), folder / "dicom")
    region = parameters(widget).region
    parameters(widget).inputVolume = load_dicom(widget, folder / "dicom")
    parameters(widget).region = region
    assert run_and_wait(widget) is not None, widget.ui.statusLabel.text
    answer_with(widget, folder)
    for choice in CHOICES:
        widget.ui.exportSelector.setCurrentIndex(widget.ui.exportSelector.findData(choice))
        with Stopwatch(f"export as {choice}"):
            widget.ui.exportButton.click()
        assert widget.ui.exportLabel.text.startswith("Exported to"), widget.ui.exportLabel.text
        (written,) = [path for path in folder.iterdir() if path.name.endswith(choice) and path.name != "dicom"]
        files = sorted(str(path.relative_to(written)) for path in written.rglob("*") if path.is_file())
        assert files
        measured(f"files as {choice}", ", ".join(files))


if __name__ == "__main__":
    finish(journey)
