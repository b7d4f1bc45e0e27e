"""Every slice of end-diastole above the same slice of end-systole, with outline and uncertainty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.geometry import STACK, reorient_grid
from ..core.resampling import resample
from ..core.volume import Volume
from ..inference.result import SegmentationResult
from ..report.overlay import TEXT, draw_scale, overlay_colours
from ..report.slice_pictures import BACKGROUND
from .cine_result import CineResult

FILE = "phases.png"
MOST_SLICES = 12
MARGIN_MM = 35.0
NAMES = ("End-diastole", "End-systole")


def draw_phases(result: CineResult, folder: Path) -> str:
    """Draw ``folder/phases.png``; the file's name. Stacks of more slices than fit show evenly spaced ones."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    phases = (result.end_diastole, result.end_systole)
    value, threshold = result.structure.value, phases[0].threshold
    stacks = [_stacks(phase) for phase in phases]
    rows, columns = _window(np.any([labels == value for _, labels, _ in stacks], axis=(0, 1)), _step(phases[0]))
    shown = _slices(len(stacks[0][0]))
    figure = Figure(figsize=(1.35 * len(shown) + 1.2, 3.4), facecolor=BACKGROUND, dpi=120)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        2, len(shown) + 1, width_ratios=[1.0] * len(shown) + [0.09], left=0.01, right=0.93, top=0.9, bottom=0.02
    )
    for row, (image, labels, uncertainty) in enumerate(stacks):
        low, high = np.percentile(image[:, rows, columns], (0.5, 99.7))
        for column, k in enumerate(shown):
            axes = figure.add_subplot(grid[row, column])
            axes.imshow(image[k, rows, columns], cmap="gray", vmin=low, vmax=max(high, low + 1e-6))
            axes.imshow(overlay_colours(uncertainty[k, rows, columns], threshold), interpolation="nearest")
            _outline(axes, labels[k, rows, columns] == value, result.structure.color)
            axes.set_axis_off()
            if column == 0:
                number = result.phases[row] + 1
                axes.set_title(f"{NAMES[row]}, frame {number}", color=TEXT, fontsize=9, loc="left", pad=3)
    draw_scale(figure, figure.add_subplot(grid[:, len(shown)]), threshold, phases[0].uncertainty_kind)
    figure.savefig(folder / FILE, facecolor=BACKGROUND)
    return FILE


def _stacks(phase: SegmentationResult) -> tuple[NDArray[Any], NDArray[np.uint8], NDArray[np.float32]]:
    """Scan, labels and uncertainty (slice, row, column) in the planes that were acquired."""
    grid = reorient_grid(phase.image.grid, STACK)
    image, labels, uncertainty = (
        resample(Volume(volume.array, phase.image.grid), grid).array
        for volume in (phase.image, phase.labels, phase.uncertainty)
    )
    return image, labels, np.nan_to_num(uncertainty)


def _step(phase: SegmentationResult) -> float:
    return reorient_grid(phase.image.grid, STACK).spacing[0]


def _window(inside: NDArray[np.bool_], step_mm: float) -> tuple[slice, slice]:
    """Rows and columns around the structure with a margin; everything where nothing was found."""
    if not inside.any():
        return slice(0, inside.shape[0]), slice(0, inside.shape[1])
    margin = round(MARGIN_MM / step_mm)
    found = []
    for axis in (1, 0):
        places = np.flatnonzero(inside.any(axis=axis))
        found.append(slice(max(0, int(places[0]) - margin), int(places[-1]) + margin + 1))
    return found[0], found[1]


def _slices(count: int) -> list[int]:
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, MOST_SLICES))})


def _outline(axes: Any, mask: NDArray[np.bool_], colour: tuple[float, float, float]) -> None:
    if mask.any():
        axes.contour(np.pad(mask, 1), levels=[0.5], colors=[colour], linewidths=1.2, extent=_padded(mask.shape))


def _padded(shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    return (-1.5, shape[1] + 0.5, -1.5, shape[0] + 0.5)
