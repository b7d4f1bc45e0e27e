"""``make glossary``: ``docs/glossary.md`` and its pictures, from ``core.glossary`` and made-up shapes and numbers."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from glossary_shapes import BLUE, DARK, GREEN, GREY, ORANGE, RED, Shape
from SUREUncertaintyLib.core import glossary

DOCS = Path(__file__).resolve().parents[2] / "docs"
PICTURES = "pictures/glossary"
SIZE, DPI = (3.6, 1.9), 100
COLOURS = 64
"""Of a picture: enough for grey values and the scale of uncertainty."""
Draw = Callable[[Any, Shape], None]


def main() -> None:
    """Write page and pictures."""
    (DOCS / PICTURES).mkdir(parents=True, exist_ok=True)
    (DOCS / "glossary.md").write_text(page(), encoding="utf-8")
    for term in glossary.TERMS:
        draw(term.key, DOCS / PICTURES / f"{term.key}.png")


def page() -> str:
    """The glossary as Markdown."""
    lines = [
        "# What the words mean",
        "",
        "Made by `make glossary` from the words that report, page and panel use. The pictures are drawn from made-up "
        "shapes and numbers; none is a measurement. Symbols in brackets are those of the literature.",
    ]
    for term in glossary.TERMS:
        picture = f'<img src="{PICTURES}/{term.key}.png" alt="{term.name}" width="360">'
        lines += ["", f"## {term.heading} {{: #{term.key} }}", "", picture, "", str(term.meaning)]
    return "\n".join(lines) + "\n"


def draw(key: str, path: Path) -> None:
    """The picture of one word."""
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white", layout="constrained")
    PAINTERS[key](figure, Shape())
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    Image.open(stream).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def slices(*names: str) -> Draw:
    """One slice a layer, side by side: what ``Shape`` can draw, by name."""

    def paint(figure: Any, shape: Shape) -> None:
        for axis, name in zip(np.atleast_1d(figure.subplots(1, len(names))), names, strict=True):
            axis.set_axis_off()
            axis.set_title(name, fontsize=8)
            shape.paint(axis, name)

    return paint


def curve(x: Any, y: Any, across: str, up: str, colour: str, ideal: Any = None, mark: float | None = None) -> Draw:
    """A line or a cloud of points against one axis."""

    def paint(figure: Any, _: Shape) -> None:
        axis = _axis(figure, across, up)
        axis.plot(x, y, "o-" if len(x) < 20 else ".", color=colour, markersize=3)
        if ideal is not None:
            axis.plot(x, ideal, "--", color=GREY, linewidth=1)
        if mark is not None:
            axis.axhline(mark, color=RED, linestyle=":", linewidth=1)

    return paint


def interval(low: float, value: float, high: float, unit: str, limits: tuple[float, float]) -> Draw:
    """A bar from low to high with its middle."""

    def paint(figure: Any, _: Shape) -> None:
        axis = _axis(figure, unit, "")
        axis.set_yticks([])
        axis.barh([0], [high - low], left=[low], height=0.35, color=GREEN)
        axis.axvline(value, 0.3, 0.7, color=DARK, linewidth=2)
        axis.set_xlim(*limits)
        axis.set_ylim(-0.6, 0.6)
        for place, text in ((low, f"{low:g}"), (value, f"{value:g}"), (high, f"{high:g}")):
            axis.text(place, 0.28, text, ha="center", fontsize=8)

    return paint


def line_of_scans(place: float) -> Draw:
    """Scans between easy and hard, one of them marked."""

    def paint(figure: Any, _: Shape) -> None:
        axis = _axis(figure, "easy (0)  ...  hard (1)", "")
        axis.set_yticks([])
        scans = np.random.default_rng(4).random(24)
        axis.plot(scans, np.zeros_like(scans), "o", color=GREY, alpha=0.6, markersize=5)
        axis.plot([place], [0], "D", color=ORANGE, markersize=8)
        axis.text(place, 0.02, "this scan", ha="center", fontsize=8, color=ORANGE)

    return paint


def bars(heights: dict[str, float], up: str, mark: float | None = None) -> Draw:
    """A few named bars."""

    def paint(figure: Any, _: Shape) -> None:
        axis = _axis(figure, "", up)
        axis.bar(list(heights), list(heights.values()), color=[BLUE, ORANGE, GREY][: len(heights)], width=0.5)
        axis.set_ylim(0, 1)
        if mark is not None:
            axis.axhline(mark, color=RED, linestyle=":", linewidth=1)

    return paint


def _axis(figure: Any, across: str, up: str) -> Any:
    axis = figure.subplots()
    axis.set_xlabel(across, fontsize=8)
    axis.set_ylabel(up, fontsize=8)
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)
    return axis


_SHARP = np.sort(np.random.default_rng(1).random(60))
_FALLS = 0.8 - 0.6 * _SHARP + 0.08 * np.random.default_rng(2).standard_normal(60)
_NOISE = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
_SURE = np.linspace(0.5, 1.0, 6)

PAINTERS: dict[str, Draw] = {
    "uncertainty": slices("scan", "uncertainty"),
    "vacuity": slices("like training", "never seen"),
    "entropy": slices("sharp edge", "blurred edge"),
    "disagreement": slices("samples", "where they disagree"),
    "sample": slices("sample 1", "sample 2", "sample 3"),
    "level": slices("coarse level", "fine level"),
    "which-parts": slices("without the part", "with the part", "which parts"),
    "how-far": slices("shorter", "longer", "how far"),
    "rim": slices("rim inside", "rim outside", "rim"),
    "threshold": slices("all values", "above the threshold"),
    "uncertain-region": slices("at an edge", "inside", "near none"),
    "volume-range": interval(1.9, 2.4, 2.8, "Volume (ml)", (1.5, 3.2)),
    "longest-diameter": slices("across the structure"),
    "growth": slices("first scan", "second scan", "what is new"),
    "doubling-time": curve(
        np.arange(0, 361, 60), 2 ** (np.arange(0, 361, 60) / 180), "Days", "Volume (ml)", BLUE, mark=2.0
    ),
    "dice": slices("Dice 0.9", "Dice 0.5"),
    "predicted-dice": interval(0.81, 0.87, 0.92, "Dice", (0.5, 1.0)),
    "surface-distance": slices("distance of outlines"),
    "agreement": curve(_NOISE, [1, 0.99, 0.97, 0.94, 0.9, 0.83, 0.74], "Noise strength", "Agreement", BLUE, mark=0.9),
    "calibration-error": curve(
        _SURE, [0.5, 0.56, 0.64, 0.72, 0.81, 0.9], "How sure (0 to 1)", "How often right", BLUE, ideal=_SURE
    ),
    "error-detection": bars({"wrong voxels": 0.72, "right voxels": 0.2}, "Uncertainty"),
    "edge-correlation": curve(_SHARP, _FALLS, "Sharpness of the edge", "Uncertainty", ORANGE),
    "ordered-pairs": bars({"right order": 0.8, "wrong order": 0.2}, "Share of pairs", mark=0.5),
    "noise-order": curve(_NOISE, [0.05, 0.07, 0.1, 0.14, 0.19, 0.22, 0.3], "Noise strength", "Uncertainty", ORANGE),
    "perception-scale": slices("detail everywhere: easy", "detail in one place: hard"),
    "hardness": line_of_scans(0.82),
    "validity": bars({"damaged": 0.81, "intact": 0.42}, "Hardness"),
}

if __name__ == "__main__":
    sys.exit(main())
