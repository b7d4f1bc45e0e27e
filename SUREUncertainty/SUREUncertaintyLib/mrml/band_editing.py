"""Changes of a segment inside the uncertain band, on VTK images."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from ..analysis.band_editing import ACTIONS, uncertain_band
from .nodes import MODEL, PublishedNodes, published_nodes
from .volume_nodes import grid_from_node, image_array, vtk_image, vtk_matrix


def result_of(segmentation: Any) -> PublishedNodes | None:
    """The result that a segmentation belongs to; None for any other segmentation, or when its map is gone."""
    if segmentation is None or segmentation.GetAttribute(MODEL) is None:
        return None
    published = published_nodes(segmentation)
    return None if published.uncertainty is None else published


def edited_labelmap(labelmap: Any, uncertainty: Any, action: str, band: tuple[float, float]) -> Any:
    """A segment's label map after an action inside the band; None where the action changes no voxel.

    Args:
        labelmap: vtkOrientedImageData of one segment, of any extent.
        uncertainty: the volume node of the map.
        action: a key of ``analysis.band_editing.ACTIONS``.
        band: lowest and highest uncertainty of the voxels that may change.

    Returns:
        vtkOrientedImageData of uint8 on the map's grid, or None.
    """
    grid = grid_from_node(uncertainty)
    target = vtk_image(np.zeros(grid.shape, np.uint8), slicer.vtkOrientedImageData())
    target.SetGeometryFromImageToWorldMatrix(vtk_matrix(grid.ijk_to_ras))
    here = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(labelmap, target, here)
    mask = image_array(here) != 0
    allowed = uncertain_band(image_array(uncertainty.GetImageData()), *band)
    changed = ACTIONS[action](mask, allowed, grid.spacing_kji)
    return None if np.array_equal(changed, mask) else _replace(target, changed)


def _replace(image: Any, mask: Any) -> Any:
    vtk_image(mask.astype(np.uint8), image)
    return image
