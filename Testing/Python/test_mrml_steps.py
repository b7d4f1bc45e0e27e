"""Series, curves and anything else that a person steps through, on real MRML nodes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import slicer
from SUREUncertaintyLib.analysis.noise_series import LevelRow
from SUREUncertaintyLib.mrml.archive import read_mrb, write_mrb
from SUREUncertaintyLib.mrml.chosen_map import CLOUD, map_meaning, map_names, show_in_threed, with_map
from SUREUncertaintyLib.mrml.curves import add_curves, update_curves
from SUREUncertaintyLib.mrml.display import show_surfaces, uncertainty_rendering
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import BROWSER, PublishedNodes, published_nodes
from SUREUncertaintyLib.mrml.noise_series import SeriesNodes, SeriesStep, publish_series
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.sequences import Track, add_browser
from SUREUncertaintyLib.mrml.steps import go_to_step, steps_in
from SUREUncertaintyLib.mrml.uncertainty_nodes import create_uncertainty_display
from SUREUncertaintyLib.mrml.volume_nodes import add_volume, volume_from_node
from two_blobs import two_blobs

ROWS = [LevelRow(0.0, 1.0, 0.3, 2.0), LevelRow(0.5, 0.7, 0.6, 1.5)]


@pytest.fixture
def published() -> Iterator[PublishedNodes]:
    with HeadlessScene() as headless:
        yield publish(headless.scene, two_blobs())


def series(published: PublishedNodes) -> SeriesNodes:
    scan, uncertainty = volume_from_node(published.scan), volume_from_node(published.uncertainty)
    steps = [SeriesStep(0.0, scan, uncertainty), SeriesStep(0.5, scan, uncertainty.with_array(uncertainty.array / 2))]
    return publish_series(
        published.segmentation.GetScene(), "boxes (gaussian)", "Gaussian noise", ROWS, steps, published
    )


def test_a_series_is_a_table_a_chart_and_sequences(published: PublishedNodes) -> None:
    uncertainty, nodes = volume_from_node(published.uncertainty), series(published)
    agreement, mean = nodes.charts
    assert (agreement.GetTitle(), mean.GetTitle()) == (
        "Gaussian noise: how much stays",
        "Gaussian noise: mean uncertainty",
    )
    assert [chart.GetNumberOfPlotSeriesNodes() for chart in nodes.charts] == [1, 1]
    assert agreement.GetXAxisTitle() == "Noise strength"
    assert tuple(agreement.GetYAxisRange()) == pytest.approx((0.6, 1.0)), "an axis of its own"
    assert tuple(mean.GetYAxisRange()) == pytest.approx((0.3, 0.7))
    assert nodes.table.GetTable().GetValueByName(1, "agreement").ToDouble() == 0.7
    sequence = nodes.browser.GetMasterSequenceNode()
    assert [sequence.GetNthIndexValue(n) for n in range(2)] == ["0.0", "0.5"]
    frame = volume_from_node(sequence.GetDataNodeAtValue("0.5"))
    assert np.allclose(frame.array, uncertainty.array / 2)
    assert frame.grid.matches(uncertainty.grid)


def test_a_step_shows_its_own_scan_and_map_in_the_colours_of_uncertainty(published: PublishedNodes) -> None:
    scene, nodes = published.segmentation.GetScene(), series(published)
    (steps,) = steps_in(scene)
    assert (steps.kind, steps.count, steps.number, steps.value(1)) == ("series", 2, 0, "0.5")
    go_to_step(scene, steps, 1, 0.6)
    assert steps.number == 1
    shown = volume_from_node(nodes.uncertainty).array
    assert np.allclose(shown, volume_from_node(published.uncertainty).array / 2)
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)[0]
    assert composite.GetBackgroundVolumeID() == nodes.scan.GetID()
    assert composite.GetForegroundVolumeID() == nodes.uncertainty.GetID()
    assert composite.GetForegroundOpacity() == pytest.approx(0.6)
    display, own = nodes.uncertainty.GetDisplayNode(), published.uncertainty.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (
        own.GetWindowLevelMin(),
        own.GetWindowLevelMax(),
    )
    assert display.GetColorNode().GetNumberOfColors() == own.GetColorNode().GetNumberOfColors()
    assert display.GetLowerThreshold() == own.GetLowerThreshold()
    go_to_step(scene, steps, 0, 0.6)
    assert np.allclose(volume_from_node(nodes.uncertainty).array, volume_from_node(published.uncertainty).array)


def test_samples_are_stepped_through_as_outlines_and_leave_the_slices_alone(published: PublishedNodes) -> None:
    scene = published.segmentation.GetScene()
    nodes = [slicer.vtkMRMLSegmentationNode() for _ in range(3)]
    browser, (proxy,) = add_browser(scene, "samples", "sample", ["0", "1", "2"], [Track("sample", nodes)])
    proxy.CreateDefaultDisplayNodes()
    published.segmentation.SetNodeReferenceID(BROWSER, browser.GetID())
    (steps,) = steps_in(scene)
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)[0]
    before = composite.GetForegroundVolumeID()
    go_to_step(scene, steps, 2, 0.5)
    assert (steps.kind, steps.value(steps.number)) == ("samples", "2")
    assert composite.GetForegroundVolumeID() == before
    assert proxy.GetDisplayNode().GetVisibility()


def test_a_series_can_be_stepped_through_after_saving_and_loading(published: PublishedNodes, tmp_path) -> None:
    scene = published.segmentation.GetScene()
    series(published)
    write_mrb(scene, tmp_path / "scene.mrb")
    half = volume_from_node(published.uncertainty).array / 2
    scene.Clear(0)
    read_mrb(scene, tmp_path / "scene.mrb")
    (steps,) = steps_in(scene)
    go_to_step(scene, steps, 1, 0.5)
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)[0]
    shown = scene.GetNodeByID(composite.GetForegroundVolumeID())
    assert np.allclose(volume_from_node(shown).array, half, atol=1e-6)


def test_nothing_to_step_through(published: PublishedNodes) -> None:
    assert steps_in(published.segmentation.GetScene()) == []


def test_curves_grow_with_the_log_of_a_training() -> None:
    with HeadlessScene() as headless:
        nodes = add_curves(headless.scene, "my-liver")
        assert nodes.table.GetNumberOfRows() == 0
        update_curves(nodes, [{"step": 10, "loss": 0.9}, {"step": 20, "loss": 0.5, "tuning_dice": 0.7}])
        table = nodes.table.GetTable()
        assert [table.GetValueByName(row, "loss").ToDouble() for row in range(2)] == pytest.approx([1.0, 0.5 / 0.9])
        assert np.isnan(table.GetValueByName(0, "tuning_dice").ToDouble())
        assert nodes.chart.GetTitle() == "Training of my-liver"
        assert nodes.chart.GetNumberOfPlotSeriesNodes() == 2


def test_every_level_is_a_map_that_can_be_chosen(published: PublishedNodes) -> None:
    scene = published.segmentation.GetScene()
    for number in range(2):
        node = add_volume(scene, two_blobs().uncertainty.with_array(two_blobs().uncertainty.array * (number + 1) / 4))
        create_uncertainty_display(scene, node, 0.3)
        published.segmentation.SetNodeReferenceID(f"SURE.level{number}", node.GetID())
    found = published_nodes(published.segmentation)
    assert list(map_names(found)) == ["primary", "entropy", "level1", "level0"]
    assert list(map_names(found).values())[2:] == ["How far, 2 px", "Rim, 1 px"]
    assert map_meaning(found, "level0").startswith("The finest level of the samples")
    assert with_map(found, "level1").uncertainty is found.levels[1]
    assert with_map(found, "level9").uncertainty is found.uncertainty
    show_surfaces(found)
    show_in_threed(scene, found, "level1", CLOUD, on_cpu=True)
    assert uncertainty_rendering(found.levels[1]).GetVisibility()
    show_in_threed(scene, found, "primary", CLOUD, on_cpu=True)
    assert not uncertainty_rendering(found.levels[1]).GetVisibility()
