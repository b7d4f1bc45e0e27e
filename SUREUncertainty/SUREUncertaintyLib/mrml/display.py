"""How a result looks in views: overlay on slices, uncertainty as a volume in 3D. Nodes only, no views."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from vtkmodules.vtkCommonDataModel import vtkPiecewiseFunction
from vtkmodules.vtkRenderingCore import vtkColorTransferFunction

from ..core.uncertainty_colours import uncertainty_colours
from .camera_focus import focus_of
from .framing import AXES, frame_slice, slice_centre, slice_frame
from .nodes import PublishedNodes, all_published
from .outlines import show_outlines
from .painted_surface import SURFACE_OPACITY, colour_surface
from .safe_names import node_name
from .uncertainty_nodes import HIGHEST, scale_top, set_threshold, threshold_of

OVERLAY_OPACITY = 0.8

_GPU = "vtkMRMLGPURayCastVolumeRenderingDisplayNode"
_CPU = "vtkMRMLCPURayCastVolumeRenderingDisplayNode"
_SHADES = 52
_THINNEST, _DENSEST = 0.01, 0.12
"""Opacity a millimetre of the volume rendering at the lower and the upper end of the band: structures show through."""


def show_overlay(scene: Any, published: PublishedNodes, opacity: float = OVERLAY_OPACITY) -> None:
    """In every slice view: the scan, and over it the uncertainty map with ``opacity`` in 0..1."""
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        composite.SetBackgroundVolumeID(published.scan.GetID())
        composite.SetForegroundVolumeID(published.uncertainty.GetID() if published.uncertainty else None)
        composite.SetForegroundOpacity(opacity)


def show_result(scene: Any, published: PublishedNodes) -> None:
    """How a scene that is opened for its result should look: overlay in every slice view, through the structures."""
    show_overlay(scene, published)
    look_at(scene, published)


def outline_only(scene: Any, published: PublishedNodes) -> None:
    """Show the structures of this result only: outlines on top of each other cannot be told apart."""
    for other in all_published(scene):
        show_outlines(other.segmentation, other.segmentation is published.segmentation)


def look_at(scene: Any, published: PublishedNodes, closely: bool = False) -> None:
    """Every slice view at the slice that shows most of the structures and their uncertainty, centred on their box.

    ``closely`` also zooms in on the structures, where any were found, in views along the patient's axes.
    """
    focus = focus_of(published)
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", scene):
        orientation, (width, height, _) = node.GetOrientation(), node.GetDimensions()
        if closely and focus.found and orientation in AXES and min(width, height) > 0:
            frame_slice(node, (width, height), *slice_frame(focus, orientation))
        else:
            node.JumpSliceByCentering(*slice_centre(focus, orientation).tolist())


def set_band(published: PublishedNodes, low: float, high: float = HIGHEST) -> None:
    """Show only uncertainty in low..high, on slices and, where it is rendered, in 3D."""
    set_threshold(published.uncertainty, low, high)
    colour_surface(published, published.uncertainty)
    display = uncertainty_rendering(published.uncertainty)
    if display is not None:
        display.SetScalarRange(*window_of(published.uncertainty))
        _tie_to_band(display.GetVolumePropertyNode().GetVolumeProperty(), published.uncertainty, low, high)


def jump_to(scene: Any, ras: tuple[float, float, float]) -> None:
    """Centre every slice view on a position, RAS mm."""
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", scene):
        node.JumpSliceByCentering(*ras)


def cross_at(scene: Any, ras: tuple[float, float, float]) -> None:
    """Move every slice view to the slice through a position, RAS mm; none is shifted sideways."""
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode", scene):
        node.JumpSliceByOffsetting(*ras)


def show_surfaces(published: PublishedNodes, opacity: float = SURFACE_OPACITY) -> None:
    """Make and show the structures' surfaces in 3D, half transparent so that uncertainty inside them shows."""
    published.segmentation.CreateClosedSurfaceRepresentation()
    published.segmentation.GetDisplayNode().SetVisibility3D(True)
    published.segmentation.GetDisplayNode().SetOpacity3D(opacity)


