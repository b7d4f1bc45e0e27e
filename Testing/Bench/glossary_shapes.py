"""Made-up slices for the pictures of the glossary."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray
from scipy import ndimage
from SUREUncertaintyLib.core.uncertainty_colours import uncertainty_colours

BLUE, ORANGE, GREEN, RED = "#2f6fb2", "#e8690b", "#6fb98a", "#c0392b"
GREY, DARK = "#8a939d", "#1b1f24"
SCALE = ListedColormap(uncertainty_colours())
N = 96
Array = NDArray[np.float64]


class Shape:
    """A slice with one bright ellipse, and what can be drawn on it. ``paint`` takes the title of a picture."""

    def __init__(self) -> None:
        y, x = np.mgrid[0:N, 0:N] / (N - 1) * 2 - 1
        self.x, self.y = x, y
        self.noise = np.random.default_rng(0).standard_normal((N, N))
        self.inside = self.ellipse(0.0, 0.0)

    def ellipse(self, right: float, down: float, wide: float = 0.6, high: float = 0.42) -> NDArray[np.bool_]:
        """An ellipse; centre and half axes as shares of half the slice."""
        return np.asarray(((self.x - right) / wide) ** 2 + ((self.y - down) / high) ** 2 < 1)

    def scan(self, blur: float = 1.0, noise: float = 0.06) -> Array:
        """Grey values."""
        return np.asarray(ndimage.gaussian_filter(0.35 + 0.3 * self.inside, blur) + noise * self.noise)

    def rim(self, width: float, low: float = 0.0) -> Array:
        """Uncertainty around the outline; wider to the right."""
        away = ndimage.distance_transform_edt(self.inside) - ndimage.distance_transform_edt(~self.inside)
        return np.asarray(np.exp(-((away / (width * (1.6 + self.x))) ** 2)) + low)

    def paint(self, axis: Any, name: str) -> None:
        """Draw the picture of that title."""
        background, uncertainty, outlines = self._layers(name)
        axis.imshow(background, cmap="gray", vmin=0, vmax=1)
        if uncertainty is not None:
            shown = np.ma.masked_less(uncertainty, 0.02 if name == "all values" else 0.4)
            axis.imshow(shown, cmap=SCALE, vmin=0, vmax=1, alpha=0.85)
        for mask, colour in outlines:
            axis.contour(mask, levels=[0.5], colors=[colour], linewidths=1.4)

    def _layers(self, name: str) -> tuple[Array, Array | None, list[tuple[Any, str]]]:
        own, other = [(self.inside, BLUE)], self.ellipse(0.08, 0.05)
        island = self.ellipse(0.62, -0.68, 0.2, 0.18).astype(float)
        spot = self.ellipse(-0.1, 0.05, 0.22, 0.16).astype(float)
        far = self.ellipse(0.36, 0.28)
        part = self.ellipse(0.68, -0.2, 0.28, 0.1)
        with_part = np.asarray(ndimage.gaussian_filter(0.35 + 0.3 * (self.inside | part), 1.0) + 0.06 * self.noise)
        texture = 0.5 + 0.22 * ndimage.gaussian_filter(self.noise, 1.2) * 3
        found: dict[str, tuple[Array, Array | None, list[tuple[Any, str]]]] = {
            "scan": (self.scan(), None, own),
            "uncertainty": (self.scan(), self.rim(2.5), own),
            "like training": (self.scan(), self.rim(1.6), own),
            "never seen": (self.scan() + 0.35 * spot, np.maximum(self.rim(2.5), 0.9 * spot), own),
            "sharp edge": (self.scan(0.5), self.rim(1.2), own),
            "blurred edge": (self.scan(6.0), self.rim(5.0), own),
            "samples": (self.scan(), None, [*own, (other, ORANGE), (self.ellipse(-0.04, -0.05), GREEN)]),
            "where they disagree": (self.scan(), self.rim(3.0), []),
            "sample 1": (self.scan(), None, own),
            "sample 2": (self.scan(), None, [(other, BLUE)]),
            "sample 3": (self.scan(), None, [(self.ellipse(-0.03, 0.0, 0.52, 0.48), BLUE)]),
            "coarse level": (self.scan(), ndimage.gaussian_filter(self.rim(6.0), 4), own),
            "fine level": (self.scan(), self.rim(1.4), own),
            "without the part": (with_part, None, own),
            "with the part": (with_part, None, [(self.inside | part, BLUE)]),
            "which parts": (with_part, 0.9 * (part & ~self.inside), []),
            "shorter": (self.scan(), None, [(self.ellipse(-0.08, 0.0, 0.52), BLUE)]),
            "longer": (self.scan(), None, [(self.ellipse(0.1, 0.0, 0.7), BLUE)]),
            "how far": (self.scan(), 0.9 * (self.ellipse(0.1, 0.0, 0.7) & ~self.ellipse(-0.08, 0.0, 0.52)), []),
            "rim inside": (self.scan(), None, [(self.ellipse(0.0, 0.0, 0.57, 0.39), BLUE)]),
            "rim outside": (self.scan(), None, [(self.ellipse(0.0, 0.0, 0.64, 0.46), BLUE)]),
            "rim": (self.scan(), 0.9 * (self.ellipse(0.0, 0.0, 0.64, 0.46) & ~self.ellipse(0.0, 0.0, 0.57, 0.39)), []),
            "across the structure": (
                self.scan(),
                None,
                [*own, (np.abs(self.y) < 0.02 * (np.abs(self.x) < 0.6), ORANGE)],
            ),
            "first scan": (self.scan(), None, own),
            "second scan": (self.scan(), None, [(self.ellipse(0.0, 0.0, 0.74, 0.54), BLUE)]),
            "what is new": (self.scan(), 0.9 * (self.ellipse(0.0, 0.0, 0.74, 0.54) & ~self.inside), []),
            "all values": (self.scan(), self.rim(5.0), own),
            "above the threshold": (self.scan(), self.rim(2.5), own),
            "at an edge": (self.scan(), self.rim(2.5) * (self.x > 0.2), own),
            "inside": (self.scan(), 0.9 * spot, own),
            "near none": (self.scan(), 0.9 * island, own),
            "Dice 0.9": (self.scan(), None, [*own, (self.ellipse(0.06, 0.0), ORANGE)]),
            "Dice 0.5": (self.scan(), None, [*own, (far, ORANGE)]),
            "distance of outlines": (self.scan(), None, [*own, (self.ellipse(0.14, 0.0), ORANGE)]),
            "detail everywhere: easy": (texture, None, own),
            "detail in one place: hard": (np.where(spot > 0, texture, 0.45), None, own),
        }
        return found[name]
