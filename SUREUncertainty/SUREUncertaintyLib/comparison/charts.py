"""The charts of a study: Dice and uncertainty under damage, and risk against coverage, a line an arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..corruptions.registry import find_corruption
from .arm_result import POINT, ArmResult
from .scan_level import points_of, risk_coverage

BACKGROUND = "#ffffff"
MAIN = "#111111"
COLOURS = ("#0b6e4f", "#d1495b", "#2e86ab", "#8d5a97", "#e08e0b", "#6b705c", "#7a4419", "#c77dff", "#00b4a0", "#ff70a6")
MARKERS = ("o", "s", "^", "v", "D", "P", "X", "*", "<", ">")
PANEL = (3.1, 2.35)
COLUMNS = 4


def draw_robustness(arms: Sequence[ArmResult], target: Path, main: str = "") -> None:
    """A panel a corruption: mean Dice with the label (full lines) and mean uncertainty near the boundary (dotted).

    Args:
        main: the arm that is drawn black and thicker.
    """
    names = _corruptions(arms)
    figure = _figure(PANEL[0] * COLUMNS, PANEL[1] * -(-len(names) // COLUMNS) + 0.7)
    panels = list(figure.subplots(-(-len(names) // COLUMNS), COLUMNS, sharex=True, sharey=True, squeeze=False).flat)
    twins = [panel.twinx() for panel in panels]
    for panel, twin, name in zip(panels, twins, names, strict=False):
        twin.sharey(twins[0])
        for number, arm in enumerate(arms):
            levels, dice, uncertainty = _curve(arm, name)
            style = {**_line(number, arm, main), "marker": MARKERS[number % len(MARKERS)], "ms": 3.5}
            panel.plot(levels, dice, "-", **style, label=arm.title)
            # each arm has a scale of its own, so uncertainty is shown as a multiple of the undamaged scan's
            twin.plot(levels, [value / uncertainty[0] for value in uncertainty], ":", **style)
        panel.set_title(find_corruption(name).title, fontsize=9)
        _tidy(panel)
        _tidy(twin, grid=False)
    for number, panel in enumerate(panels):
        panel.set_visible(number < len(names))
        panel.tick_params(labelbottom=number + COLUMNS >= len(names))
        twins[number].set_visible(number < len(names))
        twins[number].tick_params(labelright=number % COLUMNS == COLUMNS - 1 or number == len(names) - 1)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(arms)), frameon=False, fontsize=8)
    figure.suptitle(
        "Dice (full, left) and uncertainty near the boundary, as a multiple of the undamaged scan's (dotted, right)",
        fontsize=10,
    )
    figure.savefig(target, facecolor=BACKGROUND)


def draw_risk(arms: Sequence[ArmResult], target: Path, main: str = "") -> None:
    """Mean 1 - Dice of the accepted scans against the share that is accepted, least uncertain first; see above."""
    figure = _figure(6.2, 4.2)
    panel = figure.subplots()
    for number, arm in enumerate(arms):
        coverage, risk = risk_coverage(points_of(arm))
        panel.plot(coverage, risk, **_line(number, arm, main), label=f"{arm.title}, area {risk.mean():.3f}")
    panel.set_xlabel("share of scans accepted, least uncertain first", fontsize=9)
    panel.set_ylabel("mean 1 - Dice of the accepted", fontsize=9)
    panel.set_xlim(0, 1)
    panel.set_ylim(bottom=0)
    _tidy(panel)
    panel.legend(frameon=False, fontsize=8)
    figure.savefig(target, facecolor=BACKGROUND)


FIGURES: dict[str, Callable[[Sequence[ArmResult], Path, str], None]] = {
    "robustness": draw_robustness,
    "risk": draw_risk,
}


def draw(name: str, arms: Sequence[ArmResult], target: Path, main: str = "") -> None:
    """Draw one figure as PNG, the arm ``main`` black and thicker than the others.

    Raises:
        InputError: no such figure, or no arm to draw.
    """
    if name not in FIGURES:
        raise InputError(f"There is no figure '{name}'. Choose one of: {', '.join(FIGURES)}.")
    if not arms:
        raise InputError("There is no result to draw. Run the study first: sure compare run.")
    target.parent.mkdir(parents=True, exist_ok=True)
    FIGURES[name](arms, target, main)


def _line(number: int, arm: ArmResult, main: str) -> dict[str, Any]:
    return {"color": MAIN, "lw": 2.0} if arm.name == main else {"color": COLOURS[number % len(COLOURS)], "lw": 1.3}


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor=BACKGROUND, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _tidy(panel: Any, grid: bool = True) -> None:
    if grid:
        panel.grid(color="#e3e6ea", lw=0.6)
    panel.tick_params(labelsize=8)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)


def _corruptions(arms: Sequence[ArmResult]) -> list[str]:
    place = POINT.index("corruption")
    return list(dict.fromkeys(row[place] for arm in arms for row in arm.points if row[place]))


def _curve(arm: ArmResult, corruption: str) -> tuple[list[float], list[float], list[float]]:
    """Levels with 0, mean Dice and mean uncertainty near the boundary, over the cases that have this corruption."""
    case, name, level, near, dice = (POINT.index(key) for key in ("case", "corruption", "level", "near", "dice"))
    cases = {row[case] for row in arm.points if row[name] == corruption}
    rows = [row for row in arm.points if row[case] in cases and row[name] in ("", corruption)]
    levels = sorted({float(row[level]) for row in rows})
    means = [
        [float(np.nanmean([row[column] for row in rows if row[level] == value])) for value in levels]
        for column in (dice, near)
    ]
    return levels, means[0], means[1]
