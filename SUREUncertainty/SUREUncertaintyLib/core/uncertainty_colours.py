"""The colours of uncertainty: one perceptual scale for Slicer, the browser and the report."""

from colorsys import hsv_to_rgb

import numpy as np
from numpy.typing import NDArray

_GOLDEN_RATIO = 0.618034
_ANCHORS = (
    (0.120, 0.048, 0.278),
    (0.215, 0.037, 0.382),
    (0.308, 0.051, 0.423),
    (0.396, 0.082, 0.433),
    (0.483, 0.114, 0.427),
    (0.570, 0.145, 0.407),
    (0.657, 0.178, 0.373),
    (0.740, 0.218, 0.327),
    (0.816, 0.270, 0.271),
    (0.881, 0.336, 0.208),
    (0.932, 0.417, 0.141),
    (0.967, 0.508, 0.069),
    (0.985, 0.608, 0.024),
    (0.986, 0.713, 0.103),
    (0.970, 0.820, 0.238),
    (0.947, 0.924, 0.426),
    (0.988, 0.998, 0.645),
)


def uncertainty_colours(count: int = 256) -> NDArray[np.float64]:
    """(count, 3) RGB in 0..1 from no uncertainty (dark violet) over red and orange to full uncertainty (pale yellow).

    Lightness rises all the way, so the scale reads the same in grey and for colour-blind eyes. It follows "inferno"
    (S. van der Walt and N. Smith, 2015, public domain) without its darkest part, which a dark scan would swallow.
    """
    anchors = np.asarray(_ANCHORS)
    position = np.linspace(0, len(anchors) - 1, count)
    return np.stack([np.interp(position, np.arange(len(anchors)), channel) for channel in anchors.T], axis=1)


def uncertainty_window(threshold: float, highest: float = 1.0) -> tuple[float, float]:
    """Values at the ends of the scale: 0, and twice the threshold above which voxels count as uncertain.

    Uncertain voxels then run from red to pale yellow, and the same value has the same colour on every scan of a model.
    The scale ends at ``highest``, the largest value that the map can have, unless no voxel of it counts as uncertain.
    """
    top = min(1.0, 2.0 * threshold) if threshold > 0 else 1.0
    return 0.0, min(top, highest) if threshold < highest else top


def label_colour(number: int) -> tuple[float, float, float]:
    """RGB in 0..1 of a structure without a colour of its own; neighbouring numbers get distant hues."""
    red, green, blue = hsv_to_rgb(number * _GOLDEN_RATIO % 1.0, 0.65, 0.95)
    return round(red, 3), round(green, 3), round(blue, 3)
