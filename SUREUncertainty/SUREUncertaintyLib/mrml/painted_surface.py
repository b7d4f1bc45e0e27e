"""The structures' surfaces painted by the uncertainty at them, as a model node in 3D.

Where the map lies inside the band a surface has the colours of uncertainty, elsewhere the structure's own, paler. The
segmentation's own surfaces are made transparent meanwhile, so that Slicer's *Show 3D* still shows and hides both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkFiltersCore import vtkAppendPolyData

from ..core.uncertainty_colours import uncertainty_colours
from .hierarchy import place_in_folder
from .nodes import PAINTED, PublishedNodes, result_node
from .segmentation_nodes import own_segments
from .uncertainty_nodes import band_of, scale_top
from .volume_nodes import grid_from_node, image_array

OPACITY = 0.8
SURFACE_OPACITY = 0.45
"""Of surfaces that are not painted: half transparent, so that uncertainty inside them shows."""

_COLOURS, _VALUES = "Colours", "Uncertainty"
_PALE = 0.45
"""How much of a structure's colour is exchanged for white where nothing is uncertain."""

AROUND_MM = 1.0
"""Spread of the Gaussian around a point of the surface over which the map is averaged."""

_TRUNCATE = 4.0
"""Spreads after which the Gaussian ends."""


def paint_surface(scene: Any, published: PublishedNodes, node: Any) -> Any:
    """Make or renew the painted surface from the volume node ``node`` of a map of the result; its model node."""
    segmentation, model = published.segmentation, painted_model(scene, published)
    segmentation.CreateClosedSurfaceRepresentation()
    joined = vtkAppendPolyData()
    joined.AddInputData(vtkPolyData())  # VTK reports an append of nothing: a result may hold no voxel
    for surface in _surfaces(segmentation, node):
        joined.AddInputData(surface)
    joined.Update()
    model.SetAndObservePolyData(joined.GetOutput())
    colour_surface(published, node)
    return model


def painted_model(scene: Any, published: PublishedNodes) -> Any:
    """The model node that is painted, made empty and hidden where there is none."""
    segmentation = published.segmentation
    model, is_new = result_node(scene, segmentation, PAINTED, "vtkMRMLModelNode", f"{published.scan.GetName()} surface")
    if is_new:
        model.SetAndObservePolyData(vtkPolyData())
        _create_display(model)
        place_in_folder(scene, published.scan, (segmentation, model), "", ExitStack())
    return model


def colour_surface(published: PublishedNodes, node: Any) -> None:
    """Colour the painted surface, where there is one, anew by the band that ``node`` is drawn with."""
    model = painted_surface(published)
    if model is None:
        return
    explain(model, node)
    mesh = model.GetPolyData()
    if mesh is None or mesh.GetPointData().GetArray(_VALUES) is None:
        return
    values = vtk_to_numpy(mesh.GetPointData().GetArray(_VALUES))
    own = vtk_to_numpy(mesh.GetPointData().GetArray("Own"))
    low, high = band_of(node)
    scale = (uncertainty_colours() * 255).astype(np.uint8)
    place = np.clip(np.nan_to_num(values) / max(scale_top(node), 1e-6), 0.0, 1.0) * (len(scale) - 1)
    uncertain = (values >= low) & (values <= high)
    colours = np.where(uncertain[:, None], scale[place.astype(int)], own).astype(np.uint8)
    mesh.GetPointData().SetScalars(_named(colours, _COLOURS))
    mesh.Modified()


def explain(model: Any, node: Any) -> Any:
    """Let the painted surface's legend tell the colours of the volume node of a map; the display node it explains."""
    told, display = legend_display(model), node.GetDisplayNode()
    told.SetAndObserveColorNodeID(display.GetColorNodeID())
    told.SetScalarRange(display.GetWindowLevelMin(), display.GetWindowLevelMax())
    return told


def legend_display(model: Any) -> Any:
    """The display node that the painted surface's legend explains: colours that are painted have no range of values."""
    return model.GetNthDisplayNode(1)


def painted_surface(published: PublishedNodes) -> Any:
    """The model node of the painted surface; None without one."""
    return published.segmentation.GetNodeReference(PAINTED)


