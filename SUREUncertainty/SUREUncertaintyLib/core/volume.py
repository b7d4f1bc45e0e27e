"""A scan: voxels with their place in the patient."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .nifti_forms import NiftiForms

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Grid:
    """Where voxels lie. ITK's convention: LPS millimetres, x fastest.

    Attributes:
        shape: voxel counts as (k, j, i), the order of the array's axes.
        spacing: mm per voxel along (i, j, k).
        origin: LPS position of the centre of voxel (0, 0, 0), mm.
        direction: 3 x 3 row-major cosines, 9 numbers; column n is the direction of axis i, j, k.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    @property
    def ijk_to_lps(self) -> NDArray[np.float64]:
        """4 x 4 matrix from (i, j, k, 1) to LPS mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.reshape(self.direction, (3, 3)) * np.asarray(self.spacing)
        matrix[:3, 3] = self.origin
        return matrix

    @property
    def ijk_to_ras(self) -> NDArray[np.float64]:
        """4 x 4 matrix from (i, j, k, 1) to RAS mm, as Slicer's ``GetIJKToRASMatrix``."""
        return LPS_TO_RAS @ self.ijk_to_lps

    @property
    def spacing_kji(self) -> tuple[float, float, float]:
        """Spacing in the order of the array's axes, mm."""
        x, y, z = self.spacing
        return (z, y, x)

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel, mm3."""
        return float(np.prod(self.spacing))

    @property
    def extent_mm(self) -> tuple[float, float, float]:
        """Edge lengths of the field of view along (i, j, k), mm."""
        k, j, i = self.shape
        x, y, z = self.spacing
        return (i * x, j * y, k * z)

    def matches(self, other: Grid, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids put every voxel at the same place, to ``tolerance_mm`` at the far corner."""
        if self.shape != other.shape:
            return False
        far = np.array([self.shape[2], self.shape[1], self.shape[0], 1.0])
        near = np.array([0.0, 0.0, 0.0, 1.0])
        return all(
            float(np.abs((self.ijk_to_lps - other.ijk_to_lps) @ corner).max()) <= tolerance_mm for corner in (near, far)
        )


@dataclass(frozen=True, eq=False)
class Volume:
    """An immutable scalar volume: ``array`` in (k, j, i) order on ``grid``.

    The array is made read-only; nothing in this library changes an input.

    Attributes:
        modality: DICOM's code ("CT", "MR", ...) where the file tells it, else empty.
        placed: false where the file does not say how the scan lies in the patient, so that left may be right.
        remarks: sentences of the reader about what the file leaves open or what was left out.
        acquired: day of the scan as YYYY-MM-DD where the file tells it, else empty.
        forms: both places that a NIfTI file gives this grid, so that a file written for it can carry them too.
    """

    array: NDArray[Any]
    grid: Grid
    name: str = "volume"
    modality: str = ""
    placed: bool = True
    remarks: tuple[str, ...] = ()
    acquired: str = ""
    forms: NiftiForms | None = None

    def __post_init__(self) -> None:
        if self.array.ndim != 3:
            raise ValueError(f"expected a 3D array in (k, j, i) order, got shape {self.array.shape}")
        if self.array.shape != self.grid.shape:
            raise ValueError(f"array shape {self.array.shape} differs from grid shape {self.grid.shape}")
        view = self.array.view()
        view.flags.writeable = False
        object.__setattr__(self, "array", view)

    def with_array(self, array: NDArray[Any], name: str | None = None) -> Volume:
        """Another volume on the same grid."""
        return replace(self, array=array, name=self.name if name is None else name)

    def with_remarks(self, *sentences: str) -> Volume:
        """The same scan with more to say about it."""
        return replace(self, remarks=(*self.remarks, *sentences))
