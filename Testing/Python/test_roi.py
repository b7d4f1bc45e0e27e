"""Regions in patient millimetres, from text and from Slicer, meet the image where they should."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.testing import assert_allclose
from phantoms import tilted_grid
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.roi import (
    Roi,
    parse_roi,
    read_markups_roi,
    read_rois,
    roi_bounds,
    roi_grid,
    roi_mask,
    roi_slices,
)
from SUREUncertaintyLib.core.volume import Grid

RAS_GRID = Grid((20, 30, 40), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))


def write_markup(path: Path, **changes: object) -> Path:
    markup = {
        "type": "ROI",
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "roiType": "Box",
        "center": [-10.0, -12.0, 9.0],
        "orientation": [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0],
        "size": [4.0, 6.0, 8.0],
        "controlPoints": [],
    }
    path.write_text(json.dumps({"markups": [markup | changes]}), encoding="utf-8")
    return path


def test_a_box_in_numbers_is_read():
    assert parse_roi("left=-45,-10,-45,0.5,-35,10") == Roi("left", (-45, -45, -35), (-10, 0.5, 10))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("right=40,10,0,-40,-35,10", r"another order than expected: NAME=R0,R1,A0,A1,S0,S1, with R0 below R1"),
        ("left=-45,-47.6,-35,-10,10,0", "another order"),
        ("left=-40,-45,-35,-10,0,10", r"Read as two corners.*it would be left=-40,-10,-45,0,-35,10\."),
    ],
)
def test_numbers_in_another_order_are_refused_with_the_form(text, sentence):
    with pytest.raises(InputError, match=sentence):
        parse_roi(text)


@given(st.tuples(*[st.tuples(st.floats(-200, 200), st.floats(0.01, 200))] * 3))
def test_a_box_is_written_in_the_form_that_is_read(ends):
    low = tuple(float(f"{a:.3f}") for a, _ in ends)
    high = tuple(float(f"{a + size:.3f}") for a, (_, size) in zip(low, ends, strict=True))
    roi = Roi("left side", low, high)
    again = parse_roi(str(roi))
    assert_allclose([*again.low, *again.high], [*low, *high], atol=1e-3)


@pytest.mark.parametrize(
    "text", ["1,2,3,4,5,6", "left=1,2,3,4,5", "left=a,2,3,4,5,6", "=1,2,3,4,5,6", "x=nan,1,2,3,4,5"]
)
def test_what_is_no_box_gets_an_example(text):
    with pytest.raises(InputError, match=r"NAME=R0,R1,A0,A1,S0,S1, for instance"):
        parse_roi(text)


def test_a_flat_box_is_refused():
    with pytest.raises(InputError, match="'flat' has no volume"):
        parse_roi("flat=0,10,5,5,0,10")


def test_a_slicer_roi_is_read_in_ras(tmp_path):
    roi = read_markups_roi(write_markup(tmp_path / "Left ROI é.mrk.json"))
    assert roi == Roi("Left ROI é", (8, 9, 5), (12, 15, 13))


def test_a_ras_markup_is_not_mirrored(tmp_path):
    roi = read_markups_roi(write_markup(tmp_path / "a.mrk.json", coordinateSystem="RAS"), "left")
    assert roi == Roi("left", (-12, -15, 5), (-8, -9, 13))


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    path = write_markup(tmp_path / "a.mrk.json")
    plain = read_markups_roi(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_markups_roi(path) == plain


@pytest.mark.parametrize(("units", "factor"), [("mm", 1), ("cm", 10), (["mm", "mm", "mm"], 1), ("um", 0.001)])
def test_units_of_a_markup_are_heeded(tmp_path, units, factor):
    roi = read_markups_roi(write_markup(tmp_path / "a.mrk.json", coordinateUnits=units))
    assert_allclose([*roi.low, *roi.high], np.multiply([8, 9, 5, 12, 15, 13], factor))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("coordinateSystem", "IJK"),
        ("coordinateSystem", None),
        ("coordinateUnits", "inch"),
        ("coordinateUnits", ["mm", "s"]),
    ],
)
def test_an_unknown_system_or_unit_is_refused(tmp_path, key, value):
    with pytest.raises(InputError, match=f"has the {key} .*not known here. Expected is (LPS or RAS|mm or cm)"):
        read_markups_roi(write_markup(tmp_path / "a.mrk.json", **{key: value}))


def test_a_rotated_roi_gives_its_bounding_box(tmp_path):
    c = s = np.sqrt(0.5)
    axes = [c, -s, 0, s, c, 0, 0, 0, 1]
    roi = read_markups_roi(write_markup(tmp_path / "a.mrk.json", orientation=axes))
    half = (2 + 3) * c
    assert_allclose(roi.low, (10 - half, 12 - half, 5), atol=1e-9)
    assert_allclose(roi.high, (10 + half, 12 + half, 13), atol=1e-9)


@pytest.mark.parametrize("axes", [np.eye(3) * 2, np.full((3, 3), np.nan), np.ones((3, 3)), np.zeros((3, 3))])
def test_axes_that_are_no_rotation_are_refused(tmp_path, axes):
    with pytest.raises(InputError, match="no usable centre, axes and size"):
        read_markups_roi(write_markup(tmp_path / "a.mrk.json", orientation=axes.ravel().tolist()))


def test_a_roi_that_slicer_wrote_is_read(tmp_path):
    import slicer
    import vtk

    node = slicer.vtkMRMLMarkupsROINode()
    scene = slicer.vtkMRMLScene()
    scene.AddNode(node)
    matrix = vtk.vtkMatrix4x4()
    cosines = np.reshape(tilted_grid().direction, (3, 3))
    for row in range(3):
        for column in range(3):
            matrix.SetElement(row, column, cosines[row, column])
        matrix.SetElement(row, 3, (11.0, -7.0, 3.0)[row])
    node.SetAndObserveObjectToNodeMatrix(matrix)
    node.SetSize(10.0, 20.0, 30.0)
    storage = slicer.vtkMRMLMarkupsROIJsonStorageNode()
    storage.SetFileName(str(tmp_path / "roi.mrk.json"))
    scene.AddNode(storage)
    assert storage.WriteData(node)
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    roi = read_markups_roi(tmp_path / "roi.mrk.json")
    assert_allclose([*roi.low, *roi.high], [*bounds[::2], *bounds[1::2]], atol=1e-4)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{broken", "cannot be read"),
        ('{"markups": []}', "holds 0 regions"),
        ('{"markups": [{"type": "Fiducial"}]}', "holds 0 regions"),
        ('{"markups": [{"type": "ROI"}]}', "no usable centre, axes and size"),
        ('{"markups": null}', "holds 0 regions"),
        ('{"markups": [{"type": "ROI", "center": [0,0,0], "size": [1,0,1]}]}', "has no volume"),
    ],
)
def test_a_file_without_one_roi_is_refused(tmp_path, content, sentence):
    (tmp_path / "a.mrk.json").write_text(content)
    with pytest.raises(InputError, match=sentence):
        read_markups_roi(tmp_path / "a.mrk.json")


def test_a_missing_region_file_is_named(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_rois((str(tmp_path / "none.mrk.json"),))


def test_options_may_be_boxes_files_or_named_files(tmp_path):
    path = write_markup(tmp_path / "roi box.mrk.json")
    rois = read_rois(("left=0,1,0,1,0,1", str(path), f"right={path}"))
    assert [roi.name for roi in rois] == ["left", "roi box", "right"]
    assert rois[1].low == rois[2].low


def test_two_regions_of_one_name_are_refused():
    with pytest.raises(InputError, match="Two regions are called 'a'"):
        read_rois(("a=0,1,0,1,0,1", "a=2,3,2,3,2,3"))


def test_a_box_covers_the_voxels_it_reaches_into():
    assert roi_bounds(RAS_GRID, Roi("a", (1.6, 2.4, 3.0), (4.4, 6.6, 7.0))) == ((2, 2, 3), (3, 6, 5))
    assert roi_slices(RAS_GRID, Roi("a", (1.6, 2.4, 3.0), (4.4, 6.6, 7.0))) == (slice(3, 8), slice(2, 8), slice(2, 5))


def test_a_box_along_voxel_faces_takes_no_extra_layer():
    assert roi_bounds(RAS_GRID, Roi("a", (1.5, 2.5, 3.5), (4.5, 6.5, 7.5))) == ((2, 3, 4), (3, 4, 4))


def test_a_box_smaller_than_a_voxel_takes_that_voxel():
    assert roi_bounds(RAS_GRID, Roi("a", (4.9, 4.9, 4.9), (5.1, 5.1, 5.1))) == ((5, 5, 5), (1, 1, 1))


def test_a_box_over_the_border_is_cut_there():
    assert roi_bounds(RAS_GRID, Roi("a", (-50, -50, -50), (4, 50, 0))) == ((0, 0, 0), (5, 30, 1))


@pytest.mark.parametrize("box", [((60, 0, 0), (70, 9, 9)), ((0, -20, 0), (9, -10, 9)), ((0, 0, 19.6), (9, 9, 30))])
def test_a_box_outside_the_image_names_both_extents(box):
    with pytest.raises(InputError, match=r"'far' .*outside the image.*R -0.5 to 39.5, A -0.5 to 29.5, S -0.5 to 19.5"):
        roi_bounds(RAS_GRID, Roi("far", *box))


def test_the_grid_of_a_region_lies_in_the_image_at_the_same_place():
    grid = tilted_grid((20, 20, 20), left_handed=True)
    centre = (grid.ijk_to_ras @ [10, 9, 8, 1])[:3]
    roi = Roi("a", tuple(centre - 4), tuple(centre + 4))
    part, (start, _) = roi_grid(grid, roi), roi_bounds(grid, roi)
    assert_allclose(part.ijk_to_ras @ [0, 0, 0, 1], grid.ijk_to_ras @ [*start, 1], atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.floats(-180, 180)] * 3), st.booleans(), st.tuples(*[st.floats(3, 12)] * 3))
def test_on_an_oblique_grid_the_mask_holds_every_voxel_centre_of_the_box_and_none_far_from_it(angles, left, half):
    grid = tilted_grid((24, 24, 24), (1.2, 1.0, 1.5), angles, left)
    centre = (grid.ijk_to_ras @ [11, 12, 10, 1])[:3]
    roi = Roi("a", tuple(centre - half), tuple(centre + half))
    whole = np.zeros(grid.shape, bool)
    whole[roi_slices(grid, roi)] = roi_mask(grid, roi)
    k, j, i = np.indices(grid.shape)
    ras = np.moveaxis(np.tensordot(grid.ijk_to_ras[:3], np.stack([i, j, k, np.ones_like(i)]), 1), 0, -1)
    outside_by = np.maximum(np.abs(ras - centre) - half, 0).max(axis=-1)
    assert whole[outside_by == 0].all()
    assert not whole[outside_by > 1.1].any()


def test_on_a_straight_grid_the_mask_is_the_whole_block():
    assert roi_mask(RAS_GRID, Roi("a", (1.6, 2.4, 3.0), (4.4, 6.6, 7.0))).all()
