"""Renders docs/pictures/tutorial-*.png: the demo's own result as Slicer's views show it, without a desktop.

    python Testing/Bench/tutorial_pictures.py [--log TRAINING/log.csv]

With ``--log`` the curves of a training are drawn too.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from SUREUncertaintyLib.analysis.noise_series import LEVELS, damaged, level_row
from SUREUncertaintyLib.core.roi import roi_grid, roi_slices
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.demo_input import ROIS, demo_scan
from SUREUncertaintyLib.inference.session import LiveSession
from SUREUncertaintyLib.mrml.camera_focus import focus_of
from SUREUncertaintyLib.mrml.charts import axis_range
from SUREUncertaintyLib.mrml.chosen_map import PAINTED, PRIMARY, show_in_threed, show_legend
from SUREUncertaintyLib.mrml.display import jump_to, set_band, show_overlay, show_surfaces
from SUREUncertaintyLib.mrml.framing import FROM, slice_frame
from SUREUncertaintyLib.mrml.headless import SLICE_VIEWS, HeadlessScene
from SUREUncertaintyLib.mrml.noise_series import CHARTS
from SUREUncertaintyLib.mrml.opengl import MISSING, pick_gl
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.review import read_regions
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.training.training_log import curves_of, read_rows

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
MODEL = "hippocampus-t1"
SIZE = (620, 500)
DARK, TEXT = "#171a1f", "#e8eaed"
SHOWN_LEVELS = (0.0, 0.2, 0.4, 0.6)
AGREEMENT, UNCERTAINTY = "#4285c2", "#e86b24"


def main() -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--log", type=Path, help="log.csv of a training, for its curves")
    options = parser.parse_args()
    gl = pick_gl()
    if gl is None:
        raise SystemExit(MISSING)
    os.environ.update(gl.environment())
    FOLDER.mkdir(exist_ok=True)
    session = LiveSession(find_package(MODEL), "openvino")
    scan = demo_scan()
    session.open(scan, ROIS)
    draw_views(session.segment(), gl.is_software)
    draw_noise(session, scan)
    if options.log is not None:
        draw_curves(options.log)


def draw_views(result: Any, on_cpu: bool) -> None:
    """The result, the most uncertain region, and two bands."""
    from SUREUncertaintyLib.mrml.views import SliceView, ThreeDView

    with tempfile.TemporaryDirectory() as scratch, HeadlessScene() as headless:
        folder = Path(scratch)
        slices = {name: SliceView(headless, name, SIZE) for name in SLICE_VIEWS}
        threed = ThreeDView(headless, SIZE)
        published = publish(headless.scene, result)
        show_overlay(headless.scene, published)
        show_legend(published, PRIMARY, True)
        focus = focus_of(published)
        for view in slices.values():
            view.frame(*slice_frame(focus, view.node.GetOrientation()))
        shots = {name: save(view, folder / f"{name}.png") for name, view in slices.items()}
        show_surfaces(published)
        show_in_threed(headless.scene, published, PRIMARY, PAINTED, on_cpu)
        show_legend(published, PRIMARY, True)
        threed.look_at(focus.points, FROM)
        join([*shots.values(), save(threed, folder / "3d.png")], FOLDER / "tutorial-result.png", columns=2)
        first = read_regions(published.regions)[0]
        for view in slices.values():
            view.frame(np.asarray(first.centre_ras), 60.0)
        jump_to(headless.scene, first.centre_ras)
        places = [save(view, folder / f"place-{name}.png") for name, view in slices.items()]
        join(places, FOLDER / "tutorial-place.png", columns=3)
        green = slices["Green"]
        green.frame(*slice_frame(focus, green.node.GetOrientation()))
        bands = []
        for low in (result.threshold, min(0.9, result.threshold * 1.6)):
            set_band(published, low)
            bands.append(save(green, folder / f"band-{low:.2f}.png"))
        join(bands, FOLDER / "tutorial-band.png", columns=2)


def save(view: Any, path: Path) -> Path:
    """Draw a view into a file."""
    view.save(path)
    return path


def join(paths: list[Path], target: Path, columns: int) -> None:
    """Pictures side by side in one file, with a thin gap."""
    from PIL import Image

    images = [Image.open(path).convert("RGB") for path in paths]
    width, height = images[0].size
    rows, gap = -(-len(images) // columns), 4
    sheet = Image.new("RGB", (columns * (width + gap) - gap, rows * (height + gap) - gap), DARK)
    for number, image in enumerate(images):
        sheet.paste(image, ((number % columns) * (width + gap), (number // columns) * (height + gap)))
    sheet.save(target, optimize=True)


def draw_noise(session: LiveSession, scan: Volume) -> None:
    """The left region at rising noise, and what agreement and uncertainty do."""
    from matplotlib.figure import Figure

    region = ROIS[0]
    part = Volume(scan.array[roi_slices(scan.grid, region)].copy(), roi_grid(scan.grid, region), "part")
    session.open(part)
    results = {level: session.segment(damaged(part, "gaussian", level, 0)) for level in LEVELS}
    clean = results[0.0].labels.array
    rows = [
        level_row(level, clean, r.labels.array, r.uncertainty.array, part.grid.voxel_volume_mm3)
        for level, r in results.items()
    ]
    figure = Figure(figsize=(12, 2.9), facecolor=DARK, layout="constrained")
    axes = figure.subplots(1, len(SHOWN_LEVELS) + 2, width_ratios=[*[1] * len(SHOWN_LEVELS), 1.4, 1.4])
    middle = int(np.argmax((clean > 0).sum(axis=(0, 2))))
    for axis, level in zip(axes, SHOWN_LEVELS, strict=False):
        draw_part(axis, results[level], middle, level)
    for chart, (column, look), colour in zip(axes[-2:], CHARTS.items(), (AGREEMENT, UNCERTAINTY), strict=True):
        values = [getattr(row, column) for row in rows]
        chart.plot(LEVELS, values, "o-", color=colour)
        chart.set_ylim(*axis_range(values))
        chart.set_title(look.title.format(damage="Noise"), color=TEXT, fontsize=8)
        style(chart, "Noise strength", "")
    figure.savefig(FOLDER / "tutorial-noise.png", dpi=110, facecolor=DARK)


def draw_part(axis: Any, result: Any, row: int, level: float) -> None:
    """A coronal slice with uncertainty and outline."""
    image, uncertainty, labels = (v.array[::-1, row, :] for v in (result.image, result.uncertainty, result.labels))
    axis.imshow(image, cmap="gray", vmin=np.percentile(image, 1), vmax=np.percentile(image, 99.5))
    glowing = np.ma.masked_less(uncertainty, result.threshold)
    axis.imshow(glowing, cmap="inferno", vmin=0, vmax=min(1.0, 2 * result.threshold), alpha=0.8)
    axis.contour(labels > 0, levels=[0.5], colors=["#4cc3d9"], linewidths=1.2)
    axis.set_title(f"strength {level:.1f}", color=TEXT, fontsize=10)
    axis.set_axis_off()


def draw_curves(log: Path) -> None:
    """Loss and Dice of a training."""
    from matplotlib.figure import Figure

    curves = curves_of(read_rows(log))
    figure = Figure(figsize=(6.4, 3.2), facecolor=DARK, layout="constrained")
    axis = figure.subplots()
    axis.plot(curves["step"], curves["loss"], color=UNCERTAINTY, label="loss (share of the first)")
    measured = [(step, dice) for step, dice in zip(curves["step"], curves["tuning_dice"], strict=True) if dice == dice]
    axis.plot(*zip(*measured, strict=True), "o-", color=AGREEMENT, label="Dice on scans set aside")
    axis.set_ylim(0, 1.05)
    style(axis, "Step", "")
    axis.legend(facecolor=DARK, edgecolor="#444", labelcolor=TEXT, fontsize=8)
    figure.savefig(FOLDER / "tutorial-training.png", dpi=110, facecolor=DARK)


def style(axis: Any, x: str, y: str) -> None:
    """Light text on dark."""
    axis.set_facecolor(DARK)
    axis.set_xlabel(x, color=TEXT)
    axis.set_ylabel(y, color=TEXT)
    axis.tick_params(colors=TEXT)
    axis.grid(color="#333")
    for spine in axis.spines.values():
        spine.set_color("#555")


if __name__ == "__main__":
    main()
