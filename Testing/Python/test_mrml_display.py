"""How a result looks, in nodes: edges of outlines, colours and legends of maps, surfaces painted by uncertainty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from numpy.typing import NDArray
from scipy import ndimage
from SUREUncertaintyLib.analysis.own_threshold import matching_threshold
from SUREUncertaintyLib.core.uncertainty_colours import uncertainty_colours
from SUREUncertaintyLib.mrml.chosen_map import (
    CLOUD,
    ENTROPY,
    PAINTED,
    PLAIN,
    PRIMARY,
    hide_in_threed,
    seen_points,
    show_in_threed,
    show_legend,
)
from SUREUncertaintyLib.mrml.display import set_band, show_surfaces, uncertainty_rendering
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import PublishedNodes
from SUREUncertaintyLib.mrml.outlines import follow_outlines, show_outlines, show_smooth_outlines
from SUREUncertaintyLib.mrml.painted_surface import painted_surface, values_at
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.segmentation_nodes import surfaces_shown
from SUREUncertaintyLib.mrml.uncertainty_nodes import legend_of, scale_top, threshold_of
from SUREUncertaintyLib.mrml.volume_nodes import grid_from_node, image_array
from two_blobs import two_blobs
from vtk.util.numpy_support import vtk_to_numpy


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


@pytest.fixture
def published(scene: Any) -> PublishedNodes:
    return publish(scene, two_blobs())


def edge_of(published: PublishedNodes) -> Any:
    return published.segmentation.GetNthDisplayNode(1)


def colour_at(node: Any, value: float) -> NDArray[np.float64]:
    """The colour that slices give a value of a map."""
    display, rgba = node.GetDisplayNode(), [0.0] * 4
    low, high = display.GetWindowLevelMin(), display.GetWindowLevelMax()
    display.GetColorNode().GetColor(round(255 * (value - low) / (high - low)), rgba)
    return np.array(rgba[:3])


def test_outlines_have_a_dark_edge_that_shows_what_they_show(published: PublishedNodes) -> None:
    node, edge = published.segmentation, edge_of(published)
    main = node.GetDisplayNode()
    assert main.GetSliceIntersectionThickness() > edge.GetSliceIntersectionThickness()
    assert max(edge.GetSegmentOverrideColor("left_blob_5")) < 0.1
    assert not edge.GetVisibility3D()
    main.SetSegmentVisibility("left_blob_5", False)
    follow_outlines(node)
    assert (edge.GetSegmentVisibility("left_blob_5"), edge.GetSegmentVisibility("right_blob_12")) == (False, True)
    show_outlines(node, False)
    assert (main.GetVisibility(), edge.GetVisibility()) == (0, 0)


def test_smooth_outlines_are_those_of_both_lines_and_bring_nothing_into_3d(published: PublishedNodes) -> None:
    node = published.segmentation
    show_smooth_outlines(node, True)
    assert not surfaces_shown(node)
    names = {node.GetNthDisplayNode(n).GetPreferredDisplayRepresentationName2D() for n in range(2)}
    assert names == {slicer.vtkSegmentationConverter.GetClosedSurfaceRepresentationName()}
    show_smooth_outlines(node, False)
    assert edge_of(published).GetPreferredDisplayRepresentationName2D() == "Binary labelmap"


def test_a_second_run_has_one_dark_edge(scene: Any, published: PublishedNodes) -> None:
    again = publish(scene, two_blobs(), published.scan)
    assert again.segmentation is published.segmentation
    assert again.segmentation.GetNumberOfDisplayNodes() == 2


def test_the_legend_begins_at_the_threshold_and_a_value_keeps_its_colour(published: PublishedNodes) -> None:
    node = published.uncertainty
    display = node.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((0.3, 0.6))
    before = colour_at(node, 0.5)
    assert before == pytest.approx(uncertainty_colours()[round(255 * 0.5 / 0.6)], abs=0.02)
    set_band(published, 0.1, 0.55)
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == pytest.approx((0.1, 0.55))
    assert colour_at(node, 0.5) == pytest.approx(before, abs=0.02)
    assert scale_top(node) == pytest.approx(0.6)


def test_every_kind_of_map_has_a_threshold_that_colours_the_same_volume(published: PublishedNodes) -> None:
    shares = [
        np.count_nonzero(image_array(node.GetImageData()) > threshold_of(node))
        for node in (published.uncertainty, published.entropy)
    ]
    assert threshold_of(published.entropy) != threshold_of(published.uncertainty)
    assert shares[1] == pytest.approx(shares[0], rel=0.1)
    assert (
        published.entropy.GetDisplayNode().GetColorNode() is not published.uncertainty.GetDisplayNode().GetColorNode()
    )


def test_a_matching_threshold_counts_voxels() -> None:
    primary, other = np.linspace(0, 1, 101), np.linspace(0, 0.5, 101)
    assert matching_threshold(primary, 0.8, other) == pytest.approx(0.405, abs=0.001)
    other[:50] = np.nan
    assert matching_threshold(primary, 0.8, other) == pytest.approx(0.405, abs=0.001)
    assert matching_threshold(primary, 1.0, other) == 1.0, "nothing is uncertain, so nothing is coloured"
    assert matching_threshold(primary, 0.5, np.full(5, np.nan)) == 1.0


def test_surfaces_are_painted_by_the_uncertainty_at_them(scene: Any) -> None:
    result = two_blobs()
    left = result.labels.array == result.label_set[0].value
    wide = np.zeros_like(left)
    for shift in (-2, -1, 0, 1, 2):
        for axis in range(3):
            wide |= np.roll(left, shift, axis)
    array = np.where(wide, np.float32(0.55), np.float32(0.05))
    published = publish(scene, replace(result, uncertainty=result.uncertainty.with_array(array)))
    show_in_threed(scene, published, PRIMARY, PAINTED)
    assert painted_surface(published) is None, "there are no surfaces yet"
    show_surfaces(published)
    show_in_threed(scene, published, PRIMARY, PAINTED)
    mesh = painted_surface(published).GetPolyData()
    values = vtk_to_numpy(mesh.GetPointData().GetArray("Uncertainty"))
    colours = vtk_to_numpy(mesh.GetPointData().GetScalars())
    hot, calm = values > 0.3, values < 0.2
    assert hot.mean() > 0.2
    assert calm.mean() > 0.2
    assert (colours[hot, 0] > 180).all(), "red to yellow"
    pale = 255 * (0.55 * np.asarray(result.label_set[1].color) + 0.45)
    assert np.abs(colours[calm] - pale).max() < 3, "the structure's own colour, paler"
    set_band(published, 0.58)
    assert np.abs(vtk_to_numpy(mesh.GetPointData().GetScalars())[calm] - pale).max() < 3
    assert not np.array_equal(vtk_to_numpy(mesh.GetPointData().GetScalars())[hot], colours[hot])


def test_values_at_a_point_are_the_mean_around_it(published: PublishedNodes) -> None:
    array = image_array(published.uncertainty.GetImageData())
    array[...] = np.nan
    array[:, :, : array.shape[2] // 2] = 0.4
    published.uncertainty.Modified()
    matrix = vtk.vtkMatrix4x4()
    published.uncertainty.GetIJKToRASMatrix(matrix)
    inside = np.array(matrix.MultiplyPoint([2.0, 8.0, 8.0, 1.0])[:3])
    assert values_at(published.uncertainty, inside[None])[0] == pytest.approx(0.4, abs=1e-3), "NaN does not count"


@pytest.mark.parametrize("corner", [0.0, 1.0, 30.0])
def test_values_near_a_few_points_are_those_of_averages_over_the_whole_map(
    published: PublishedNodes, corner: float
) -> None:
    array = image_array(published.uncertainty.GetImageData())
    random = np.random.default_rng(3)
    array[...] = random.random(array.shape)
    array[random.random(array.shape) < 0.1] = np.nan
    ijk = corner + random.random((50, 3)) * 6 - 2  # some lie outside
    matrix = grid_from_node(published.uncertainty).ijk_to_ras
    sigma = [1.0 / spacing for spacing in grid_from_node(published.uncertainty).spacing_kji]
    known = ndimage.gaussian_filter(np.isfinite(array).astype(np.float32), sigma)
    mean = ndimage.gaussian_filter(np.nan_to_num(array), sigma) / np.maximum(known, 1e-6)
    expected = ndimage.map_coordinates(mean, ijk[:, ::-1].T, order=1)
    found = values_at(published.uncertainty, ijk @ matrix[:3, :3].T + matrix[:3, 3])
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert corner == 30.0 or expected.max() > 0.3


def test_3d_shows_one_thing_at_a_time_and_slicers_switch_still_rules(scene: Any, published: PublishedNodes) -> None:
    show_surfaces(published)
    display = published.segmentation.GetDisplayNode()
    show_in_threed(scene, published, PRIMARY, PAINTED)
    model = painted_surface(published)
    assert (model.GetDisplayNode().GetVisibility(), display.GetOpacity3D()) == (1, 0.0)
    show_in_threed(scene, published, PRIMARY, CLOUD, on_cpu=True)
    cloud = uncertainty_rendering(published.uncertainty)
    assert (model.GetDisplayNode().GetVisibility(), cloud.GetVisibility()) == (0, 1)
    assert 0 < display.GetOpacity3D() < 1
    assert cloud.GetCroppingEnabled()
    display.SetVisibility3D(False)
    show_in_threed(scene, published, PRIMARY, CLOUD, on_cpu=True)
    assert not cloud.GetVisibility()
    display.SetVisibility3D(True)
    show_in_threed(scene, published, ENTROPY, PAINTED)
    hide_in_threed(published)
    assert not model.GetDisplayNode().GetVisibility()


def test_the_camera_frames_what_is_shown(published: PublishedNodes) -> None:
    assert len(seen_points(published, CLOUD)) > len(seen_points(published, PAINTED)) > 0
    assert len(seen_points(published, PLAIN)) == len(seen_points(published, PAINTED))


def visible_legends(published: PublishedNodes) -> list[tuple[str, str]]:
    """Title and first view of every legend that is drawn."""
    nodes = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode", published.scan.GetScene())
    return [(node.GetTitleText(), node.GetNthViewNodeID(0)) for node in nodes if node.GetVisibility()]


def test_there_is_one_legend_where_it_hides_nothing_and_none_without_anything_to_explain(
    scene: Any, published: PublishedNodes
) -> None:
    scene.AddNewNodeByClass("vtkMRMLViewNode", "View1")
    scene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    show_legend(published, PRIMARY, True)
    ((title, view),) = visible_legends(published)
    assert title == "Uncertainty\n(vacuity)"
    assert view.startswith("vtkMRMLSliceNode")
    show_surfaces(published)
    for how in (PAINTED, CLOUD):
        show_in_threed(scene, published, ENTROPY, how, on_cpu=True)
        show_legend(published, ENTROPY, True)
        ((title, view),) = visible_legends(published)
        assert title == "Uncertainty\n(entropy)"
        assert view.startswith("vtkMRMLViewNode")
    show_in_threed(scene, published, PRIMARY, PLAIN)
    set_band(published, 0.99)
    show_legend(published, PRIMARY, True)
    assert visible_legends(published) == []
    assert legend_of(published.uncertainty) is not None
