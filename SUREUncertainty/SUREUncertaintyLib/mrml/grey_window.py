"""Brightness and contrast of a scan, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from .volume_nodes import image_array, show_grey

_NARROWEST = 1e-3
"""Smallest width of the grey window, as a share of the scan's range."""


def shift_window(node: Any, wider: float, higher: float) -> None:
    """Change how a scan is shown; its voxels stay as they are.

    Args:
        wider, higher: added to width and middle of the grey window, as shares of the range of the scan's values.
    """
    display = node.GetDisplayNode()
    low, high = node.GetImageData().GetScalarRange()
    width = max(display.GetWindow() + wider * (high - low), _NARROWEST * (high - low))
    middle = float(np.clip(display.GetLevel() + higher * (high - low), low, high))
    display.AutoWindowLevelOff()
    display.SetWindowLevel(width, middle)


def reset_window(node: Any) -> None:
    """Show a scan as it was shown at first."""
    show_grey(node, image_array(node.GetImageData()))
