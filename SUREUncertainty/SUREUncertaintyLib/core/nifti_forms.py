"""The two places that a NIfTI file can give a scan, qform and sform, and the one rule that chooses between them.

The rule is that of ITK 5.4, so that a scan lies where 3D Slicer shows it:

1. the sform, where its code is 1 (scanner) or the qform has none, if its axes are perpendicular and as long as the
   header's spacing says;
2. else the qform;
3. a file with neither does not say how the scan lies.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CODES = {1: "scanner", 2: "aligned", 3: "Talairach", 4: "MNI152", 5: "other template"}
KNOWN_CODES = (0, *_CODES)
_SCANNER = 1
_SAME = 1e-3
"""Share by which lengths, and cosine by which right angles, may be off."""

NOTABLE_MM = 0.1
"""Distance between the two places from which on a person is told."""


@dataclass(frozen=True, eq=False)
class NiftiForm:
    """One place: ``code`` says what it means, 0 that the file does not give it; ``matrix`` 4 x 4, ijk to RAS mm."""

    code: int
    matrix: NDArray[np.float64]

    @property
    def given(self) -> bool:
        """Whether the file gives it."""
        return self.code > 0

    @property
    def lengths(self) -> NDArray[np.float64]:
        """Of the three axes, mm a voxel."""
        return np.asarray(np.linalg.norm(self.matrix[:3, :3], axis=0))

    @property
    def perpendicular(self) -> bool:
        """Whether its axes are, and all numbers are finite."""
        if not np.isfinite(self.matrix).all() or not self.lengths.all():
            return False
        cosines = self.matrix[:3, :3] / self.lengths
        return bool(np.abs(cosines.T @ cosines - np.eye(3)).max() <= _SAME)

    def has_lengths(self, spacing: tuple[float, float, float]) -> bool:
        """Whether its axes are as long as the header's spacing says."""
        return bool(np.allclose(self.lengths, spacing, rtol=_SAME, atol=0))

    def __str__(self) -> str:
        return f"{_CODES.get(self.code, 'unknown')}, code {self.code}"


@dataclass(frozen=True, eq=False)
class NiftiForms:
    """Both places of one file and its spacing along i, j, k in mm."""

    qform: NiftiForm
    sform: NiftiForm
    spacing: tuple[float, float, float]

    @property
    def chosen(self) -> NiftiForm | None:
        """By the rule; None where the file gives none that is usable."""
        usable = self.sform.given and self.sform.perpendicular and self.sform.has_lengths(self.spacing)
        if usable and (self.sform.code == _SCANNER or not self.qform.given):
            return self.sform
        return self.qform if self.qform.given else None

    def distance_mm(self, shape: tuple[int, int, int]) -> float:
        """Largest distance between the places of one voxel; 0 where one of the forms is not given or no number."""
        if not (self.qform.given and self.sform.given):
            return 0.0
        corners = np.array([(*corner, 1.0) for corner in product(*((0, n - 1) for n in shape[::-1]))])
        apart = np.linalg.norm(corners @ (self.qform.matrix - self.sform.matrix)[:3].T, axis=1).max()
        return float(apart) if math.isfinite(apart) else 0.0

    def fits(self, ijk_to_ras: NDArray[np.float64]) -> bool:
        """Whether the chosen place is that of a grid."""
        return self.chosen is not None and bool(np.allclose(self.chosen.matrix, ijk_to_ras, rtol=0, atol=1e-3))

    def remark(self, shape: tuple[int, int, int]) -> tuple[str, ...]:
        """What there is to say where both forms are given and differ."""
        apart, chosen = self.distance_mm(shape), self.chosen
        if chosen is None or apart < NOTABLE_MM:
            return ()
        used, other = ("qform", "sform") if chosen is self.qform else ("sform", "qform")
        return (
            f"The file gives the scan two places that lie up to {apart:.1f} mm apart: its qform ({self.qform}) and its "
            f"sform ({self.sform}). The {used} is used, as in 3D Slicer; regions in mm are meant in it. Programs that "
            f"use the {other} show the scan there; exported NIfTI files carry both.",
        )

    def to_json(self) -> dict[str, Any]:
        """Ready for a report; a form that is not given, or is no number, has code 0."""
        return {"qform": _to_json(self.qform), "sform": _to_json(self.sform), "spacing_mm": list(self.spacing)}


