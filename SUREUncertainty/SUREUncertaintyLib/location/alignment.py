"""A template fitted to a scan by their correlation: first turned, shifted and scaled, then sheared too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..core.resampling import to_itk
from ..core.volume import LPS_TO_RAS, Volume
from .search import Pose
from .template import Template

FOLLOWED = 3
"""Poses that are followed to the end."""

WORK_UNITS = 2
"""Fixed, because sums over another number of parts round otherwise."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Without ITK's words on standard error about fits that leave the scan."""
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)


_FLIP = LPS_TO_RAS[:3, :3]
_SHRINK = 2
_SHARE = 0.5
_SEED = 1


@dataclass(frozen=True)
class Fit:
    """An affine map of template points to scan points, RAS mm: ``matrix`` x + ``shift``."""

    matrix: NDArray[np.float64]
    shift: NDArray[np.float64]
    likeness: float

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 3) RAS mm of the template to RAS mm of the scan."""
        return np.asarray(points @ self.matrix.T + self.shift)


class Aligner:
    """Fits one template to one scan, which is a working volume."""

    def __init__(self, template: Template, scan: Volume) -> None:
        self._fixed, self._moving = to_itk(template.volume), to_itk(scan)
        self._mask = to_itk(template.volume.with_array(template.mask))
        self._middle = template.middle

    def fits(self, poses: Sequence[Pose]) -> list[Fit]:
        """Follow every pose a little way, and the most alike ones to the end.

        A fit that left the scan can be the most alike of all, with the few voxels that remain: judge by what it covers.
        """
        with _quiet():
            rough = sorted((self._similar(pose) for pose in poses), key=lambda entry: entry[1])
            return [self._affine(start) for start, _ in rough[:FOLLOWED]]

    def _similar(self, pose: Pose) -> tuple[sitk.Transform, float]:
        start = sitk.Similarity3DTransform()
        start.SetMatrix((_FLIP @ pose.matrix @ _FLIP).ravel().tolist(), 1e-6)
        centre = _FLIP @ self._middle
        start.SetCenter(centre.tolist())
        start.SetTranslation((_FLIP @ pose.place - centre).tolist())
        return start, self._follow(start, 15)

    def _affine(self, start: sitk.Transform) -> Fit:
        affine = sitk.AffineTransform(3)
        affine.SetCenter(start.GetCenter())
        affine.SetMatrix(start.GetMatrix())
        affine.SetTranslation(start.GetTranslation())
        cost = self._follow(affine, 30)
        matrix = np.reshape(affine.GetMatrix(), (3, 3))
        centre = np.asarray(affine.GetCenter())
        shift = np.asarray(affine.GetTranslation()) + centre - matrix @ centre
        return Fit(_FLIP @ matrix @ _FLIP, _FLIP @ shift, -cost)

    def _follow(self, transform: sitk.Transform, steps: int) -> float:
        """Improve a transform in place; minus the squared correlation, -1 at best.

        A line search along every gradient: with steps of a given length some heads were left for their scalp.
        """
        method = sitk.ImageRegistrationMethod()
        method.SetNumberOfThreads(WORK_UNITS)
        method.SetMetricAsCorrelation()
        method.SetMetricFixedMask(self._mask)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(_SHARE, _SEED)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsConjugateGradientLineSearch(
            learningRate=1.0,
            numberOfIterations=steps,
            convergenceMinimumValue=1e-4,
            convergenceWindowSize=5,
            lineSearchLowerLimit=0.0,
            lineSearchUpperLimit=3.0,
            lineSearchEpsilon=0.05,
            lineSearchMaximumIterations=10,
            estimateLearningRate=method.EachIteration,
        )
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([_SHRINK])
        method.SetSmoothingSigmasPerLevel([1.0])
        method.SetInitialTransform(transform, True)
        method.Execute(self._fixed, self._moving)
        return float(method.GetMetricValue())
