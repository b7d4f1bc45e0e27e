"""The chart of a robustness test: how agreement and uncertainty follow the strength of the damage.

Drawn with matplotlib's Agg canvas; no window and no global state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..corruptions.registry import find_corruption
from ..corruptions.strengths import scale_of
from ..report.overlay import TEXT
from ..report.slice_pictures import BACKGROUND
from .results import BREAKS_BELOW

FILE = "robustness.png"
GRID = "#2b313a"
QUIET = "#9aa4af"
AGREEMENT = ("agreement_dice", "agreement with the clean result", "#5ec8a5", "o")
LABEL = ("dice", "Dice with the label", "#e8eaed", "s")
NEAR = ("near_uncertainty", "uncertainty near the boundary", "#f98e10", "^")
FAR = ("far_uncertainty", "uncertainty far from it", "#6aa5ff", "v")
OVERLAP, UNCERTAINTY = (AGREEMENT, LABEL), (NEAR, FAR)
COLUMNS = 4
PANEL_INCHES = (3.5, 2.75)
NOTHING = "undefined: nothing to measure from"
Line = tuple[str, str, str, str]


def draw_chart(document: Mapping[str, Any], folder: Path) -> str:
    """Draw ``folder/robustness.png`` from the content of ``robustness.json``; the file's name.

    One corruption: a panel of overlap, one of uncertainty and one of surface distance. Several: one small panel each,
    with
    uncertainty on an axis of its own at the right, the same for all: it is a small number where the model is sure.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    entries = {name: entry for name, entry in document["corruptions"].items() if entry["levels"]}
    figure = Figure(figsize=_size(len(entries)), facecolor=BACKGROUND, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    if len(entries) == 1:
        ((name, entry),) = entries.items()
        _draw_one(figure, name, entry, document["unit"])
    elif entries:
        _draw_card(figure, entries)
    figure.savefig(folder / FILE, facecolor=BACKGROUND)
    return FILE


def _size(panels: int) -> tuple[float, float]:
    if panels <= 1:
        return (12.0, 4.2)
    columns = min(COLUMNS, panels)
    return (PANEL_INCHES[0] * columns, PANEL_INCHES[1] * -(-panels // columns) + 0.6)


def _draw_one(figure: Any, name: str, entry: Mapping[str, Any], unit: str) -> None:
    scale = scale_of(name, unit)
    axes = figure.subplots(1, 3)
    for panel, lines, title in zip(
        axes, (OVERLAP, UNCERTAINTY, ()), ("Overlap (Dice)", "Mean uncertainty", "HD95 (mm)"), strict=True
    ):
        _style(panel, title, f"strength (1: {scale.title} {scale.at_one:g} {scale.unit})")
        _draw_lines(panel, entry, lines)
    _draw_distances(axes[2], entry)
    for panel in axes:
        _explain(panel)
    _mark_break(axes[0], entry)
    axes[0].set_ylim(0.0, 1.05)
    axes[1].set_ylim(bottom=0.0)
    axes[2].set_ylim(bottom=0.0)
    figure.suptitle(find_corruption(name).title, color=TEXT, fontsize=13)


def _explain(panel: Any) -> None:
    """A legend that lines do not cross, or why the panel is empty."""
    if panel.get_legend_handles_labels()[0]:
        panel.legend(fontsize=8, labelcolor=TEXT, facecolor=BACKGROUND, edgecolor=GRID, framealpha=0.9).set_zorder(9)
    else:
        panel.text(0.5, 0.5, NOTHING, transform=panel.transAxes, ha="center", va="center", color=QUIET, fontsize=9)


def _draw_distances(panel: Any, entry: Mapping[str, Any]) -> None:
    _draw_lines(panel, entry, (("agreement_hd95_mm", "to the clean result", AGREEMENT[2], "o"),))
    _draw_lines(panel, entry, (("hd95_mm", "to the label", LABEL[2], "s"),))


def _draw_card(figure: Any, entries: Mapping[str, Mapping[str, Any]]) -> None:
    columns = min(COLUMNS, len(entries))
    panels = np.atleast_1d(figure.subplots(-(-len(entries) // columns), columns, sharex=True, sharey=True)).ravel()
    handles: dict[str, Any] = {}
    top = _most_uncertainty(entries.values())
    for number, (panel, (name, entry)) in enumerate(zip(panels, entries.items(), strict=False)):
        _style(panel, find_corruption(name).title)
        panel.tick_params(labelbottom=number >= len(entries) - columns)
        right = panel.twinx()
        _style_right(right, top, named=number % columns == columns - 1 or number == len(entries) - 1)
        _draw_lines(right, entry, UNCERTAINTY)
        _draw_lines(panel, entry, OVERLAP)
        _mark_break(panel, entry)
        for axes in (panel, right):
            handles |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    for panel in panels[len(entries) :]:
        panel.set_axis_off()
    panels[0].set_ylim(0.0, 1.05)
    figure.supylabel("overlap (Dice)", color=TEXT, fontsize=10)
    figure.supxlabel("strength", color=TEXT, fontsize=10)
    legend = {"loc": "outside upper center", "ncols": len(handles) if columns > 2 else 2, "fontsize": 9}
    figure.legend(handles.values(), handles.keys(), labelcolor=TEXT, frameon=False, **legend)


def _most_uncertainty(entries: Iterable[Mapping[str, Any]]) -> float:
    """Upper end of the axis of uncertainty; 1 where none was measured."""
    found = [_column(entry, line[0], key) for entry in entries for line in UNCERTAINTY for key in ("mean", "high")]
    values = np.concatenate(found)
    values = values[np.isfinite(values)]
    return 1.1 * float(values.max()) if values.size and values.max() > 0 else 1.0


def _style_right(axes: Any, top: float, named: bool) -> None:
    axes.set_ylim(0.0, top)
    axes.tick_params(colors=NEAR[2], labelsize=7, labelright=named)
    if named:
        axes.set_ylabel("mean uncertainty", color=NEAR[2], fontsize=8)
    for spine in axes.spines.values():
        spine.set_color(GRID)


def _draw_lines(panel: Any, entry: Mapping[str, Any], lines: Sequence[Line]) -> None:
    strengths = np.array([float(level) for level in entry["levels"]])
    for metric, label, colour, marker in lines:
        mean, low, high = (_column(entry, metric, key) for key in ("mean", "low", "high"))
        if np.isnan(mean).all():
            continue
        panel.plot(strengths, mean, color=colour, marker=marker, markersize=4, linewidth=1.6, label=label)
        panel.fill_between(strengths, low, high, color=colour, alpha=0.18, linewidth=0)


def _column(entry: Mapping[str, Any], metric: str, key: str) -> NDArray[np.float64]:
    values = [level["metrics"][metric][key] for level in entry["levels"].values()]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _mark_break(panel: Any, entry: Mapping[str, Any]) -> None:
    panel.axhline(BREAKS_BELOW, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
    if entry["breaks_at"] is not None:
        panel.axvline(entry["breaks_at"], color="#d0453f", linewidth=1.4)
        panel.annotate(
            f"breaks at {entry['breaks_at']:g}",
            (entry["breaks_at"], 0.25),
            xytext=(-3 if entry["breaks_at"] > 0.5 else 3, 0),
            textcoords="offset points",
            ha="right" if entry["breaks_at"] > 0.5 else "left",
            color="#ff8a80",
            fontsize=8,
        )


def _style(panel: Any, title: str, below: str = "") -> None:
    panel.set_facecolor(BACKGROUND)
    panel.set_title(title, color=TEXT, fontsize=10)
    panel.set_xlabel(below, color=QUIET, fontsize=8)
    panel.set_xlim(-0.02, 1.02)
    panel.tick_params(colors=QUIET, labelsize=8)
    panel.grid(color=GRID, linewidth=0.6)
    for spine in panel.spines.values():
        spine.set_color(GRID)
