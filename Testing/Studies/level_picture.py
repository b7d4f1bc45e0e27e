"""``docs/pictures/hierarchical-levels.png``: what each level moves in the network whose levels add up.

    python Testing/Studies/level_picture.py --data DIR --work DIR

``--work`` is that of ``reader_study.py``; the first seed of the chosen setting is trained there if it is missing.
Slices are chosen by a rule, never by hand: those of the tuning patients whose readers differ most, one a patient.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reader_picture import DARK, LIGHT, READER, SAMPLE, SHOWN, disputed
from reader_study import Comparison, network_of
from readers.level_settings import CHOSEN_LEVELS, level_recipe
from readers.network_predictor import NetworkPredictor

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "hierarchical-levels.png"
DRAWN = 8
STEPS = 800


def main() -> None:
    """Draw and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    asked = parser.parse_args()
    plan = Comparison(asked.data, asked.work.absolute(), STEPS, 1)
    network: Any = network_of(plan, level_recipe(CHOSEN_LEVELS, 0, STEPS))
    rows = disputed(plan.arrays, plan.slices("tuning"))
    write_picture(network.levels, [(plan.arrays.images[row], _outlines(plan, network, row)) for row in rows])


def _outlines(plan: Comparison, network: Any, row: int) -> list[Any]:
    """Masks of the readers, of samples of all levels, and of each level alone, coarsest first."""
    drawn = [None, *(frozenset({level}) for level in reversed(range(network.levels)))]
    predictors = [NetworkPredictor([network], "latents", DRAWN, levels=levels) for levels in drawn]
    image = plan.arrays.images[row]
    samples = [predictor.predict(image, (row,)).samples.argmax(axis=1) for predictor in predictors]
    return [plan.arrays.masks(row), *samples]


def write_picture(levels: int, rows: Sequence[tuple[Any, list[Any]]]) -> None:
    """A row a slice, a column for what was drawn."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ends = {0: " (finest)", levels - 1: " (coarsest)"}
    titles = ["four readers", "all levels"]
    titles += [f"level {level} alone{ends.get(level, '')}" for level in reversed(range(levels))]
    figure = Figure(figsize=(1.5 * len(titles), 1.55 * len(rows) + 0.2), facecolor=DARK, dpi=110)
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(rows), len(titles), squeeze=False)
    figure.subplots_adjust(left=0.004, right=0.996, bottom=0.005, top=0.94, wspace=0.03, hspace=0.03)
    for axes, (image, masks) in zip(panels, rows, strict=True):
        for number, (panel, outlines) in enumerate(zip(axes, masks, strict=True)):
            _draw(panel, image, outlines, SAMPLE if number else READER)
    for panel, title in zip(panels[0], titles, strict=True):
        panel.set_title(title, color=LIGHT, fontsize=8, pad=3)
    figure.savefig(PICTURE, facecolor=DARK)


def _draw(panel: Any, image: Any, masks: Any, colour: str) -> None:
    panel.set_axis_off()
    panel.imshow(image[SHOWN, SHOWN], cmap="gray", interpolation="bilinear")
    for mask in masks:
        if mask[SHOWN, SHOWN].any():
            panel.contour(mask[SHOWN, SHOWN], levels=[0.5], colors=[colour], linewidths=0.7)


if __name__ == "__main__":
    main()
