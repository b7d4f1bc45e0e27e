"""Longest diameters against shapes whose diameters are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from SUREUncertaintyLib.analysis.diameters import Diameters, axial_axis, diameters
from SUREUncertaintyLib.core.volume import Grid

UNIT = (1.0, 1.0, 1.0)


def box(depth: int, rows: int, columns: int) -> NDArray[np.bool_]:
    mask = np.zeros((depth + 4, rows + 4, columns + 4), dtype=bool)
    mask[2 : 2 + depth, 2 : 2 + rows, 2 : 2 + columns] = True
    return mask


def test_one_voxel_is_as_long_as_its_longest_edge() -> None:
    assert diameters(box(1, 1, 1), (2.5, 0.7, 0.5), 0) == Diameters(pytest.approx(0.7), pytest.approx(2.5))


def test_a_row_of_voxels_is_as_long_as_all_of_them() -> None:
    assert diameters(box(1, 1, 7), UNIT, 0) == Diameters(pytest.approx(7.0), pytest.approx(7.0))
    assert diameters(box(7, 1, 1), UNIT, 0) == Diameters(pytest.approx(1.0), pytest.approx(7.0))


def test_a_box_is_measured_from_face_to_face() -> None:
    """The farthest pair of a box of n x m voxels lies on faces that are one voxel's half further apart than centres."""
    found = diameters(box(1, 3, 4), UNIT, 0)
    assert found.axial == pytest.approx(np.hypot(4.0, 2.0))
    assert diameters(box(2, 3, 4), UNIT, 0).longest == pytest.approx(np.sqrt(4.0**2 + 2.0**2 + 1.0**2))


@pytest.mark.parametrize("spacing", [UNIT, (2.0, 0.5, 0.5)])
def test_a_ball_is_as_long_as_twice_its_radius_to_a_voxel(spacing: tuple[float, float, float]) -> None:
    z, y, x = (np.arange(-30, 31) * mm for mm in spacing)
    mask = z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2 < 10.0**2
    found = diameters(mask, spacing, 0)
    assert found.axial == pytest.approx(20.0, abs=2 * max(spacing[1:]))
    assert found.longest == pytest.approx(20.0, abs=2 * max(spacing))
    assert found.longest >= found.axial


def test_axial_slices_follow_the_axis_from_foot_to_head() -> None:
    mask = box(9, 1, 1)
    assert diameters(mask, UNIT, 1).axial == pytest.approx(9.0)
    upright = Grid((4, 5, 6))
    assert axial_axis(upright) == 0
    sagittal = Grid((4, 5, 6), direction=(0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0))  # j runs to the head
    assert axial_axis(sagittal) == 1


def test_nothing_has_no_length() -> None:
    assert diameters(np.zeros((3, 3, 3), dtype=bool), UNIT, 0) == Diameters(0.0, 0.0)


def test_random_shapes_agree_with_all_pairs_of_their_surface() -> None:
    rng = np.random.default_rng(3)
    for _ in range(5):
        mask = rng.random((4, 9, 8)) > 0.7
        centres = np.argwhere(mask).astype(float)
        farthest = max(np.linalg.norm(a - b) for a in centres for b in centres)
        assert farthest < diameters(mask, UNIT, 0).longest <= farthest + 1.0
