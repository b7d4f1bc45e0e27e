"""A volume knows where its voxels lie and cannot be changed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from phantoms import tilted_grid
from SUREUncertaintyLib.core.geometry import crop_grid, ras_to_ijk
from SUREUncertaintyLib.core.volume import Grid, Volume


def test_the_matrix_agrees_with_simpleitk_and_ras_negates_two_axes():
    import SimpleITK as sitk

    grid = tilted_grid(left_handed=True)
    image = sitk.Image(13, 11, 9, sitk.sitkUInt8)
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    for ijk in ((0, 0, 0), (12, 3, 8), (5, 10, 1)):
        point = np.array(image.TransformIndexToPhysicalPoint(ijk))
        assert_allclose(grid.ijk_to_lps @ [*ijk, 1], [*point, 1], atol=1e-9)
        assert_allclose(grid.ijk_to_ras @ [*ijk, 1], [*(point * (-1, -1, 1)), 1], atol=1e-9)


def test_sizes_and_volumes_are_in_mm():
    grid = Grid((2, 3, 4), (0.5, 2.0, 3.0))
    assert grid.voxel_volume_mm3 == 3.0
    assert grid.extent_mm == (2.0, 6.0, 6.0)
    assert grid.spacing_kji == (3.0, 2.0, 0.5)


def test_the_array_is_read_only_and_the_callers_own_stays_writable():
    array = np.zeros((2, 3, 4))
    volume = Volume(array, Grid((2, 3, 4)))
    with pytest.raises(ValueError, match="read-only"):
        volume.array[0, 0, 0] = 1
    array[0, 0, 0] = 1
    assert array.flags.writeable


def test_shape_and_grid_must_agree():
    with pytest.raises(ValueError, match="differs from grid shape"):
        Volume(np.zeros((2, 3, 4)), Grid((4, 3, 2)))
    with pytest.raises(ValueError, match="3D array"):
        Volume(np.zeros((2, 3)), Grid((2, 3, 1)))


def test_grids_match_within_a_micrometre_but_not_half_a_voxel_apart():
    grid = tilted_grid()
    moved = Grid(grid.shape, grid.spacing, (grid.origin[0] + 1e-6, *grid.origin[1:]), grid.direction)
    apart = Grid(grid.shape, grid.spacing, (grid.origin[0] + 0.4, *grid.origin[1:]), grid.direction)
    assert grid.matches(moved)
    assert not grid.matches(apart)
    assert not grid.matches(crop_grid(grid, (0, 0, 0), (13, 11, 8)))


def test_cropping_moves_the_origin_to_the_first_voxel_kept():
    grid = tilted_grid()
    part = crop_grid(grid, (2, 3, -1), (4, 5, 6))
    assert part.shape == (6, 5, 4)
    assert_allclose(part.ijk_to_ras @ [0, 0, 0, 1], grid.ijk_to_ras @ [2, 3, -1, 1], atol=1e-12)


def test_ras_positions_become_indices():
    grid = tilted_grid(left_handed=True)
    ijk = np.array([[0.0, 0.0, 0.0], [3.5, 2.25, 7.0]])
    ras = np.array([(grid.ijk_to_ras @ [*p, 1])[:3] for p in ijk])
    assert_allclose(ras_to_ijk(grid, ras), ijk, atol=1e-9)


def test_another_array_on_the_same_grid_keeps_name_and_modality():
    volume = Volume(np.zeros((2, 3, 4)), Grid((2, 3, 4)), "head", "MR")
    other = volume.with_array(np.ones((2, 3, 4)))
    assert (other.name, other.modality, other.array.sum()) == ("head", "MR", 24)
    assert volume.with_array(np.ones((2, 3, 4)), "mask").name == "mask"
