"""``docs/pictures/hierarchical.png``: readers, samples and the map of every level for a few validation slices.

    python Testing/Studies/reader_picture.py [--data DIR]

Slices are chosen by a rule, never by hand: those of the validation split whose readers differ most, at most one
a patient.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from readers.shifted_slices import middle
from SUREUncertaintyLib.arrays.normalisation import normalise
from SUREUncertaintyLib.evaluation.raters import (
    RaterArrays,
    RaterSlice,
    find_rater_files,
    read_rater_arrays,
    read_rater_table,
)
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.sampling.draw import SampleSource
from SUREUncertaintyLib.inference.sampling.encoding import latent_layout
from SUREUncertaintyLib.inference.sampling.statistics import SampleStatistics
from SUREUncertaintyLib.metrics.multirater import diversity
from SUREUncertaintyLib.packages.catalogue import find_package

ROOT = Path(__file__).resolve().parents[2]
MODEL = "lung-nodule-ct"
ROWS, DRAWN, MAPPED = 4, 4, 40
SIDE = 64
"""Pixels: the middle of every slice, the box that the package wants."""
SHOWN = slice(8, 56)
LEAST_AREA = 60
READER, SAMPLE = "#7fd4ff", "#ffb454"
DARK, LIGHT = "#0b0d10", "#e8eaed"

Row = dict[str, NDArray[Any]]


def disputed(arrays: RaterArrays, entries: tuple[RaterSlice, ...]) -> list[int]:
    """Rows of the slices whose readers differ most although each marked something, one a patient."""
    best: dict[str, tuple[float, int]] = {}
    for entry in entries:
        masks = arrays.masks(entry.row)
        if masks.reshape(len(masks), -1).sum(1).min() >= LEAST_AREA:
            best[entry.patient] = max(best.get(entry.patient, (-1.0, -1)), (diversity(masks), entry.row))
    return [row for _, row in sorted(best.values(), reverse=True)[:ROWS]]


def drawn(package: Any, engine: Any, image: NDArray[np.uint8]) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """Sample masks (DRAWN, H, W), and maps of mutual information: all levels, then each alone."""
    metadata, layout = package.metadata, latent_layout(package.metadata)
    volume = normalise(image[np.newaxis], metadata.normalisation)[np.newaxis]
    temperature = metadata.sample_temperature
    source = SampleSource(volume, engine, layout, metadata.patch, metadata.overlap, temperature=temperature)
    masks, maps = [], []
    for levels in (None, *({level} for level in range(layout.levels))):
        part = source if levels is None else source.at_levels(frozenset(levels))
        statistics = SampleStatistics((len(metadata.labels), *part.plan.shape))
        for sample in part.draw(MAPPED):
            winners = statistics.add(sample)
            masks += [winners[0]] if levels is None and len(masks) < DRAWN else []
        maps.append(statistics.maps().mutual_information[0])
    return np.stack(masks), maps


def main() -> None:
    """Draw and write the picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    folder = parser.parse_args().data / "lidc_multirater"
    archive, table = find_rater_files(folder)
    whole, package = read_rater_arrays(archive), find_package(MODEL)
    arrays = RaterArrays(middle(whole.images, SIDE), middle(whole.bits, SIDE), whole.raters)
    engine = create_engine(package, "openvino")
    rows = disputed(arrays, read_rater_table(table, len(arrays.images), "val"))
    found = [(arrays.images[row], arrays.masks(row), *drawn(package, engine, arrays.images[row])) for row in rows]
    levels = len(found[0][3]) - 1
    titles = ["four readers", *(f"sample {n}" for n in range(DRAWN)), "uncertainty, all levels"]
    titles += [f"level {n}" + {0: " (finest)", levels - 1: " (coarsest)"}.get(n, "") for n in range(levels)]
    figure = Figure(figsize=(1.35 * len(titles), 1.42 * len(found) + 0.2), facecolor=DARK, dpi=110)
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(found), len(titles), squeeze=False)
    figure.subplots_adjust(left=0.004, right=0.996, bottom=0.005, top=0.94, wspace=0.03, hspace=0.03)
    for axes, (image, readers, samples, maps) in zip(panels, found, strict=True):
        draw_row(axes, image, readers, samples, maps)
    for panel, title in zip(panels[0], titles, strict=True):
        panel.set_title(title, color=LIGHT, fontsize=8, pad=3)
    figure.savefig(ROOT / "docs" / "pictures" / "hierarchical.png", facecolor=DARK)


def draw_row(
    axes: Any, image: NDArray[Any], readers: NDArray[Any], samples: NDArray[Any], maps: list[NDArray[Any]]
) -> None:
    """One slice: outlines of all readers, of single samples, and the maps on one scale."""
    highest = float(np.log(2.0))
    for panel in axes:
        panel.set_axis_off()
        panel.imshow(image[SHOWN, SHOWN], cmap="gray", interpolation="bilinear")
    for mask in readers:
        _outline(axes[0], mask, READER)
    for panel, mask in zip(axes[1:], samples, strict=False):
        _outline(panel, mask, SAMPLE)
    for panel, uncertainty in zip(axes[1 + len(samples) :], maps, strict=True):
        panel.imshow(uncertainty[SHOWN, SHOWN], cmap="inferno", vmin=0.0, vmax=highest, interpolation="bilinear")


def _outline(panel: Any, mask: NDArray[Any], colour: str) -> None:
    if mask[SHOWN, SHOWN].any():
        panel.contour(mask[SHOWN, SHOWN], levels=[0.5], colors=[colour], linewidths=0.9)


if __name__ == "__main__":
    main()
