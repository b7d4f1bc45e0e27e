"""A noise series as two charts with axes of their own, in the coordinates of their pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..analysis.noise_series import BREAKS_BELOW, LevelRow
from ..mrml.charts import MARKS, axis_range
from ..mrml.noise_series import CHARTS

LEFT, RIGHT, TOP, BOTTOM = 44.0, 330.0, 10.0, 104.0
"""Of the curve inside a picture of 340 x 130."""


def series_charts(rows: Sequence[LevelRow], damage: str) -> list[dict[str, Any]]:
    """Agreement and mean uncertainty against the strength of a damage, each with points, line, marks and title."""
    return [_chart(rows, key, chart.title.format(damage=damage)) for key, chart in CHARTS.items()]


def _chart(rows: Sequence[LevelRow], key: str, title: str) -> dict[str, Any]:
    values = {row.level: float(getattr(row, key)) for row in rows}
    low, high = axis_range(tuple(values.values()))
    last = max(values) or 1.0

    def x(level: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * level / last, 1)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (value - low) / (high - low), 1)

    points = [
        {"x": x(level), "y": y(value), "text": f"Strength {level:g}: {value:.3f}"}
        for level, value in values.items()
        if math.isfinite(value)
    ]
    marks = [low + (high - low) * n / MARKS for n in range(MARKS + 1)]
    return {
        "key": key,
        "title": title,
        "points": points,
        "line": " ".join(f"{point['x']},{point['y']}" for point in points),
        "ticks": [{"y": y(mark), "text": f"{mark:.3g}"} for mark in marks],
        "levels": [{"x": x(level), "text": f"{level:g}"} for level in values],
        "limit": y(BREAKS_BELOW) if key == "agreement" and low <= BREAKS_BELOW <= high else None,
    }
