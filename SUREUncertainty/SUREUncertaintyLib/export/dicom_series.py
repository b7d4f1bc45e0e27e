"""The DICOM series that a result was made from: its headers in slice order, checked against the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.resampling import resample, same_voxels
from ..core.volume import Grid, Volume
from ..files.checksum import voxel_fingerprint
from ..files.dicom import frames_in_order, in_order, read_slices, series_beside, series_in
from ..files.dicom_frames import read_frames
from ..files.dicom_header import DicomSlice, is_dicom, read_header
from .dicom_attributes import complete, quiet_dicom, require_one_frame_of_reference

NOT_DICOM = (
    "DICOM objects need the DICOM series that was segmented, because they refer to its images. {found} "
    "Choose the folder of that series; without one, export as NRRD or NIfTI."
)


@dataclass(frozen=True, eq=False)
class DicomSeries:
    """One series.

    Attributes:
        slices: headers in order along the normal; one for a multi-frame file.
        scan: its voxels on its grid.
    """

    slices: tuple[DicomSlice, ...]
    scan: Volume

    @cached_property
    def datasets(self) -> list[Any]:
        """``pydicom`` headers without voxels, in the order of ``slices``; what DICOM asks for is there, if empty.

        Raises:
            InputError: an attribute is missing that nothing can stand in for.
        """
        from pydicom import dcmread

        with quiet_dicom():
            datasets = [dcmread(header.path, stop_before_pixels=True) for header in self.slices]
        for dataset in datasets:
            complete(dataset, self.scan.grid.spacing[2])
        require_one_frame_of_reference(datasets)
        return datasets

    @cached_property
    def frames(self) -> NDArray[np.intp]:
        """The slice k of ``scan`` that each image (or frame of the one multi-frame file) shows, in file order."""
        if len(self.slices) > 1 or "PerFrameFunctionalGroupsSequence" not in self.datasets[0]:
            return np.arange(self.scan.grid.shape[0])
        return np.argsort([frame.frame for frame in frames_in_order(read_frames(self.slices[0]))])

    def arrange(self, volume: Volume) -> NDArray[Any]:
        """The voxels of a volume as (image, row, column) of the series.

        Raises:
            InputError: the volume does not have the voxels of the series.
        """
        if not same_voxels(volume.grid, self.scan.grid):
            raise InputError(
                f"The result does not lie on the images of the DICOM series '{self.scan.name}' "
                f"({_size(volume.grid)} against {_size(self.scan.grid)}): another series, or a scan that was cropped "
                "or resampled before. Choose the series that was segmented; otherwise export as NRRD or NIfTI."
            )
        return resample(volume, self.scan.grid, "nearest").array[self.frames]

    def require_same_scan(self, fingerprint: str | None, grid: Grid) -> None:
        """Refuse a series whose voxels are not those that were segmented; None: nothing is known about them.

        Raises:
            InputError: another scan, perhaps another patient's.
        """
        if fingerprint is None or not same_voxels(self.scan.grid, grid):
            return
        if voxel_fingerprint(resample(self.scan, grid, "nearest").array) != fingerprint:
            raise InputError(
                f"The DICOM series '{self.scan.name}' has the size of the scan that was segmented, but other grey "
                "values: another series, or another patient. Choose the series that was segmented."
            )


def open_series(paths: Sequence[Path]) -> DicomSeries:
    """Open the series in a folder, the one that a file belongs to, or the one that several given files make up.

    Raises:
        InputError: no DICOM, several series, slices that are missing or unevenly spaced, or nothing there.
    """
    for path in paths:
        if not path.exists():
            raise InputError(NOT_DICOM.format(found=f"{path} does not exist."))
    if len(paths) > 1:
        found = [header for path in paths if isinstance(header := read_header(path), DicomSlice)]
    elif paths and paths[0].is_dir():
        found = series_in(paths[0])
    elif paths and is_dicom(paths[0]):
        found = series_beside(paths[0])
    else:
        found = []
    if not found:
        name = f"{paths[0].name} is no DICOM file." if paths else "This scan did not come from DICOM."
        raise InputError(NOT_DICOM.format(found=name))
    ordered = in_order(found) if len(found) > 1 else found
    return DicomSeries(tuple(ordered), read_slices(ordered, paths[0].name))


def _size(grid: Grid) -> str:
    return " x ".join(map(str, grid.shape[::-1])) + " voxels"
