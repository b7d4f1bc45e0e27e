"""Labelled phantoms and engines for the robustness test."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.evaluation.cases import Case, single_case
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.robustness.measure import Robustness, parse_corruptions, run_robustness
from SUREUncertaintyLib.robustness.series import SeriesOptions
from tiny import PointEngine

LEVELS = (0.1, 0.4, 0.8)


SHAPE = (24, 22, 20)


class Recorder(PointEngine):
    """Keeps what the network is given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[NDArray[np.float32]] = []

    def logits(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        self.seen.append(windows.copy())
        return super().logits(windows)


def phantom() -> NDArray[np.uint8]:
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[8:14, 8:14, 8:14] = 1
    labels[10:12, 10:12, 10:12] = 2
    return labels


def write_case(folder: Path, name: str = "a", seed: int = 0, below_zero: bool = False) -> Case:
    """A scan whose brightness follows its label, and the label."""
    labels, grid = phantom(), Grid(SHAPE, (1.0, 1.0, 1.0))
    noise = np.random.default_rng(seed).normal(0, 3, SHAPE)
    image = (60 + 40.0 * (labels == 1) - 50.0 * (labels == 2) + noise).astype(np.float32)
    write_volume(Volume(image - (100 if below_zero else 0), grid), folder / f"{name}.nii.gz")
    write_volume(Volume(labels, grid), folder / f"{name}_label.nii.gz")
    return single_case(folder / f"{name}.nii.gz", folder / f"{name}_label.nii.gz")


def run(
    cases: list[Case], package: Package, corruption: str, output: Path, engine: Any = None, **options: Any
) -> Robustness:
    predictor = NativePredictor(package, engine or PointEngine())
    chosen = SeriesOptions(**{"levels": LEVELS, **options})
    return run_robustness(cases, predictor, parse_corruptions(corruption), output, chosen)


class Stop:
    """Says stop after some asks, and counts the network's calls."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0