def show_uncertainty_volume(scene: Any, published: PublishedNodes, on_cpu: bool = False) -> Any:
    """Render the uncertainty map as a volume in 3D, tied to the band that the slices show; the display node.

    Args:
        on_cpu: VTK's CPU ray caster; on a software OpenGL it is about three times faster than the other one.
    """
    node = published.uncertainty
    display = uncertainty_rendering(node)
    if display is None or display.GetClassName() != (_CPU if on_cpu else _GPU):
        if display is not None:
            scene.RemoveNode(display)
        display = _create_rendering(scene, node, _CPU if on_cpu else _GPU)
    _tie_to_band(display.GetVolumePropertyNode().GetVolumeProperty(), node, threshold_of(node), HIGHEST)
    display.SetVisibility(True)
    return display


def crop_rendering(scene: Any, display: Any, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    """Render only the RAS box low..high of a volume; on a processor that is several times faster."""
    roi = display.GetMarkupsROINode()
    if roi is None:
        roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", scene.GenerateUniqueName("Rendered part"))
        roi.CreateDefaultDisplayNodes()
        roi.GetDisplayNode().SetVisibility(False)
        display.SetAndObserveROINodeID(roi.GetID())
    roi.SetCenter(*((low + high) / 2).tolist())
    roi.SetSize(*(high - low).tolist())
    display.SetCroppingEnabled(True)


def uncertainty_rendering(node: Any) -> Any:
    """The volume rendering display node of a volume, or None."""
    displays = (node.GetNthDisplayNode(number) for number in range(node.GetNumberOfDisplayNodes()))
    return next((d for d in displays if d is not None and d.IsA("vtkMRMLVolumeRenderingDisplayNode")), None)


def _create_rendering(scene: Any, node: Any, kind: str) -> Any:
    display = scene.AddNewNodeByClass(kind, node_name(f"{node.GetName()} rendering"))
    properties = scene.AddNewNodeByClass("vtkMRMLVolumePropertyNode", node_name(f"{node.GetName()} rendering property"))
    display.SetAndObserveVolumePropertyNodeID(properties.GetID())
    display.SetFollowVolumeDisplayNode(False)
    display.SetAndObserveColorNodeID(node.GetDisplayNode().GetColorNodeID())  # for its legend
    display.SetScalarRangeFlag(slicer.vtkMRMLDisplayNode.UseManualScalarRange)
    display.SetScalarRange(*window_of(node))
    node.AddAndObserveDisplayNodeID(display.GetID())
    return display


def _tie_to_band(volume_property: Any, node: Any, low: float, high: float) -> None:
    """Nothing below and above the band, within it denser towards the upper end of the colours, which are those of the
    slices."""
    top = scale_top(node)
    edge = 1e-3
    densest = min(max(top, low + edge), high)
    opacity = vtkPiecewiseFunction()
    for value, alpha in (
        (low - edge, 0.0),
        (low, _THINNEST),
        (densest, _DENSEST),
        (high, _DENSEST),
        (high + edge, 0.0),
    ):
        opacity.AddPoint(value, alpha)  # before the first and behind the last point: as there
    colour = vtkColorTransferFunction()
    for value, rgb in zip(np.linspace(0.0, top, _SHADES), uncertainty_colours(_SHADES).tolist(), strict=True):
        colour.AddRGBPoint(value, *rgb)
    volume_property.SetScalarOpacity(opacity)
    volume_property.SetColor(colour)
    volume_property.SetInterpolationTypeToLinear()
    volume_property.ShadeOff()
    volume_property.DisableGradientOpacityOn()


def window_of(node: Any) -> tuple[float, float]:
    """Ends of the part of the colours that slices and legend show."""
    display = node.GetDisplayNode()
    return float(display.GetWindowLevelMin()), float(display.GetWindowLevelMax())
