"""Journey 21: a cohort as a worklist: open it, decide about every case, take a decision back, find it again."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import shutil
import subprocess
import tempfile
from pathlib import Path

from journey import Skip, Stopwatch, answer_with, finish, measured, open_module

COMMAND = "import sys; from SUREUncertaintyLib.cli.app import main; sys.exit(main())"


def journey():
    """Two average brains, segmented by the model and written as *sure cohort* writes them."""
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("SURE_JOURNEY_FOLDER")))
    with Stopwatch("segmenting the cohort"):
        write_cohort(folder)
    widget = open_module()
    answer_with(widget, folder / "cohort")
    with Stopwatch("opening the worklist"):
        widget.ui.worklistOpenButton.click()
    assert "Case 1 of 2" in widget.ui.worklistProgressLabel.text, widget.ui.worklistProgressLabel.text
    with Stopwatch("a decision and the next case"):
        widget.ui.worklistAcceptButton.click()
    widget.ui.worklistPreviousButton.click()
    widget.ui.worklistUndoButton.click()
    assert "0 decided" in widget.ui.worklistProgressLabel.text, widget.ui.worklistProgressLabel.text
    for _ in range(2):
        widget.ui.worklistRejectButton.click()
    assert "2 decided" in widget.ui.worklistProgressLabel.text, widget.ui.worklistProgressLabel.text
    measured("written", ", ".join(sorted(path.name for path in (folder / "cohort").iterdir())))


def write_cohort(folder):
    """The folder of a cohort, by the command, which is no part of what Slicer installs.

    In a process of its own: the command makes a scene, and Slicer's plugins take every scene for the one that is open.
    """
    try:
        from SUREUncertaintyLib.cohort.run import run_cohort  # noqa: F401
    except ImportError:
        raise Skip("the command line, which writes cohorts, is not in this Slicer") from None
    import SUREUncertaintyLib
    from SUREUncertaintyLib.packages.catalogue import find_package

    (folder / "scans").mkdir()
    for name in ("a", "b"):
        shutil.copy(
            find_package("hippocampus-t1").root / "locator" / "template.nii.gz", folder / "scans" / f"{name}.nii.gz"
        )
    arguments = ["cohort", str(folder / "scans"), "--model", "hippocampus-t1", "--output", str(folder / "cohort")]
    library = Path(SUREUncertaintyLib.__file__).parents[1]
    paths = os.pathsep.join(filter(None, (str(library), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-c", COMMAND, *arguments, "--workers", "1"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    finish(journey)
