"""Renders docs/pictures/nnunet-*.png: an nnU-Net of two folds that was trained on phantoms, imported, and what it says.

    python Testing/Bench/own_nnunet_pictures.py

The folds are those of ``Testing/Data/nnunet/plain``, which nnU-Net's own trainer made (``nnunet_vectors.py``). The scan
is a phantom that they have not seen, and its noisy copy, of which they are less sure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Testing" / "Python"))
import view_page  # noqa: E402
from nnunet_folders import write_training  # noqa: E402
from nnunet_phantoms import make_phantom  # noqa: E402
from tutorial_pictures import DARK, FOLDER, TEXT  # noqa: E402

MODEL = "Dataset911_PhantomPlain"
SURE = [sys.executable, "-c", "from SUREUncertaintyLib.cli.app import main; main()"]
NOISE = 22.0
"""Spread of the noise that is added; the phantoms that were trained on have 8."""

COLOURS = ("#4cc3d9", "#f2c14e")


def run(folder: Path) -> Path:
    """Import and segment as a user does; the folder of results."""
    from SUREUncertaintyLib.files.writing import write_volume

    root = write_training(folder / "nnUNet_results", "plain", folds=2)
    phantom = make_phantom(500, (30, 36, 34), (1.0, 1.0, 1.0))
    (scan,) = phantom.volumes(("scan",))
    noise = np.random.default_rng(3).normal(0.0, NOISE, scan.array.shape)
    noise[:, :, : scan.array.shape[2] // 2] = 0.0
    write_volume(scan.with_array((scan.array + noise).astype(np.float32), "scan"), folder / "scan.nii.gz")
    environment = {**os.environ, "SURE_MODELS": str(folder / "models")}
    for command in (
        ["models", "import", str(root.parent)],
        ["segment", str(folder / "scan.nii.gz"), "--model", MODEL, "--output", str(folder / "result"), "--no-scene"],
    ):
        subprocess.run([*SURE, *command], check=True, env=environment)
    return folder / "result"


def draw_maps(scan: Path, result: Path) -> None:
    """A slice with outlines, the uncertainty, and what the folds disagree about."""
    from matplotlib.figure import Figure
    from SUREUncertaintyLib.files.reading import read_volume

    image = read_volume(scan).array
    labels = read_volume(result / "segmentation.seg.nrrd").array
    maps = {
        "uncertainty (entropy)": read_volume(result / "uncertainty.nrrd").array,
        "each by itself": read_volume(result / "maps" / "expected_entropy.nrrd").array,
        "what they disagree about": read_volume(result / "maps" / "mutual_information.nrrd").array,
    }
    middle = int(np.argmax((labels > 0).sum(axis=(1, 2))))
    figure = Figure(figsize=(11, 3.1), facecolor=DARK, layout="constrained")
    axes = figure.subplots(1, 4)
    _slice(axes[0], image[middle], labels[middle], "outlines of both structures")
    for axis, (name, array) in zip(axes[1:], maps.items(), strict=True):
        drawn = axis.imshow(array[middle], cmap="inferno", vmin=0.0, vmax=float(np.nanmax(array)))
        axis.contour(labels[middle] > 0, levels=[0.5], colors=[COLOURS[0]], linewidths=0.8)
        bar = figure.colorbar(drawn, ax=axis, shrink=0.8)
        bar.ax.tick_params(colors=TEXT, labelsize=7)
        axis.set_title(name, color=TEXT, fontsize=10)
        axis.set_axis_off()
    figure.savefig(FOLDER / "nnunet-maps.png", dpi=110, facecolor=DARK)


def _slice(axis: Any, image: np.ndarray, labels: np.ndarray, title: str) -> None:
    axis.imshow(image, cmap="gray", vmin=np.percentile(image, 1), vmax=np.percentile(image, 99))
    for value, colour in enumerate(COLOURS, 1):
        axis.contour(labels >= value, levels=[0.5], colors=[colour], linewidths=1.4)
    axis.set_title(title, color=TEXT, fontsize=10)
    axis.set_axis_off()


def shoot_report(result: Path) -> None:
    """The part of the report about the members."""
    with view_page.chromium() as browser:
        page = browser.new_page(viewport={"width": 900, "height": 700})
        page.goto((result / "report.html").as_uri())
        heading = page.get_by_role("heading", name="Agreement of the members")
        section = heading.locator("xpath=ancestor::section[1]")
        section.screenshot(path=str(FOLDER / "nnunet-members.png"))


def main() -> None:
    """Draw both pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = run(folder)
        draw_maps(folder / "scan.nii.gz", result)
        shoot_report(result)


if __name__ == "__main__":
    main()
