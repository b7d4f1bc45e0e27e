"""The left hippocampus of the MNI152 template in its box, as a crop: an input that comes with the installation."""

from __future__ import annotations

from SUREUncertaintyLib.core.roi import roi_grid, roi_slices
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.demo_input import ROIS, demo_scan


def template_crop() -> Volume:
    """(k, j, i) float32 of the size of a training crop, 1 mm."""
    scan, roi = demo_scan(), ROIS[0]
    return Volume(scan.array[roi_slices(scan.grid, roi)], roi_grid(scan.grid, roi), "template crop")
