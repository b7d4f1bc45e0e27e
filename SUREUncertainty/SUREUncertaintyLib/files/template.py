"""Boxes of a brain template carried over to a scan by affine registration."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import product

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.resampling import to_itk
from ..core.roi import Roi
from ..core.volume import LPS_TO_RAS, Volume
from .demo_input import ROIS, demo_scan

WORKING_SPACING_MM = 3.0
SMALLEST_CORRELATION = 0.3
NEEDS_TEMPLATE = (
    "Suggesting regions needs the brain template inside the nilearn package, which is not installed. "
    "Place the region around the crosshair instead."
)


def regions_by_template(scan: Volume) -> tuple[Roi, ...]:
    """The demo template's boxes in the scan's RAS mm; each is the bounding box of the mapped corners.

    Raises:
        SureError: the template is not installed.
        InputError: the scan and the template do not match (it may be no T1 scan of a whole head).
    """
    if find_spec("nilearn") is None:
        raise InputError(NEEDS_TEMPLATE)
    template = demo_scan()
    transform = register(scan, template)
    return tuple(_mapped(roi, transform) for roi in ROIS)


def register(fixed: Volume, moving: Volume) -> sitk.Transform:
    """The affine transform from points of ``moving`` to points of ``fixed`` (LPS mm), by mutual information.

    Raises:
        InputError: no transform under which both look alike was found.
    """
    a, b = _coarse(moving), _coarse(fixed)
    start = sitk.CenteredTransformInitializer(
        a, b, sitk.AffineTransform(3), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.3, 1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([3, 0])
    method.SetInitialTransform(start, False)
    transform = method.Execute(a, b)
    if _correlation(a, sitk.Resample(b, a, transform)) < SMALLEST_CORRELATION:
        raise InputError(
            "The brain template does not match this scan, so no region can be suggested. "
            "A T1 scan of a whole head is expected; place the region around the crosshair instead."
        )
    return transform


def _coarse(volume: Volume) -> sitk.Image:
    image = sitk.Cast(to_itk(volume), sitk.sitkFloat32)
    factors = [max(1, int(WORKING_SPACING_MM // side)) for side in volume.grid.spacing]
    return sitk.BinShrink(image, factors)


def _correlation(a: sitk.Image, b: sitk.Image) -> float:
    first, second = (sitk.GetArrayViewFromImage(image).ravel() for image in (a, b))
    inside = (first > 0) & (second != 0)
    return float(np.corrcoef(first[inside], second[inside])[0, 1]) if np.count_nonzero(inside) > 100 else 0.0


def _mapped(roi: Roi, transform: sitk.Transform) -> Roi:
    corners = np.array([_map_point(point, transform) for point in product(*zip(roi.low, roi.high, strict=True))])
    low, high = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return Roi(roi.name, (low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _map_point(ras: tuple[float, ...], transform: sitk.Transform) -> NDArray[np.float64]:
    signs = np.diag(LPS_TO_RAS)[:3]
    lps = np.asarray(transform.TransformPoint([float(x) for x in np.asarray(ras) * signs]))
    return np.asarray(lps * signs)
