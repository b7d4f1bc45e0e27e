"""Phantom scans in a folder for ``sure fit``, and packages of the small nnU-Nets that were trained on such phantoms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nnunet_folders import write_training
from nnunet_phantoms import make_phantom
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.fitting.settings import FitSettings
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.package import Package

QUICK = FitSettings(copies=2, steps=6, slices=2, crop=(24, 24), fine=4, coarse=4, context=2)
"""A fit that learns next to nothing, in seconds."""

SHAPES = {
    "plain": ((26, 30, 28), (1.0, 1.0, 1.0), 1),
    "regions": ((30, 28, 10), (3.5, 1.0, 1.0), 2),
    "slices": ((9, 34, 30), (1.0, 1.0, 4.0), 1),
}


def imported_nnunet(folder: Path, name: str, folds: int = 1) -> Package:
    """A set of ``Testing/Data/nnunet`` as a package."""
    root = write_training(folder / "results", name, folds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SURE_MODELS", str(folder / "models"))
        return import_package(root, name)


def write_scans(folder: Path, name: str, count: int, labels: Path | None = None) -> Path:
    """``count`` phantoms of the kind that a set was trained on; several channels as nnU-Net names them."""
    shape, spacing, channels = SHAPES[name]
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        phantom = make_phantom(900 + number, shape, spacing, channels)
        volumes = phantom.volumes([f"channel{n}" for n in range(channels)])
        for channel, volume in enumerate(volumes):
            ending = f"_{channel:04d}" if channels > 1 else ""
            write_volume(volume, folder / f"scan{number}{ending}.nii.gz")
        if labels is not None:
            labels.mkdir(exist_ok=True)
            write_volume(volumes[0].with_array(phantom.labels), labels / f"scan{number}.nii.gz")
    return folder


def noise_scan(shape: tuple[int, int, int] = (26, 30, 28)) -> Volume:
    """Nothing but noise, of one sign: grey values unlike a phantom's."""
    array = np.random.default_rng(5).exponential(1.0, shape).astype(np.float32) ** 3
    return Volume(array, Grid(shape, (1.0, 1.0, 1.0), (3.0, -20.0, 5.0)))
