"""Pictures of a result on three orthogonal slices: scan, thin contours, and the uncertain voxels coloured over it.

Drawn with matplotlib's Agg canvas; no window, no OpenGL and no global state.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.labels import Label
from ..inference.result import SegmentationResult
from .additions import Picture
from .anatomical_planes import PLANES, Plane, cut, letters, planes_of, ras_grid, to_ras
from .cut_planes import Place, cut_planes_of
from .overlay import TEXT, draw_scale, overlay_colours

BACKGROUND = "#0b0d10"
FINE = 4
"""Overlay pixels a voxel."""
LARGE = 200_000
"""Pixels of a slice from which its overlay is fine enough as it is."""
SCALE_BARS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
COMPRESSION = 4
"""Half the work of the usual 6, for files an eighth larger."""
PANEL_INCHES = 4.3
LINE = 1.6
HATCH, HATCH_COLOUR, NOT_ANALYSED = "///", "#8d96a066", "not analysed"


def draw_slices(result: SegmentationResult, folder: Path) -> tuple[Picture, ...]:
    """Draw every place of ``cut_planes_of`` into ``folder/pictures``.

    Returns:
        The pictures in reading order. The scan's geometry is respected: millimetres are square on any spacing.
    """
    (folder / "pictures").mkdir(exist_ok=True)
    pictures = []
    for place in cut_planes_of(result):
        file = f"pictures/{place.key}.png"
        _draw(result, place, folder / file)
        pictures.append(Picture(file, place.title, place.caption))
    return tuple(pictures)


def _draw(result: SegmentationResult, place: Place, path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    planes = planes_of(place.shown)
    size = [
        (part.stop - part.start) * mm for part, mm in zip(place.shown, ras_grid(result.image.grid).spacing, strict=True)
    ]
    widths = [size[plane.across] for plane in planes]
    room = PANEL_INCHES * len(planes)
    height = min(max(room / sum(widths) * max(size[plane.up] for plane in planes), 2.0), 9.0)
    figure = Figure(figsize=(room + 1.1, height + 0.9), facecolor=BACKGROUND, dpi=120)
    FigureCanvasAgg(figure)
    spec = figure.add_gridspec(
        1,
        len(planes) + 1,
        width_ratios=[*widths, 0.08 / PANEL_INCHES * sum(widths)],
        left=0.01,
        right=1 - 0.8 / (room + 1.1),
        top=1 - 0.4 / (height + 0.9),
        bottom=0.5 / (height + 0.9),
        wspace=0.03,
    )
    for column, plane in enumerate(planes):
        Panel(result, place, plane, figure.add_subplot(spec[0, column])).draw()
    highest = result.highest(result.uncertainty_kind)
    draw_scale(figure, figure.add_subplot(spec[0, len(planes)]), result.threshold, result.uncertainty_kind, highest)
    _legend(figure, _visible_labels(result, place), hatched=bool(np.isnan(result.uncertainty.array).any()))
    figure.text(0.012, 0.985, place.title, color=TEXT, fontsize=12, va="top")
    figure.savefig(path, facecolor=BACKGROUND, pil_kwargs={"compress_level": COMPRESSION})


class Panel:
    """One plane on one pair of axes, in millimetres from the lower left corner."""

    def __init__(self, result: SegmentationResult, place: Place, plane: Plane, axes: Any) -> None:
        self.result, self.place, self.plane, self.axes = result, place, plane, axes
        self.grid = ras_grid(result.image.grid)
        across, up = place.shown[plane.across], place.shown[plane.up]
        self.step = (self.grid.spacing[plane.across], self.grid.spacing[plane.up])
        self.width = (across.stop - across.start) * self.step[0]
        self.height = (up.stop - up.start) * self.step[1]

    def draw(self) -> None:
        """Scan, uncertainty, outlines, region, mark, letters and scale bar, from below to above."""
        self._scan()
        self._uncertainty()
        self._contours()
        self._box()
        self._mark()
        self._letters()
        self._scale_bar()
        self.axes.set(xlim=(0, self.width), ylim=(0, self.height), aspect="equal", anchor="C")
        self.axes.set_axis_off()

    def _cut(self, array: NDArray[Any]) -> NDArray[Any]:
        return cut(to_ras(array, self.result.image.grid), self.plane, self.place.point, self.place.shown)

    def _show(self, image: NDArray[Any], **options: Any) -> None:
        self.axes.imshow(image, extent=(0, self.width, 0, self.height), origin="upper", **options)

    def _scan(self) -> None:
        shown = to_ras(self.result.image.array, self.result.image.grid)[self.place.shown]
        low, high = np.percentile(shown[:: _stride(shown)], (0.5, 99.9))
        image = self._cut(self.result.image.array).astype(np.float32)
        self._show(image, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), interpolation="bilinear")

    def _uncertainty(self) -> None:
        uncertainty = self._cut(self.result.uncertainty.array)
        self._hatch(np.isnan(uncertainty))
        if not (uncertainty > self.result.threshold).any():
            return
        self._show(
            overlay_colours(
                self._refined(np.nan_to_num(uncertainty)),
                self.result.threshold,
                self.result.highest(self.result.uncertainty_kind),
            ),
            interpolation="nearest",
        )

    def _hatch(self, unknown: NDArray[np.bool_]) -> None:
        """What was not analysed is hatched: no colour there must not read as certain."""
        if not unknown.any():
            return
        edges = np.pad(unknown, 1, mode="edge")
        x = (np.arange(edges.shape[1]) - 0.5) * self.step[0]
        y = self.height - (np.arange(edges.shape[0]) - 0.5) * self.step[1]
        area = self.axes.contourf(x, y, edges, levels=[0.5, 1.5], colors="none", hatches=[HATCH])
        area.set(edgecolor=HATCH_COLOUR, linewidth=0.0)

    def _refined(self, image: NDArray[Any]) -> NDArray[Any]:
        """The map interpolated linearly to square pixels, ``FINE`` along the shorter edge of a voxel."""
        from scipy import ndimage  # takes a while to load

        if image.size > LARGE:
            return image
        factors = [max(round(FINE * mm / min(self.step)), 1) for mm in reversed(self.step)]
        return np.asarray(ndimage.zoom(image, factors, order=1, mode="nearest", grid_mode=True))

    def _contours(self) -> None:
        shown = self._cut(self.result.labels.array)
        for label in self.result.label_set:
            self._draw_border(shown == label.value, label.color)

    def outline(self, mask: NDArray[np.bool_], color: Any, width: float = LINE) -> None:
        """The border of a mask (k, j, i) on the plane."""
        self._draw_border(self._cut(mask), color, width)

    def _draw_border(self, mask: NDArray[np.bool_], color: Any, width: float = LINE) -> None:
        if not mask.any():
            return
        shown = np.pad(mask, 1)
        x = (np.arange(shown.shape[1]) - 0.5) * self.step[0]
        y = self.height - (np.arange(shown.shape[0]) - 0.5) * self.step[1]
        lines = self.axes.contour(x, y, shown, levels=[0.5], colors=[color], linewidths=width)
        lines.set_path_effects(_halo(width + 0.8))

    def _box(self) -> None:
        from matplotlib.patches import Rectangle

        if self.place.box is None:
            return
        left, right = self._along(self.place.box, self.plane.across, 0)
        bottom, top = self._along(self.place.box, self.plane.up, 1)
        style: dict[str, Any] = {"fill": False, "edgecolor": TEXT, "linewidth": 0.9, "linestyle": (0, (4, 4))}
        self.axes.add_patch(Rectangle((left, bottom), right - left, top - bottom, **style))

    def _along(self, ranges: Any, axis: int, side: int) -> tuple[float, float]:
        """Low and high end of a range in mm on the panel; the horizontal axis runs against its letter."""
        shown, part, step = self.place.shown[axis], ranges[axis], self.step[side]
        low, high = (part.start - shown.start) * step, (part.stop - shown.start) * step
        return (self.width - high, self.width - low) if side == 0 else (low, high)

    def _mark(self) -> None:
        if not self.place.mark:
            return
        here = tuple(slice(n, n + 1) for n in self.place.point)
        x, y = np.mean(self._along(here, self.plane.across, 0)), np.mean(self._along(here, self.plane.up, 1))
        near, far = 0.025 * self.width, 0.06 * self.width
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            ends = ([x + dx * near, x + dx * far], [y + dy * near, y + dy * far])
            self.axes.plot(*ends, color="white", linewidth=1.4, path_effects=_halo(3.0))

    def _letters(self) -> None:
        names = letters(self.grid, self.plane)
        spots = {"left": (0.02, 0.5), "right": (0.98, 0.5), "top": (0.5, 0.98), "bottom": (0.5, 0.02)}
        for edge, (x, y) in spots.items():
            horizontal = {"left": "left", "right": "right"}.get(edge, "center")
            vertical = {"top": "top", "bottom": "bottom"}.get(edge, "center")
            self._text(x, y, names[edge], ha=horizontal, va=vertical, fontsize=12, fontweight="bold", color="#ffd54a")
        self._text(0.02, 0.98, self._position(), ha="left", va="top", fontsize=9, color=TEXT)

    def _position(self) -> str:
        """Name of the plane and where it lies along its normal, in the RAS millimetres of tables and Slicer."""
        value = (self.grid.ijk_to_ras @ (*self.place.point, 1.0))[self.plane.normal]
        return f"{self.plane.name}  {'RAS'[self.plane.normal]} {value:.1f} mm".replace("-", "−")

    def _scale_bar(self) -> None:
        length = max((mm for mm in SCALE_BARS_MM if mm <= 0.25 * self.width), default=SCALE_BARS_MM[0])
        right, y = 0.97 * self.width, 0.03 * self.height
        self.axes.plot([right - length, right], [y, y], color="white", linewidth=2.5, solid_capstyle="butt")
        self.axes.annotate(
            f"{length} mm", (right - length / 2, y), (0, 4), textcoords="offset points", ha="center", **_text_style(8)
        )

    def _text(self, x: float, y: float, text: str, **style: Any) -> None:
        self.axes.text(x, y, text, transform=self.axes.transAxes, **{**_text_style(9), **style})


def _legend(figure: Any, labels: list[Label], hatched: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Line2D([], [], color=label.color, linewidth=3, label=label.name) for label in labels]
    if hatched:
        handles.append(Patch(facecolor="none", edgecolor=HATCH_COLOUR, hatch=HATCH, label=NOT_ANALYSED))
    if handles:
        columns = min(len(handles), 6)
        figure.legend(handles=handles, loc="lower center", ncols=columns, frameon=False, labelcolor=TEXT, fontsize=10)


def _visible_labels(result: SegmentationResult, place: Place, most: int = 12) -> list[Label]:
    """The labels on the three planes, in their order."""
    array = to_ras(result.labels.array, result.labels.grid)
    seen = {int(v) for plane in PLANES for v in np.unique(cut(array, plane, place.point, place.shown))}
    return [label for label in result.label_set if label.value in seen][:most]


def _stride(array: NDArray[Any]) -> int:
    return max(1, array.size // 2_000_000)


def _text_style(size: float) -> dict[str, Any]:
    return {"fontsize": size, "color": TEXT, "path_effects": _halo(2.0)}


def _halo(width: float) -> list[Any]:
    """A dark rim, so that lines and letters stay readable on bright tissue."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground="#000000b0")]
