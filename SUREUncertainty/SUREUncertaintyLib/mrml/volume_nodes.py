"""Volumes to and from volume nodes."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from ..core.errors import InputError
from ..core.volume import LPS_TO_RAS, Grid, Volume
from .safe_names import node_name, unique_name
from .scan_facts import acquired_of, is_placed, keep_facts, modality_of

_ADDED = "SURE.Added"
_SKEW = 1e-3
_HEADROOM = 1.2
"""Grey window relative to the range of the voxels: leaves the brightest tones to the uncertainty map."""


def volume_from_node(node: Any, facts_of: Any = None) -> Volume:
    """The voxels (a copy) and place of a scalar volume node.

    Args:
        facts_of: the node that keeps modality and the like, where it is another one: that which shows a frame.

    Raises:
        InputError: no image in the node, colour or vector voxels, a parent transform, or axes that are not
            perpendicular.
    """
    require_untransformed(node)
    require_scalar(node)
    said = facts_of or node
    return Volume(
        image_array(node.GetImageData()).copy(),
        grid_from_node(node),
        node.GetName(),
        modality=modality_of(said),
        placed=is_placed(said),
        acquired=acquired_of(said),
    )


def require_scalar(node: Any) -> None:
    """Raise ``InputError`` for a volume node without voxels, or with several numbers a voxel."""
    if node.GetImageData() is None or node.GetImageData().GetPointData().GetScalars() is None:
        raise InputError(f"The volume '{node.GetName()}' has no voxels. Load the scan again, or choose another volume.")
    if node.GetImageData().GetNumberOfScalarComponents() != 1:
        raise InputError(
            f"The volume '{node.GetName()}' has several numbers a voxel (a colour or vector image). "
            "A scan with one number a voxel is expected; convert it with the module Vector to Scalar Volume."
        )


def grid_from_node(node: Any) -> Grid:
    """Where the voxels of a volume node lie, parent transforms aside. Raises ``InputError`` for skewed axes."""
    matrix = vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    i, j, k = node.GetImageData().GetDimensions()
    lps = LPS_TO_RAS @ np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    direction = lps[:3, :3] / np.where(spacing > 0, spacing, 1)
    if np.abs(direction.T @ direction - np.eye(3)).max() > _SKEW:
        raise InputError(
            f"The axes of the volume '{node.GetName()}' are not perpendicular. "
            "Resample it to a regular grid first (module Resample Scalar/Vector/DWI Volume)."
        )
    x, y, z = spacing.tolist()
    r, a, s = lps[:3, 3].tolist()
    return Grid((k, j, i), (x, y, z), (r, a, s), tuple(direction.ravel().tolist()))


def require_untransformed(node: Any) -> None:
    """Raise ``InputError`` for a node under a transform: its voxels do not lie where its own matrix says."""
    if node.GetParentTransformNode() is not None:
        raise InputError(
            f"The volume '{node.GetName()}' lies under the transform '{node.GetParentTransformNode().GetName()}'. "
            "Harden the transform (right-click the volume in the Data module, Harden transform) and run again."
        )


def add_volume(scene: Any, volume: Volume) -> Any:
    """The scan as a scalar volume node; the one that an earlier call made of the same scan is used again.

    Voxel types that VTK or NRRD lack become the next larger one that holds the values (bool: uint8, float16: float32,
    64 bit integers: int16, int32 or float64). A left-handed grid is stored with its slices in reverse order, as Slicer
    itself does when it reads one; no voxel moves in the patient.
    """
    stored = right_handed(volume.with_array(storable(volume.array)))
    found = _find_added(scene, stored)
    if found is not None:
        return found
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", unique_name(scene, volume.name))
    node.SetAttribute(_ADDED, node_name(volume.name))
    keep_facts(node, volume)
    fill_volume(node, stored, ExitStack())
    show_grey(node, stored.array)
    return node


def fill_volume(node: Any, volume: Volume, undo: ExitStack) -> None:
    """Put voxels and place into a volume node. The node's earlier image stays as it was, for ``undo``."""
    earlier = vtkMatrix4x4()
    node.GetIJKToRASMatrix(earlier)
    undo.callback(node.SetAndObserveImageData, node.GetImageData())
    undo.callback(node.SetIJKToRASMatrix, earlier)
    node.SetIJKToRASMatrix(vtk_matrix(volume.grid.ijk_to_ras))
    node.SetAndObserveImageData(vtk_image(volume.array))


def right_handed(volume: Volume) -> Volume:
    """The same voxels at the same places with k reversed where (i, j, k) is left-handed in the patient."""
    if np.linalg.det(np.reshape(volume.grid.direction, (3, 3))) > 0:
        return volume
    grid = volume.grid
    last = np.array([0.0, 0.0, grid.shape[0] - 1.0, 1.0])
    x, y, z = (grid.ijk_to_lps @ last)[:3].tolist()
    direction = np.reshape(grid.direction, (3, 3)) * (1, 1, -1)
    turned = replace(grid, origin=(x, y, z), direction=tuple(direction.ravel().tolist()))
    return replace(volume, array=volume.array[::-1], grid=turned)


def storable(array: NDArray[Any]) -> NDArray[Any]:
    """The array in a voxel type that VTK and NRRD have, in native byte order, without loss where one exists."""
    kind = array.dtype
    if kind == np.bool_:
        return array.astype(np.uint8)
    if kind == np.float16:
        return array.astype(np.float32)
    if kind.kind in "iu" and kind.itemsize == 8:
        low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
        fits = [t for t in (np.int16, np.int32) if np.iinfo(t).min <= low and high <= np.iinfo(t).max]
        return array.astype(fits[0] if fits else np.float64)
    if kind.kind == "f" and kind.itemsize > 8:
        return array.astype(np.float64)
    return array.astype(kind.newbyteorder("="), copy=False)


def vtk_image(array: NDArray[Any], image: Any = None) -> Any:
    """A new image (or ``image``, filled) with a copy of the (k, j, i) array."""
    target = vtkImageData() if image is None else image
    target.SetDimensions(array.shape[::-1])
    target.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True))
    return target


def image_array(image: Any) -> NDArray[Any]:
    """The (k, j, i) voxels of a VTK image, not a copy."""
    i, j, k = image.GetDimensions()
    return np.asarray(vtk_to_numpy(image.GetPointData().GetScalars())).reshape(k, j, i)


def vtk_matrix(matrix: NDArray[np.float64]) -> Any:
    """A 4 x 4 array as a VTK matrix."""
    target = vtkMatrix4x4()
    for row in range(4):
        for column in range(4):
            target.SetElement(row, column, float(matrix[row, column]))
    return target


def _find_added(scene: Any, volume: Volume) -> Any:
    for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", scene):
        image = node.GetImageData()
        if (
            node.GetAttribute(_ADDED) != node_name(volume.name)
            or image is None
            or node.GetParentTransformNode() is not None
        ):
            continue
        if grid_from_node(node).matches(volume.grid) and np.array_equal(image_array(image), volume.array):
            return node
    return None


def show_grey(node: Any, array: NDArray[Any]) -> None:
    """A display in grey, from the 1st to the 99.5th percentile of the non-zero voxels, so that air takes no share."""
    node.CreateDefaultDisplayNodes()
    values = array[:: max(1, array.shape[0] // 64)]
    values = values[np.isfinite(values) & (values != 0)]
    if not values.size:
        return
    low, high = np.percentile(values, (1, 99.5)).tolist()
    if high > low:
        node.GetDisplayNode().AutoWindowLevelOff()
        node.GetDisplayNode().SetWindowLevelMinMax(low, low + _HEADROOM * (high - low))
