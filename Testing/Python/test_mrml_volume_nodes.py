"""Volumes go into nodes of a real MRML scene and come back: types, places, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import vtk
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.volume_nodes import add_volume, image_array, right_handed, volume_from_node, vtk_matrix
from two_blobs import oblique_grid, two_blobs


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (np.bool_, np.uint8),
        (np.float16, np.float32),
        (np.int64, np.int16),
        (np.uint64, np.int16),
        (np.int16, np.int16),
        (np.uint16, np.uint16),
        (np.dtype(">f4"), np.float32),
        (np.float64, np.float64),
    ],
)
def test_every_voxel_type_goes_into_a_node_and_back(scene: Any, given: Any, stored: Any, left_handed: bool) -> None:
    grid = oblique_grid(left_handed)
    array = (np.arange(np.prod(grid.shape)).reshape(grid.shape) % 2).astype(given)
    node = add_volume(scene, Volume(array, grid, "typed"))
    back = volume_from_node(node)
    assert back.array.dtype == stored
    expected = right_handed(Volume(array, grid))
    assert np.array_equal(back.array, expected.array)
    assert back.grid.matches(expected.grid, 1e-9)


@pytest.mark.parametrize(("largest", "stored"), [(32767, np.int16), (32768, np.int32), (2**40, np.float64)])
def test_wide_integers_take_the_smallest_type_that_holds_them(scene: Any, largest: int, stored: Any) -> None:
    array = np.full((2, 3, 4), largest, np.int64)
    node = add_volume(scene, Volume(array, Grid((2, 3, 4)), "wide"))
    back = volume_from_node(node)
    assert back.array.dtype == stored
    assert (back.array == largest).all()


def test_what_is_no_scan_is_refused_in_a_sentence(scene: Any) -> None:
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    with pytest.raises(InputError, match="has no voxels"):
        volume_from_node(empty)
    colour = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "colour")
    image = vtk.vtkImageData()
    image.SetDimensions(4, 3, 2)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    colour.SetAndObserveImageData(image)
    with pytest.raises(InputError, match="several numbers a voxel"):
        volume_from_node(colour)
    skewed = add_volume(scene, two_blobs().image)
    matrix = np.eye(4)
    matrix[0, 1] = 0.2
    skewed.SetIJKToRASMatrix(vtk_matrix(matrix))
    with pytest.raises(InputError, match="not perpendicular"):
        volume_from_node(skewed)


def test_a_volume_read_from_a_node_is_a_copy(scene: Any) -> None:
    node = add_volume(scene, two_blobs().image)
    volume = volume_from_node(node)
    earlier = volume.array.copy()
    image_array(node.GetImageData())[...] = 0
    assert np.array_equal(volume.array, earlier)


@pytest.mark.parametrize("left_handed", [False, True])
def test_every_voxel_of_a_node_lies_in_the_patient_where_it_lay_in_the_scan(scene: Any, left_handed: bool) -> None:
    grid = oblique_grid(left_handed)
    array = np.random.default_rng(1).integers(0, 2000, grid.shape).astype(np.int16)
    node = add_volume(scene, Volume(array, grid, "scan"))
    to_ras = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(to_ras)
    assert to_ras.Determinant() > 0
    for k, j, i in ((0, 0, 0), (1, 2, 3), (19, 29, 39), (7, 0, 38)):
        place = grid.ijk_to_ras @ (i, j, k, 1.0)
        at = [round(index) for index in _to_ijk(to_ras, place)[:3]]
        assert node.GetImageData().GetScalarComponentAsDouble(*at, 0) == array[k, j, i]


def _to_ijk(to_ras: Any, place: Any) -> list[float]:
    inverse = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(to_ras, inverse)
    return list(inverse.MultiplyPoint(place))
