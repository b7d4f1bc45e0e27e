"""Journey 20: import a model from a folder, see its card, run it, remove it."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import shutil
import tempfile
from pathlib import Path

from journey import Stopwatch, add_phantom, answer_with, finish, measured, open_module, parameters, wait_until


def journey():
    """A copy of a package that comes with the program, under another name."""
    from SUREUncertaintyLib.packages.catalogue import find_package, user_folder
    from SUREUncertaintyLib.packages.package import load_package
    from SUREUncertaintyLib.packages.package_building import amend_package

    folder = Path(tempfile.mkdtemp(dir=os.environ.get("SURE_JOURNEY_FOLDER")))
    os.environ["SURE_MODELS"] = str(folder / "models")
    shutil.copytree(find_package("hippocampus-t1").root, folder / "brought")
    amend_package(load_package(folder / "brought"), {"name": "brought"})
    widget = open_module()
    add_phantom(widget)
    answer_with(widget, folder / "brought")
    with Stopwatch("import"):
        widget.ui.importModelButton.click()
        wait_until(lambda: (user_folder() / "brought").is_dir() and parameters(widget).model == "brought")
    measured("said", widget.ui.setupLabel.text)
    assert "brought" in widget.ui.modelCardText.plainText


if __name__ == "__main__":
    finish(journey)
