"""The volume curve of a scan over time, drawn with matplotlib's Agg canvas; no window and no global state."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..report.overlay import TEXT
from ..report.slice_pictures import BACKGROUND

FILE = "curve.png"
GRID, QUIET = "#2b313a", "#9aa4af"
CURVE, BAND = "#5ec8a5", "#5ec8a5"
MARKS = {"check": ("#f2b134", "D", "check this frame"), "do_not_use": ("#e5484d", "X", "do not use this frame")}
"""Colour, marker and words of frames below usable."""


def draw_curve(document: Mapping[str, Any], folder: Path) -> str:
    """Draw ``folder/curve.png`` from the content of ``cine.json``; the file's name."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 4.4), facecolor=BACKGROUND, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    _style(axes, document)
    _draw(axes, document)
    for key, word in (("end_diastole", "end-diastole"), ("end_systole", "end-systole")):
        _name_phase(axes, document, key, word)
    axes.legend(fontsize=8, labelcolor=TEXT, facecolor=BACKGROUND, edgecolor=GRID, framealpha=0.9, loc="upper right")
    figure.savefig(folder / FILE, facecolor=BACKGROUND)
    return FILE


def abscissa(document: Mapping[str, Any]) -> tuple[list[float], str]:
    """Where frames stand on the axis, and what the axis is: times where the file says them, else numbers."""
    times = [frame["time_ms"] for frame in document["frames"]]
    if all(time is not None for time in times):
        return times, "time (ms)"
    return [frame["frame"] for frame in document["frames"]], "frame"


def _draw(axes: Any, document: Mapping[str, Any]) -> None:
    where, _ = abscissa(document)
    columns = {key: [frame[key] for frame in document["frames"]] for key in ("volume_ml", "volume_low_ml")}
    high = [frame["volume_high_ml"] for frame in document["frames"]]
    axes.fill_between(where, columns["volume_low_ml"], high, color=BAND, alpha=0.18, linewidth=0, label="range (90 %)")
    axes.plot(where, columns["volume_ml"], color=CURVE, marker="o", markersize=4, linewidth=1.8, label="volume")
    for status, (colour, marker, words) in MARKS.items():
        chosen = [n for n, frame in enumerate(document["frames"]) if frame["status"] == status]
        if chosen:
            place = [where[n] for n in chosen], [columns["volume_ml"][n] for n in chosen]
            axes.scatter(*place, color=colour, marker=marker, s=46, zorder=5, label=words)


def _name_phase(axes: Any, document: Mapping[str, Any], key: str, word: str) -> None:
    number = document[key] - 1
    at = abscissa(document)[0][number], document["frames"][number]["volume_ml"]
    above = key == "end_diastole"
    axes.annotate(
        f"{word}\n{at[1]:.0f} ml",
        at,
        xytext=(0, 12 if above else -12),
        textcoords="offset points",
        ha="center",
        va="bottom" if above else "top",
        color=TEXT,
        fontsize=9,
    )


def _style(axes: Any, document: Mapping[str, Any]) -> None:
    axes.set_facecolor(BACKGROUND)
    axes.set_xlabel(abscissa(document)[1], color=TEXT, fontsize=10)
    axes.set_ylabel(f"{document['structure']} (ml)", color=TEXT, fontsize=10)
    axes.set_ylim(0.0, 1.18 * max(1.0, *(frame["volume_high_ml"] for frame in document["frames"])))
    axes.margins(x=0.06)
    axes.tick_params(colors=QUIET, labelsize=9)
    axes.grid(color=GRID, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_color(GRID)
