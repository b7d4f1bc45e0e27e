"""How uncertainty looks over a scan: clear up to the threshold, then coloured; and the scale that explains it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.uncertainty_colours import uncertainty_colours, uncertainty_window
from ..core.wording import in_words

TEXT = "#e8eaed"
OPACITY = (0.35, 0.95)
LEVELS = 256


def overlay_colours(uncertainty: NDArray[np.float32], threshold: float, highest: float = 1.0) -> NDArray[np.float32]:
    """RGBA (..., 4) of uncertainty in 0..``highest``.

    Clear up to the threshold and where it is NaN, then coloured, ever more opaque.
    """
    low, high = uncertainty_window(threshold, highest)
    position = np.clip((np.nan_to_num(uncertainty) - low) / (high - low), 0.0, 1.0)
    colours = np.empty((*position.shape, 4), np.float32)
    colours[..., :3] = uncertainty_colours(LEVELS)[np.rint(position * (LEVELS - 1)).astype(int)]
    colours[..., 3] = np.where(uncertainty > threshold, OPACITY[0] + (OPACITY[1] - OPACITY[0]) * position, 0.0)
    return colours


def draw_scale(figure: Any, axes: Any, threshold: float, kind: str, highest: float = 1.0) -> None:
    """The scale of ``overlay_colours`` from the threshold on."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    low, high = uncertainty_window(threshold, highest)
    first = round((threshold - low) / (high - low) * (LEVELS - 1))
    shown = ListedColormap(uncertainty_colours(LEVELS)[first:])
    bar = figure.colorbar(ScalarMappable(Normalize(threshold, high), shown), cax=axes)
    ticks = np.linspace(threshold, high, 5)
    digits = 2 if np.allclose(ticks, ticks.round(2)) else 3
    labels = [f"{tick:.{digits}f}" for tick in ticks]
    bar.set_ticks(ticks, labels=[*labels[:-1], f"≥ {labels[-1]}" if high < highest else labels[-1]])
    bar.ax.tick_params(colors=TEXT, labelsize=8, length=2)
    bar.outline.set_visible(False)
    bar.set_label(f"uncertain: {in_words(kind)} above {threshold:.2f}", color=TEXT, fontsize=9)
