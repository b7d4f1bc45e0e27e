"""Journey 24: a nodule on two scans, and how much it grew, with its range and the days between."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tempfile
from pathlib import Path

import numpy as np
import slicer
from journey import (
    Stopwatch,
    answer_with,
    choose_model,
    finish,
    measured,
    open_module,
    parameters,
    put_crosshair,
    run_and_wait,
)

DAYS = "180"


def add_ball(name, radius, seed):
    """A made-up CT with a ball in lung, blurred by about a voxel."""
    from SUREUncertaintyLib.core.volume import Grid, Volume
    from SUREUncertaintyLib.mrml.volume_nodes import add_volume

    grid = Grid((16, 96, 96), spacing=(0.7, 0.7, 1.5))
    k, j, i = (axis * size for axis, size in zip(np.indices(grid.shape), (1.5, 0.7, 0.7), strict=True))
    distance = np.sqrt((i - 33.6) ** 2 + (j - 33.6) ** 2 + (k - 12.0) ** 2)
    noise = np.random.default_rng(seed).normal(0, 20, grid.shape)
    scan = -850.0 + 890.0 / (1.0 + np.exp((distance - radius) / 0.5)) + noise
    return add_volume(slicer.mrmlScene, Volume(scan.astype(np.int16), grid, name))


def journey():
    """Both scans are run in one region; the later ball has 2.2 times the volume."""
    widget = open_module()
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("SURE_JOURNEY_FOLDER")))
    choose_model(widget, "lung-nodule-ct")
    assert not widget.ui.followButton.enabled
    for name, radius, seed in (("first CT", 5.0, 0), ("second CT", 6.5, 1)):
        parameters(widget).inputVolume = add_ball(name, radius, seed)
        if parameters(widget).region is None:
            put_crosshair(widget, (-33.6, -33.6, 12.0))
            widget.ui.placeRegionButton.click()
        with Stopwatch(f"run of {name}"):
            assert run_and_wait(widget) is not None, widget.ui.statusLabel.text
    assert widget.ui.followButton.enabled, widget.ui.followButton.toolTip
    widget.ui.followDaysEdit.setText(DAYS)
    with Stopwatch("comparison"):
        widget.ui.followButton.click()
    told = widget.ui.followLabel.text
    assert "grew by 25 % or more" in told, told
    assert "volume-doubling time" in told, told
    answer_with(widget, folder)
    widget.ui.followReportButton.click()
    (written,) = folder.glob("*follow-up*")
    assert (written / "report.html").is_file()
    measured("told", told)


if __name__ == "__main__":
    finish(journey)
