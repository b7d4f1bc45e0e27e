"""What the demo segments: the MNI152 T1 template, an average of 152 people, that the nilearn package carries."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from ..core.errors import SureError
from ..core.roi import Roi
from ..core.volume import LPS_TO_RAS, Grid, Volume

MODEL = "hippocampus-t1"
"""The model that fits the template and ``ROIS``."""

ROIS = (
    Roi("Left", (-44.0, -46.0, -34.0), (-8.0, 4.0, 6.0)),
    Roi("Right", (8.0, -46.0, -34.0), (44.0, 4.0, 6.0)),
)
"""Boxes around the hippocampi of the template, RAS mm, of the size of the training crops."""


def demo_scan() -> Volume:
    """The template at 1 mm, skull-stripped, float32. Nothing is downloaded.

    Raises:
        SureError: nilearn is not installed.
    """
    if find_spec("nilearn") is None:
        raise SureError(
            "The demo uses the brain template inside the nilearn package, which is not installed. "
            "Install it with: pip install 'sure-uncertainty[demo]'."
        )
    from nilearn.datasets import load_mni152_template

    template = load_mni152_template(resolution=1)
    array = np.asarray(template.dataobj, np.float32).T
    return Volume(np.ascontiguousarray(array), _grid(array.shape, template.affine), "MNI152 T1 template")


def _grid(shape: tuple[int, ...], ijk_to_ras: NDArray[np.float64]) -> Grid:
    """A grid from NIfTI's affine."""
    matrix = LPS_TO_RAS @ ijk_to_ras
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    k, j, i = shape
    return Grid(
        shape=(k, j, i),
        spacing=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        origin=(float(matrix[0, 3]), float(matrix[1, 3]), float(matrix[2, 3])),
        direction=tuple(float(x) for x in (matrix[:3, :3] / spacing).ravel()),
    )
