"""``docs/pictures/hierarchical-levels.png``: what each level moves in the network whose levels add up.

    python Testing/Studies/level_picture.py --data DIR --work DIR

``--work`` is that of ``reader_study.py``; the first seed of the chosen setting is trained there if it is missing.
Slices are chosen by a rule, never by hand: those of the tuning patients whose readers differ most, one a patient.
"""

from __future__ import annotations

import argparse
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
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    asked = parser.parse_args()
    plan = Comparison(asked.data, asked.work.absolute(), STEPS, 1)
    network: Any = network_of(plan, level_recipe(CHOSEN_LEVELS, 0, STEPS))
    every = range(network.levels)
    drawn = [None, *(frozenset({level}) for level in reversed(every))]
    titles = ["four readers", "all levels", *(f"level {level} alone" for level in reversed(every))]
    titles[2], titles[-1] = f"{titles[2]} (coarsest)", f"{titles[-1]} (finest)"
    rows = disputed(plan.arrays, plan.slices("tuning"))
    figure = Figure(figsize=(1.5 * len(titles), 1.55 * len(rows) + 0.2), facecolor=DARK, dpi=110)
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(rows), len(titles), squeeze=False)
    figure.subplots_adjust(left=0.004, right=0.996, bottom=0.005, top=0.94, wspace=0.03, hspace=0.03)
    for axes, row in zip(panels, rows, strict=True):
        image = plan.arrays.images[row]
        masks = [plan.arrays.masks(row)]
        for levels in drawn:
            samples = NetworkPredictor([network], "latents", DRAWN, levels=levels).predict(image, (row,)).samples
            masks.append(samples.argmax(axis=1))
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
