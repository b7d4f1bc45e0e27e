"""Journey 15: the model that draws samples, on a made-up CT: samples and levels are in the panel."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import numpy as np
import slicer
from journey import Stopwatch, choose_model, finish, measured, open_module, parameters, put_crosshair, run_and_wait


def journey():
    """A ball of 12 mm in lung: 20 plausible outlines to step through, and a map for each level."""
    from SUREUncertaintyLib.core.volume import Grid, Volume
    from SUREUncertaintyLib.mrml.chosen_map import map_names
    from SUREUncertaintyLib.mrml.volume_nodes import add_volume

    widget = open_module()
    grid = Grid((24, 160, 160), spacing=(0.7, 0.7, 1.5))
    k, j, i = (axis * size for axis, size in zip(np.indices(grid.shape), (1.5, 0.7, 0.7), strict=True))
    ball = (i - 56.0) ** 2 + (j - 56.0) ** 2 + (k - 18.0) ** 2 < 36.0
    noise = np.random.default_rng(0).normal(0, 20, grid.shape)
    scan = np.where(ball, 40.0, -850.0) + noise
    parameters(widget).inputVolume = add_volume(slicer.mrmlScene, Volume(scan.astype(np.int16), grid, "CT"))
    choose_model(widget, "lung-nodule-ct")
    middle = grid.ijk_to_ras @ (80.0, 80.0, 12.0, 1.0)
    put_crosshair(widget, tuple(middle[:3].tolist()))
    widget.ui.placeRegionButton.click()
    with Stopwatch("run of 20 samples"):
        published = run_and_wait(widget)
    assert published is not None, widget.ui.statusLabel.text
    assert len(published.levels) > 1
    widget.ui.stepSlider.value = 3.0
    assert "Sample" in widget.ui.stepLabel.text, widget.ui.stepLabel.text
    measured("maps in the list", ", ".join(map_names(published).values()))
    measured("samples", int(widget.ui.stepSlider.maximum) + 1)


if __name__ == "__main__":
    finish(journey)
