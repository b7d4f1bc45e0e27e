"""A head for models that search: the template of the shipped hippocampus model."""

from dataclasses import replace

import numpy as np
from SUREUncertaintyLib.core.resampling import model_grid, resample
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.packages.catalogue import find_package


def turned_brain(degrees: float) -> Volume:
    """The template of the hippocampus model as a scan of 2 mm whose voxel axes lie askew in the patient."""
    package = find_package("hippocampus-t1")
    assert package.metadata.locator is not None
    template = read_volume(package.file_path(package.metadata.locator.template))
    straight = model_grid(template.grid, "RAS", (2.0, 2.0, 2.0))
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    middle = (straight.ijk_to_ras @ [*((n - 1) / 2 for n in straight.shape[::-1]), 1.0])[:3] * (-1, -1, 1)
    origin = middle + turn @ (np.asarray(straight.origin) - middle)
    direction = turn @ np.reshape(straight.direction, (3, 3))
    grid = replace(straight, origin=tuple(origin.tolist()), direction=tuple(direction.ravel().tolist()))
    return resample(template, grid)
