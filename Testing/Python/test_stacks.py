"""Networks of acquired planes: short-axis stacks lie oblique in the patient and must not be cut across."""

import numpy as np
import pytest
from phantoms import all_turns, asymmetric_volume, tilted_grid
from SUREUncertaintyLib.arrays.slice_axis import slice_axis
from SUREUncertaintyLib.core.geometry import STACK, reorient_grid, stack_orientation
from SUREUncertaintyLib.core.resampling import model_grid, resample
from SUREUncertaintyLib.core.volume import Grid

TURNS = list(all_turns())
SHORT_AXIS = (0.6, -0.64, 0.48)
"""LPS normal of a typical short-axis plane: nearest to the left-right and front-back axes, not to the head."""


def short_axis_grid() -> Grid:
    normal = np.array(SHORT_AXIS) / np.linalg.norm(SHORT_AXIS)
    row = np.cross([0.0, 0.0, 1.0], normal)
    row /= np.linalg.norm(row)
    cosines = np.column_stack([row, np.cross(normal, row), normal])
    return Grid((9, 14, 11), (1.4, 1.4, 8.0), (3.0, -20.0, 11.0), tuple(float(v) for v in cosines.ravel()))


def test_the_planes_of_an_oblique_stack_are_those_that_were_acquired():
    grid = short_axis_grid()
    on_model = model_grid(grid, STACK, (1.35, 1.35, 0.0))
    assert on_model.spacing == (1.35, 1.35, 8.0)
    assert on_model.shape[0] == grid.shape[0]
    assert np.abs(np.reshape(on_model.direction, (3, 3))[:, 2] @ np.reshape(grid.direction, (3, 3))[:, 2]) > 1 - 1e-9
    # the nearest axes of the body would have taken another axis for that of the slices
    assert model_grid(grid, "LPS").spacing[2] == pytest.approx(1.4)


def test_all_48_turns_and_flips_of_a_stack_are_seen_alike():
    for base in (short_axis_grid(), Grid((9, 14, 11), (1.4, 1.4, 8.0))):
        volume = asymmetric_volume(base)
        expected = resample(volume, reorient_grid(volume.grid, STACK)).array
        for turn in TURNS:
            turned = turn.apply(volume)
            assert np.array_equal(resample(turned, reorient_grid(turned.grid, STACK)).array, expected), turn


def test_one_slice_lies_across_its_own_axis_whatever_its_thickness():
    grid = tilted_grid((1, 30, 40))
    assert reorient_grid(grid, STACK).shape[0] == 1
    assert stack_orientation(Grid((1, 30, 40), (1.0, 1.0, 0.5))) == "LPS"


def test_slices_come_first_in_a_stack():
    assert slice_axis(STACK) == 0