def _to_json(form: NiftiForm) -> dict[str, Any]:
    usable = form.given and bool(np.isfinite(form.matrix).all())
    return {"code": form.code if usable else 0, "ijk_to_ras": (form.matrix if usable else np.eye(4)).tolist()}


def forms_from_json(document: Mapping[str, Any]) -> NiftiForms:
    """What ``to_json`` gave."""
    qform, sform = (
        NiftiForm(int(document[name]["code"]), np.array(document[name]["ijk_to_ras"], float))
        for name in ("qform", "sform")
    )
    x, y, z = (float(value) for value in document["spacing_mm"])
    return NiftiForms(qform, sform, (x, y, z))


def forms_of(raw: bytes, order: str, spacing: tuple[float, ...], unit_mm: float) -> NiftiForms:
    """Both places from a header's 348 bytes.

    Args:
        order: ``"<"`` or ``">"``.
        spacing: along i, j, k as the header gives it, in units of ``unit_mm``.
    """
    qcode, scode = struct.unpack_from(order + "2h", raw, 252)
    x, y, z = (abs(float(value)) for value in spacing)
    handed = -1.0 if struct.unpack_from(order + "f", raw, 76)[0] < 0 else 1.0
    qform = np.eye(4)
    qform[:3, :3] = rotation_of(*struct.unpack_from(order + "3f", raw, 256)) * (x, y, z * handed)
    qform[:3, 3] = struct.unpack_from(order + "3f", raw, 268)
    sform = np.eye(4)
    sform[:3] = np.reshape(struct.unpack_from(order + "12f", raw, 280), (3, 4))
    for matrix in (qform, sform):
        matrix[:3] *= unit_mm
    return NiftiForms(NiftiForm(qcode, qform), NiftiForm(scode, sform), (x * unit_mm, y * unit_mm, z * unit_mm))


def rotation_of(b: float, c: float, d: float) -> NDArray[np.float64]:
    """3 x 3 rotation of a unit quaternion without its real part, NaN where there is none such (nifti1.h, method 2)."""
    square = b * b + c * c + d * d
    if not square <= 1 + _SAME:
        return np.full((3, 3), np.nan)
    a = math.sqrt(max(0.0, 1 - square))
    b, c, d = (value / max(1.0, math.sqrt(square)) for value in (b, c, d))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


def put_forms(raw: bytes, forms: NiftiForms) -> bytes:
    """A little-endian NIfTI-1 file with both places in its header; lengths are in mm."""
    header = bytearray(raw)
    rotation = forms.qform.matrix[:3, :3] / np.where(forms.qform.lengths > 0, forms.qform.lengths, 1)
    handed = -1.0 if np.linalg.det(rotation) < 0 else 1.0
    rotation = rotation * (1, 1, handed)
    struct.pack_into("<2h", header, 252, forms.qform.code, forms.sform.code)
    if forms.qform.given:
        struct.pack_into("<f", header, 76, handed)
        struct.pack_into("<3f", header, 256, *_quaternion(rotation))
        struct.pack_into("<3f", header, 268, *forms.qform.matrix[:3, 3])
    if forms.sform.given:
        struct.pack_into("<12f", header, 280, *forms.sform.matrix[:3].ravel())
    return bytes(header)


def _quaternion(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """Its imaginary parts, with a real part that is not negative."""
    from scipy.spatial.transform import Rotation

    b, c, d, a = Rotation.from_matrix(rotation).as_quat()
    sign = -1.0 if a < 0 else 1.0
    return sign * float(b), sign * float(c), sign * float(d)
