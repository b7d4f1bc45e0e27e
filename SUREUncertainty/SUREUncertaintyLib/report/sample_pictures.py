"""What drawn samples say, on one slice: contours of probability, samples from small to large, a map a level."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core.latent_levels import LatentLevel, coarse_first, described_levels
from ..core.rounding import decimals
from ..core.volume import Volume
from ..inference.result import SegmentationResult
from ..inference.sampling.samples_result import Sampling
from .additions import Picture
from .anatomical_planes import planes_of
from .cut_planes import Place, cut_planes_of
from .overlay import TEXT
from .slice_pictures import BACKGROUND, Panel

COLUMNS = 4
TILE_INCHES = 3.2
CONTOURS = ((1, 1.0, "10 %"), (2, 1.6, "50 %"), (3, 2.2, "90 %"))
"""Bands from which a contour is drawn, the line's width, and the share of probability that it encloses."""
FAINTER = 0.25
"""A level alone makes less uncertainty than all together: its map is coloured from this share of the threshold on."""
CAPTION = (
    "What the samples say{}: contours around the voxels that at least 10, 50 and 90 % of them mark (thin to thick){}{}."
)
LEVELS = (
    ", and the uncertainty that each level of the samples makes alone, coarse to fine, coloured from {:.2f} on, where "
    "the map of all levels starts at {:.2f}: their colours cannot be compared with its"
)

Tile = tuple[str, Callable[[Any], None]]


def draw_samples(result: SegmentationResult, folder: Path) -> tuple[Picture, ...]:
    """Draw ``pictures/KEY-samples.png`` for every analysed region; nothing for a model without samples."""
    if result.sampling is None:
        return ()
    (folder / "pictures").mkdir(exist_ok=True)
    return tuple(_draw(result, place, folder) for place in cut_planes_of(result) if not place.mark)


def _draw(result: SegmentationResult, place: Place, folder: Path) -> Picture:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    assert result.sampling is not None
    tiles = list(_tiles(result, place))
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    figure = Figure(figsize=(columns * TILE_INCHES, rows * (TILE_INCHES + 0.25)), facecolor=BACKGROUND, dpi=120)
    FigureCanvasAgg(figure)
    spec = figure.add_gridspec(rows, columns, left=0.01, right=0.99, bottom=0.01, top=1 - 0.1 / rows)
    spec.update(wspace=0.04, hspace=0.12)
    for number, (title, draw) in enumerate(tiles):
        axes = figure.add_subplot(spec[number // columns, number % columns])
        draw(axes)
        axes.set_title(title, color=TEXT, fontsize=9, pad=4)
    file = f"pictures/{place.key.replace('structures', 'samples')}.png"
    figure.savefig(folder / file, facecolor=BACKGROUND)
    return Picture(file, place.title.replace("tructures", "amples"), _caption(result, place))


def _tiles(result: SegmentationResult, place: Place) -> Iterator[Tile]:
    """Title and drawing of every tile."""
    sampling = result.sampling
    assert sampling is not None
    yield "10 / 50 / 90 % contours", lambda axes: _contours(result, place, axes)
    blank = _blank(result)
    for number, title in _chosen_samples(sampling).items():
        variant = replace(result, labels=sampling.samples[number], uncertainty=blank)
        yield title, _whole(variant, place)
    yield "uncertainty, all levels", _whole(result, place)
    for level in _telling_levels(sampling):
        variant = replace(result, uncertainty=sampling.levels[level.number], threshold=FAINTER * result.threshold)
        yield level.title(), _whole(variant, place)


def _chosen_samples(sampling: Sampling) -> dict[int, str]:
    """The smallest, the middle and the largest kept sample, then the two that differ most, by number with a title."""
    order = sampling.smallest_first()
    if not order:
        return {}
    titles = {order[0]: "smallest sample", order[-1]: "largest sample", order[len(order) // 2]: "middle sample"}
    chosen = {number: titles[number] for number in order if number in titles}
    chosen |= {number: "differs most: sample" for number in sampling.most_different if number not in chosen}
    return {number: f"{title} ({number}){_ml(sampling, number)}" for number, title in chosen.items()}


def _ml(sampling: Sampling, number: int) -> str:
    volume = decimals(sampling.sample_ml(number))
    return f": {volume} ml" if volume else ""


def _telling_levels(sampling: Sampling) -> list[LatentLevel]:
    """The levels with a map that carry something, coarse to fine."""
    described = described_levels(len(sampling.levels), sampling.scales)
    return [level for level in coarse_first(described) if not level.silent]


def _blank(result: SegmentationResult) -> Volume:
    """A map without uncertainty: 0 where the scan was analysed, NaN elsewhere."""
    return result.uncertainty.with_array(result.uncertainty.array * np.float32(0))


def _whole(result: SegmentationResult, place: Place) -> Callable[[Any], None]:
    return lambda axes: Panel(result, place, planes_of(place.shown)[0], axes).draw()


def _contours(result: SegmentationResult, place: Place, axes: Any) -> None:
    assert result.sampling is not None
    blank = _blank(result)
    panel = Panel(replace(result, label_set=(), uncertainty=blank), place, planes_of(place.shown)[0], axes)
    panel.draw()
    colours = {label.name: label.color for label in result.label_set}
    for name, bands in result.sampling.bands.items():
        for band, width, _ in CONTOURS:
            panel.outline(bands.array >= band, colours[name], width)


def _caption(result: SegmentationResult, place: Place) -> str:
    assert result.sampling is not None
    different = ", the smallest, the middle and the largest sample" if result.sampling.samples else ""
    low, high = FAINTER * result.threshold, result.threshold
    levels = LEVELS.format(low, high) if _telling_levels(result.sampling) else ""
    return CAPTION.format(f" in the region '{place.region}'" if place.region else "", different, levels)
