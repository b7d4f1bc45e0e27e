"""What part of a result the views frame: slices through it, and the camera of a 3D view."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .camera_focus import Focus

VIEW_ANGLE = 15
_MARGIN = 1.25
_SMALLEST_HALF = 5.0
"""Smallest half height of what a 3D view shows, mm."""

_CONTEXT = 1.7
"""Field of view of a slice relative to the structures' extent."""

_SMALLEST = 60.0
"""Smallest field of view of a slice, mm."""

AXES = {"Axial": 2, "Sagittal": 0, "Coronal": 1}
"""Which of R, A, S is constant in a slice."""

FROM = (-0.6, 1.0, 0.5)
"""Where 3D pictures are seen from: left, front and above."""

AROUND = 10.0
"""Uncertainty is rendered up to this distance from the structures' box, mm."""


def slice_centre(focus: Focus, orientation: str) -> NDArray[np.float64]:
    """RAS mm: in the slice that shows most of a result, the middle of its structures; for an oblique view their middle.

    Args:
        orientation: of a slice node.
    """
    centre = np.array((focus.low + focus.high) / 2)
    axis = AXES.get(orientation)
    if axis is not None:
        centre[axis] = focus.best[axis]
    return centre


def slice_frame(focus: Focus, orientation: str) -> tuple[NDArray[np.float64], float]:
    """Centre (RAS mm) and extent (mm) of the slice that shows most of a result.

    Args:
        orientation: Axial, Sagittal or Coronal.
    """
    in_plane = np.delete(focus.high - focus.low, AXES[orientation])
    return slice_centre(focus, orientation), max(_SMALLEST, _CONTEXT * float(in_plane.max()))


def frame_slice(node: Any, size: tuple[int, int], centre: NDArray[np.float64], extent: float) -> None:
    """Centre a slice node on a RAS position and show at least ``extent`` mm in both directions.

    Args:
        size: width and height of its window in pixels.
    """
    width, height = size
    scale = extent / min(width, height)
    node.SetFieldOfView(scale * width, scale * height, node.GetFieldOfView()[2])
    node.JumpSliceByCentering(*(float(x) for x in centre))


def frame_points(
    renderer: Any, size: tuple[int, int], points: NDArray[np.float64], towards: tuple[float, float, float]
) -> None:
    """Turn a renderer's camera so that it shows (N, 3) RAS points from the direction ``towards`` of them, head up."""
    normal = np.asarray(towards) / np.linalg.norm(towards)
    right = np.cross((0.0, 0.0, 1.0), normal)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(normal, right), normal])
    seen = points @ axes.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    width, height = size
    smaller = min(size)
    half = max(*((high[:2] - low[:2]) / 2 * smaller / (width, height)), _SMALLEST_HALF) * _MARGIN
    distance = half / np.tan(np.radians(VIEW_ANGLE / 2)) + (high[2] - low[2]) / 2
    centre = (low + high) / 2 @ axes
    camera = renderer.GetActiveCamera()
    camera.SetViewAngle(VIEW_ANGLE)
    camera.SetUseHorizontalViewAngle(width < height)  # the angle is that of the smaller side
    camera.SetFocalPoint(*centre)
    camera.SetPosition(*(centre + distance * normal))
    camera.SetViewUp(0, 0, 1)
    renderer.ResetCameraClippingRange()
