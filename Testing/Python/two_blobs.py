"""A small finished result for tests of what comes after inference: two structures in an oblique, anisotropic scan."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from SUREUncertaintyLib.analysis.rows import Notice, StructureRow, UncertainRegion
from SUREUncertaintyLib.core.labels import Code, Label
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.result import SegmentationResult

NAN = float("nan")
LIVER = Label(
    5,
    "left blob",
    (0.9, 0.3, 0.3),
    Code("123037004", "SCT", "Anatomical Structure"),
    Code("10200004", "SCT", "Liver"),
)
LABELS = (LIVER, Label(12, "right blob", (0.2, 0.7, 0.9)), Label(20, "absent", (0.1, 0.9, 0.1)))


def oblique_grid(left_handed: bool = False) -> Grid:
    """20 x 30 x 40 voxels (k, j, i) of 0.8 x 1.3 x 2.7 mm, turned about all three axes."""
    turn = sitk.Euler3DTransform()
    turn.SetRotation(*np.radians((13, -22, 37)).tolist())
    direction = np.reshape(turn.GetMatrix(), (3, 3)) * (1, 1, -1 if left_handed else 1)
    return Grid((20, 30, 40), (0.8, 1.3, 2.7), (-10.0, 20.0, 5.0), tuple(direction.ravel().tolist()))


def two_blobs(left_handed: bool = False, name: str = "scan", model: str = "tiny") -> SegmentationResult:
    """Labels 5 and 12 as ellipsoids, 20 absent; uncertainty in shells around both, above the threshold 0.3."""
    grid = oblique_grid(left_handed)
    k, j, i = np.meshgrid(*[np.linspace(-1, 1, count) for count in grid.shape], indexing="ij")
    first = np.sqrt((k / 0.6) ** 2 + (j / 0.5) ** 2 + ((i + 0.4) / 0.35) ** 2)
    second = np.sqrt((k / 0.5) ** 2 + (j / 0.4) ** 2 + ((i - 0.5) / 0.3) ** 2)
    labels = np.where(second < 1, 12, np.where(first < 1, 5, 0)).astype(np.uint8)
    uncertainty = np.maximum(_shell(first) * 0.55, _shell(second) * 0.9 * (j > 0)).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 10, grid.shape)
    image = (300 * np.exp(-(k**2) - j**2 - i**2) + 200 * (labels > 0) + noise).astype(np.int16)
    return SegmentationResult(
        image=Volume(image, grid, name),
        labels=Volume(labels, grid, "labels"),
        uncertainty=Volume(uncertainty, grid, "uncertainty"),
        entropy=Volume(uncertainty * np.float32(0.5), grid, "entropy"),
        label_set=LABELS,
        structures=(
            StructureRow(5, "left blob", 1180, 3313.4, 3.3134, 3.0, 3.5, 0.1, 0.2, 0.05, 0.3, 0.1),
            StructureRow(20, "absent", 0, 0.0, 0.0, 0.0, 0.0, NAN, NAN, NAN, NAN, NAN),
        ),
        regions=(UncertainRegion(1, (1.5, 2.5, -3.25), 100.0, 50, 0.6, 0.9, 12.0, "right blob"),),
        notices=(Notice("island", "Ein Teil liegt für sich."),),
        threshold=0.3,
        provenance={"model": {"name": model, "version": "1", "fingerprint": "0" * 64}},
    )


def _shell(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(-(((distance - 1) / 0.15) ** 2))
