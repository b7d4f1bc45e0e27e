"""A histogram of uncertainty in one line of rich text, which doubles as the scale of colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.uncertainty_colours import uncertainty_colours

BARS = "▁▂▃▄▅▆▇█"
BINS = 40
DOT = "·"
OUTSIDE = "#9aa0a6"
ROWS = 3
"""Lines of text that the bars of rich text are high."""

LINE_PERCENT = 80
POINTS = 7
"""Size of the bars' letters, so that all of them fit into a narrow panel."""


class UncertaintyHistogram:
    """Counts of an uncertainty map; voxels that were not analysed (NaN) do not count.

    Args:
        values: uncertainty in 0..1, any shape.
        voxel_volume_mm3: of one voxel.
    """

    def __init__(self, values: NDArray[Any], voxel_volume_mm3: float) -> None:
        analysed = np.asarray(values)[np.isfinite(values)]
        self._fine, _ = np.histogram(analysed, bins=1000, range=(0.0, 1.0))
        self._voxel = voxel_volume_mm3

    def share(self, low: float, high: float) -> float:
        """Share of the analysed voxels in low..high, exact to 0.001 of the scale."""
        total = int(self._fine.sum())
        return self._between(low, high) / total if total else 0.0

    def volume_ml(self, low: float, high: float) -> float:
        """Volume of the voxels in low..high."""
        return self._between(low, high) * self._voxel / 1000.0

    def text(self, low: float, high: float) -> str:
        """One bar a bin, logarithmic; bins outside low..high are dots."""
        return "".join(bar if drawn else DOT for bar, drawn in zip(self._bars(), _inside(low, high), strict=True))

    def rich_text(self, low: float, high: float, window: tuple[float, float] = (0.0, 1.0)) -> str:
        """One bar a bin, logarithmic, as rich text: in the colours of uncertainty inside low..high, grey outside.

        Args:
            window: values at the ends of the colours.
        """
        colours, (bottom, top) = uncertainty_colours(), window
        share = (np.arange(BINS) + 0.5) / BINS
        places = np.clip((share - bottom) / max(top - bottom, 1e-6), 0, 1) * (len(colours) - 1)
        drawn = zip(places.astype(int), _inside(low, high), strict=True)
        shades = [_hex(colours[place]) if inside else OUTSIDE for place, inside in drawn]
        heights = np.ceil(self._heights() * ROWS * len(BARS)).astype(int)
        rows = [_row(heights - row * len(BARS), shades) for row in reversed(range(ROWS))]
        return (
            f'<div style="line-height:{LINE_PERCENT}%;font-size:{POINTS}pt;white-space:pre">{"<br>".join(rows)}</div>'
        )

    def _heights(self) -> NDArray[np.float64]:
        """Height of each bar, 0..1."""
        counts = np.log1p(self._fine.reshape(BINS, -1).sum(axis=1))
        return np.asarray(counts / (float(counts.max()) or 1.0))

    def _bars(self) -> str:
        levels = np.minimum((self._heights() * len(BARS)).astype(int), len(BARS) - 1)
        return "".join(BARS[level] for level in levels)

    def _between(self, low: float, high: float) -> int:
        return int(self._fine[int(np.floor(low * 1000)) : int(np.ceil(high * 1000))].sum())


def _row(heights: NDArray[np.int_], shades: list[str]) -> str:
    """One line of bars that reach ``heights`` eighths of it; what is empty is there, but transparent."""
    cells = []
    for height, shade in zip(heights.tolist(), shades, strict=True):
        bar = BARS[min(height, len(BARS)) - 1] if height > 0 else BARS[-1]
        cells.append(f'<span style="color:{shade if height > 0 else "transparent"}">{bar}</span>')
    return "".join(cells)


def _inside(low: float, high: float) -> NDArray[np.bool_]:
    """Which bins reach into low..high."""
    edges = np.arange(BINS) / BINS
    return (edges + 1 / BINS >= low) & (edges <= high)


def _hex(colour: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in colour)
