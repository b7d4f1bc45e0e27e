"""A small picture of a result at its most uncertain place, for a list of many."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..inference.result import SegmentationResult
from ..report.anatomical_planes import cut, planes_of, to_ras
from ..report.cut_planes import Place, cut_planes_of
from ..report.slice_pictures import BACKGROUND, Panel

FILE = "thumbnail.png"
INCHES, DPI = 2.6, 100


def draw_thumbnail(result: SegmentationResult, folder: Path) -> None:
    """Draw ``thumbnail.png``: the plane through the most uncertain place on which most is uncertain."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    place = _place(result)
    uncertain = np.nan_to_num(to_ras(result.uncertainty.array, result.uncertainty.grid)) > result.threshold
    planes = planes_of(place.shown)
    plane = max(planes, key=lambda one: int(cut(uncertain, one, place.point, place.shown).sum()))
    figure = Figure(figsize=(INCHES, INCHES), facecolor=BACKGROUND, dpi=DPI)
    FigureCanvasAgg(figure)
    Panel(result, place, plane, figure.add_axes((0.0, 0.0, 1.0, 1.0))).draw()
    figure.savefig(folder / FILE, facecolor=BACKGROUND)


def _place(result: SegmentationResult) -> Place:
    """The marked place with the highest uncertainty; the middle of the structures where nothing is uncertain."""
    places = cut_planes_of(result)
    marked = [place for place in places if place.mark]
    values = to_ras(result.uncertainty.array, result.uncertainty.grid)
    return max(marked, key=lambda place: float(np.nan_to_num(values[place.point]))) if marked else places[0]
