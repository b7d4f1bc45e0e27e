"""How large a structure is in the samples of two scans: both spreads on one axis."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..report.overlay import TEXT
from ..report.slice_pictures import BACKGROUND

BINS = 24
WIDE, NARROW = 9.0, 4.2
"""Inches: for a page of its own, and for a column beside pictures."""
GRID = "#2b313a"
COLOURS = {"before": "#7aa7d9", "after": "#e8a13a"}
NAMES = {"before": "first scan", "after": "second scan"}


def draw_sizes(
    row: Mapping[str, Any], drawn: Mapping[str, NDArray[np.float64]], unit: str, width: float = WIDE
) -> bytes:
    """A PNG: samples of each scan as bars, the answers as lines.

    Args:
        row: of the document.
        drawn: sizes of all samples by ``before`` and ``after``, in the unit.
        width: of the picture in inches, at letters of a fixed size.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(width, 2.8), facecolor=BACKGROUND, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    edges = np.linspace(*_ends(drawn), BINS + 1)
    for side, colour in COLOURS.items():
        axes.hist(drawn[side].tolist(), edges.tolist(), color=colour, alpha=0.55, label=NAMES[side])
        axes.axvline(row[side]["size"]["value"], color=colour, linewidth=2)
    axes.yaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True))
    axes.set_facecolor(BACKGROUND)
    axes.set_xlabel(f"Volume ({unit})", color=TEXT, fontsize=9)
    axes.set_ylabel("Samples", color=TEXT, fontsize=9)
    axes.tick_params(colors=TEXT, labelsize=8)
    axes.grid(color=GRID, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_color(GRID)
    axes.legend(fontsize=8, labelcolor=TEXT, facecolor=BACKGROUND, edgecolor=GRID)
    stream = BytesIO()
    figure.savefig(stream, format="png", facecolor=BACKGROUND)
    return stream.getvalue()


def _ends(drawn: Mapping[str, NDArray[np.float64]]) -> tuple[float, float]:
    everything = np.concatenate(list(drawn.values()))
    low, high = float(everything.min()), float(everything.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)
