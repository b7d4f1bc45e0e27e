"""The place of a package's structures in a whole scan: boxes, or a sentence that says why there are none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.checks import check_modality, check_scan
from ..core.errors import InputError
from ..core.geometry import ras_to_ijk
from ..core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from ..core.roi import Roi
from ..core.volume import Volume
from ..files.reading import read_volume
from .alignment import Aligner, Fit
from .judge import belief
from .measures import Measures, measure_fit
from .search import likely_poses
from .template import Template
from .working import working_volume

if TYPE_CHECKING:
    from ..packages.locator import Locator
    from ..packages.package import Package

POSES = 5
"""Starts of the fit, of all that were tried the most alike ones."""

_FEWEST = 12
"""Working voxels along an axis below which nothing can be told apart."""


@dataclass(frozen=True)
class Located:
    """Where the structures of a locator lie in a scan.

    Attributes:
        rois: a box each, of the template's size in mm, in the scan's RAS.
        belief: probability that this is right, at least the package's ``accept``.
        fit: from the template's RAS mm to the scan's.
    """

    rois: tuple[Roi, ...]
    belief: float
    fit: Fit
    measures: Measures
    seconds: float

    @property
    def turn(self) -> NDArray[np.float64]:
        """The rotation (3, 3) of the fit, RAS: how the head lies."""
        u, _, vt = np.linalg.svd(self.fit.matrix)
        return np.asarray(u @ vt)


def locate(scan: Volume, package: Package, progress: Progress = silent, is_cancelled: IsCancelled = never) -> Located:
    """Search the scan for what the package's locator describes.

    Raises:
        InputError: the scan cannot be used, nothing was found, or it lies outside of the field of view; the sentence
            says what to do.
        Cancelled: ``is_cancelled`` said so.
    """
    locator = package.metadata.locator
    if locator is None:
        raise InputError(f"The model '{package.name}' cannot search for its structures. Give a region with its box.")
    check_scan(scan, needs_3d=True)
    check_modality(scan.name, scan.modality, package.metadata.modality)
    began = time.perf_counter()
    fit, measures = fit_template(scan, template_of(package), locator.boxes, progress, is_cancelled)
    sure = belief(locator.judgement, measures)
    if sure < locator.judgement.accept:
        raise InputError(_not_found(locator, package.name))
    rois = tuple(mapped(box, fit) for box in locator.boxes)
    if unseen := outside(scan, rois):
        raise InputError(
            f"The scan ends before the place of '{unseen[0]}', which the search found outside of the image. "
            "Use a scan that holds it, or give a region with its box."
        )
    return Located(rois, sure, fit, measures, time.perf_counter() - began)


def fit_template(
    scan: Volume,
    template: Template,
    boxes: Sequence[Roi],
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> tuple[Fit, Measures]:
    """The best fit of a template, believed or not, and what there is to judge it by. Raises as ``locate``."""
    raise_if_cancelled(is_cancelled)
    progress(0.0, "searching: making the scan small")
    small = working_volume(scan)
    if min(small.grid.shape) < _FEWEST:
        raise InputError(
            f"The scan covers {_lengths(scan)} mm, too little to search in. "
            "Give a region with its box, or a whole scan."
        )
    raise_if_cancelled(is_cancelled)
    progress(0.2, "searching: trying poses")
    poses = likely_poses(template, small, POSES)
    raise_if_cancelled(is_cancelled)
    progress(0.5, "searching: fitting the template")
    fits = Aligner(template, small).fits(poses)
    raise_if_cancelled(is_cancelled)
    measured = [(fit, measure_fit(template, small, fit, boxes)) for fit in fits]
    return max(measured, key=lambda pair: pair[1]["local"] * pair[1]["covered"])


def template_of(package: Package) -> Template:
    """The package's template, made ready once a process."""
    locator = package.metadata.locator
    if locator is None:
        raise InputError(f"The model '{package.name}' cannot search for its structures. Give a region with its box.")
    return _template(package.file_path(locator.template), package.fingerprint)


@lru_cache(maxsize=4)
def _template(path: Path, fingerprint: str) -> Template:
    return Template.of(read_volume(path))


def mapped(box: Roi, fit: Fit) -> Roi:
    """A box of the template's size around where its middle lies in the scan."""
    low, high = np.asarray(box.low), np.asarray(box.high)
    middle, half = fit((low + high)[None] / 2)[0], (high - low) / 2
    return Roi(box.name, _triple(middle - half), _triple(middle + half))


def outside(scan: Volume, rois: Sequence[Roi]) -> list[str]:
    """Names of the boxes whose middle lies outside of the scan's field of view."""
    last = np.array(scan.grid.shape[::-1]) - 1
    middles = ras_to_ijk(scan.grid, np.array([(np.asarray(roi.low) + roi.high) / 2 for roi in rois]))
    gone = ((middles < 0) | (middles > last)).any(axis=1)
    return [roi.name for roi, is_gone in zip(rois, np.asarray(gone).tolist(), strict=True) if is_gone]


def _not_found(locator: Locator, model: str) -> str:
    return (
        f"The model '{model}' found no place for its structures in this scan. It expects {locator.scan}. "
        "Check that this is the right scan and that it lies right in the patient (R, L, A, P, S, I), "
        "or give a region: --roi NAME=R0,R1,A0,A1,S0,S1 (column roi of a list), or a box placed around the structure."
    )


def _lengths(scan: Volume) -> str:
    return " x ".join(f"{mm:.0f}" for mm in scan.grid.extent_mm)


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 3) for value in values)
    return (x, y, z)