def show_painted(scene: Any, published: PublishedNodes, node: Any, painted: bool) -> None:
    """Show the surfaces painted by the map of the volume node ``node``, or give them their plain look."""
    model = paint_surface(scene, published, node) if painted else painted_surface(published)
    published.segmentation.GetDisplayNode().SetOpacity3D(0.0 if painted else SURFACE_OPACITY)
    if model is not None and model.GetDisplayNode() is not None:
        model.GetDisplayNode().SetVisibility(painted)


def _surfaces(segmentation: Any, node: Any) -> Iterator[Any]:
    """A copy of every visible structure's surface with the map's values and its own colour at each point."""
    names = slicer.vtkSegmentationConverter.GetClosedSurfaceRepresentationName()
    for identifier in own_segments(segmentation):
        segment = segmentation.GetSegmentation().GetSegment(identifier)
        surface = segment.GetRepresentation(names)
        if surface is None or not segmentation.GetDisplayNode().GetSegmentVisibility(identifier):
            continue
        mesh = vtkPolyData()
        mesh.DeepCopy(surface)
        if mesh.GetNumberOfPoints() == 0:
            continue
        values = values_at(node, vtk_to_numpy(mesh.GetPoints().GetData()))
        mesh.GetPointData().AddArray(_named(values.astype(np.float32), _VALUES))
        pale = np.asarray(segment.GetColor()) * (1 - _PALE) + _PALE
        own = np.broadcast_to((255 * pale).astype(np.uint8), (len(values), 3))
        mesh.GetPointData().AddArray(_named(own, "Own"))
        yield mesh


def values_at(node: Any, points: NDArray[Any]) -> NDArray[np.float64]:
    """A map around each of (N, 3) points, RAS mm: its mean, weighted by a Gaussian of ``AROUND_MM``; 0 outside.

    At one point alone the map hardly differs along an edge; around it a thick uncertain border counts more than a thin.
    """
    from scipy import ndimage

    grid = grid_from_node(node)
    sigma = np.array([AROUND_MM / spacing for spacing in grid.spacing_kji])
    inverse = np.linalg.inv(grid.ijk_to_ras)
    kji = (points @ inverse[:3, :3].T + inverse[:3, 3])[:, ::-1]
    low, high = _reached(kji, sigma, grid.shape)
    array = image_array(node.GetImageData())[tuple(map(slice, low, high))]
    analysed = ndimage.gaussian_filter(np.isfinite(array).astype(np.float32), sigma, truncate=_TRUNCATE)
    mean = ndimage.gaussian_filter(np.nan_to_num(array), sigma, truncate=_TRUNCATE) / np.maximum(analysed, 1e-6)
    return np.asarray(ndimage.map_coordinates(mean, (kji - low).T, order=1))


def _reached(kji: NDArray[np.float64], sigma: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[Any, Any]:
    """First voxel, and the one behind the last, of the part of an array that the averages around the points depend on:
    a hippocampus needs a hundredth of a head."""
    reach = np.ceil(_TRUNCATE * sigma).astype(int) + 1
    low = np.clip(np.floor(kji.min(axis=0)).astype(int) - reach, 0, np.array(shape) - 1)
    high = np.clip(np.ceil(kji.max(axis=0)).astype(int) + reach + 1, low + 1, shape)
    return low, high


def _create_display(model: Any) -> None:
    model.CreateDefaultDisplayNodes()
    display = model.GetDisplayNode()
    display.SetVisibility(False)
    display.SetVisibility2D(False)
    display.SetOpacity(OPACITY)
    display.SetActiveScalarName(_COLOURS)
    display.SetScalarRangeFlag(slicer.vtkMRMLDisplayNode.UseDirectMapping)
    display.SetScalarVisibility(True)
    display.SetBackfaceCulling(False)
    told = model.GetScene().AddNewNodeByClass("vtkMRMLModelDisplayNode", f"{model.GetName()} scale")
    told.SetVisibility2D(False)
    told.SetOpacity(0.0)
    told.SetScalarRangeFlag(slicer.vtkMRMLDisplayNode.UseManualScalarRange)
    model.AddAndObserveDisplayNodeID(told.GetID())


def _named(values: NDArray[Any], name: str) -> Any:
    array = numpy_to_vtk(np.ascontiguousarray(values), deep=1)
    array.SetName(name)
    return array
