"""Levels and samples of a network with latents in a real scene: volumes, a sequence that plays, archives, reruns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.sampling.samples_result import Sampling, SamplingOptions, StructureSize
from SUREUncertaintyLib.inference.sampling.sizes import SampleSize, SizeInterval
from SUREUncertaintyLib.mrml import publish as publish_module
from SUREUncertaintyLib.mrml.archive import read_mrb, write_mrb
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import all_published
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.reading_back import result_from_nodes
from SUREUncertaintyLib.mrml.rollback import node_ids
from SUREUncertaintyLib.mrml.segmentation_nodes import labels_from_segmentation
from SUREUncertaintyLib.mrml.steps import steps_in
from SUREUncertaintyLib.mrml.uncertainty_nodes import scale_top, threshold_of
from SUREUncertaintyLib.mrml.volume_nodes import volume_from_node
from SUREUncertaintyLib.presenters.result_sentences import volume_table
from SUREUncertaintyLib.presenters.step_sentence import step_sentence
from SUREUncertaintyLib.view.numbers_part import _structures
from two_blobs import LABELS, two_blobs

SAMPLES, LEVELS = 3, 2


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


def sampled(samples: int = SAMPLES, levels: int = LEVELS) -> SegmentationResult:
    """Two blobs with samples in which the first blob loses ``number`` slices, and constant level maps."""
    result = two_blobs()
    shrunk = []
    for number in range(samples):
        array = result.labels.array.copy()
        for k in range(number):
            array[np.flatnonzero((array == 5).any((1, 2)))[k:][:1]] = 0
        shrunk.append(result.labels.with_array(array, f"sample {number}"))
    maps = [
        result.uncertainty.with_array(np.full_like(result.uncertainty.array, 0.1 * (level + 1)), f"level {level}")
        for level in range(levels)
    ]
    return replace(result, sampling=Sampling(SamplingOptions(samples), {}, tuple(maps), samples=tuple(shrunk)))


def test_levels_are_volumes_of_their_own_in_the_colours_of_uncertainty(scene: Any) -> None:
    result = sampled()
    nodes = publish(scene, result)
    assert result.sampling is not None
    assert [node.GetName().split("uncertainty ")[1] for node in nodes.levels.values()] == [
        "(rim, 1 px)",
        "(how far, 2 px)",
    ]
    for node, expected in zip(nodes.levels.values(), result.sampling.levels, strict=True):
        assert np.array_equal(volume_from_node(node).array, expected.array)
        assert 0 < scale_top(node) <= 1
        assert slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(node) is not None


def test_samples_are_a_sequence_that_the_sequences_logic_plays(scene: Any) -> None:
    result = sampled()
    nodes = publish(scene, result)
    assert result.sampling is not None
    assert nodes.samples.GetNumberOfDataNodes() == nodes.browser.GetNumberOfItems() == SAMPLES
    logic = slicer.vtkSlicerSequencesLogic()
    logic.SetMRMLScene(scene)
    sizes = []
    for number, expected in enumerate(result.sampling.samples):
        nodes.browser.SetSelectedItemNumber(number)
        logic.UpdateProxyNodesFromSequences(nodes.browser)
        shown = labels_from_segmentation(nodes.sample, expected.grid)
        assert np.array_equal(shown, expected.array)
        sizes.append(int((shown == 5).sum()))
    assert sizes[0] > sizes[1] > sizes[2] > 0
    assert nodes.browser.GetProxyNode(nodes.samples) is nodes.sample
    assert not nodes.sample.GetDisplayNode().GetVisibility3D()
    assert nodes.sample in nodes.results


def test_samples_run_from_the_smallest_to_the_largest_and_keep_their_own_numbers(scene: Any) -> None:
    result = sampled()
    assert result.sampling is not None
    drawn = tuple(SampleSize(count) for count in (30, 10, 20))
    size = StructureSize(5, "left blob", SizeInterval(20, 10, 30, 100), 0.002, drawn)
    measured = replace(result, sampling=replace(result.sampling, sizes=(size,)))
    nodes = publish(scene, measured)
    assert [nodes.samples.GetNthIndexValue(step) for step in range(SAMPLES)] == ["1", "2", "0"]
    (steps,) = steps_in(scene)
    assert [steps.volume_ml(step) for step in range(SAMPLES)] == pytest.approx([0.02, 0.04, 0.06])
    assert step_sentence(steps, 2) == "Sample 0, number 3 of 3 from the smallest: 0.06 ml."
    found = result_from_nodes(nodes).sampling
    assert found is not None
    for number, volume in enumerate(result.sampling.samples):
        assert np.array_equal(found.samples[number].array, volume.array)


def test_samples_whose_volumes_are_not_known_keep_their_order(scene: Any) -> None:
    nodes = publish(scene, sampled())
    assert [nodes.samples.GetNthIndexValue(step) for step in range(SAMPLES)] == ["0", "1", "2"]
    (steps,) = steps_in(scene)
    assert step_sentence(steps, 1) == "Sample 1: one of 3 plausible segmentations."


def test_a_faint_level_colours_as_many_voxels_as_all_levels_together(scene: Any) -> None:
    result = sampled(levels=1)
    assert result.sampling is not None
    faint = result.uncertainty.with_array(result.uncertainty.array * np.float32(0.25), "level 0")
    result = replace(result, sampling=replace(result.sampling, levels=(faint,)))
    nodes = publish(scene, result)
    threshold = threshold_of(nodes.levels[0])
    assert threshold == pytest.approx(0.25 * result.threshold, abs=0.02)
    shown, all_levels = (faint.array >= threshold).sum(), (result.uncertainty.array > result.threshold).sum()
    assert shown == pytest.approx(all_levels, rel=0.05)


def test_levels_and_samples_survive_an_archive(scene: Any, tmp_path: Path) -> None:
    result = sampled()
    publish(scene, result)
    write_mrb(scene, tmp_path / "scene.mrb")
    with HeadlessScene() as other:
        read_mrb(other.scene, tmp_path / "scene.mrb")
        (nodes,) = all_published(other.scene)
        assert len(nodes.levels) == LEVELS
        assert nodes.browser.GetMasterSequenceNode() is nodes.samples
        assert result.sampling is not None
        for number, expected in enumerate(result.sampling.samples):
            shown = labels_from_segmentation(nodes.samples.GetNthDataNode(number), expected.grid)
            assert np.array_equal(shown, expected.array)


def test_a_second_run_replaces_what_it_makes_and_removes_what_it_does_not(scene: Any) -> None:
    first = publish(scene, sampled())
    levels = first.levels
    second = publish(scene, sampled(samples=2))
    assert second.levels == levels
    assert second.samples.GetNumberOfDataNodes() == 2
    assert len(slicer.util.getNodesByClass("vtkMRMLSequenceNode", scene)) == 1
    third = publish(scene, sampled(samples=0, levels=0))
    assert (third.levels, third.samples, third.browser, third.sample) == ({}, None, None, None)
    assert not slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode", scene)
    assert slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene) == [third.segmentation]


def test_a_failure_leaves_levels_and_samples_as_they_were(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(scene, sampled())
    before = node_ids(scene)

    def broken(*_: Any) -> None:
        raise RuntimeError("no hierarchy")

    monkeypatch.setattr(publish_module, "place_in_folder", broken)
    with pytest.raises(RuntimeError):
        publish(scene, sampled(samples=2))
    assert sorted(node_ids(scene)) == sorted(before)
    (nodes,) = all_published(scene)
    assert nodes.samples.GetNumberOfDataNodes() == SAMPLES


def test_the_colours_of_mutual_information_end_at_ln_of_the_number_of_classes(scene: Any) -> None:
    given = replace(sampled(), uncertainty_kind="mutual_information", threshold=0.4, label_set=LABELS[:1])
    nodes = publish(scene, given)
    assert scale_top(nodes.uncertainty) == pytest.approx(np.log(2))
    assert all(scale_top(node) <= np.log(2) for node in nodes.levels.values())
    plain = replace(two_blobs(), threshold=0.4)
    assert scale_top(publish(scene, plain).uncertainty) == 0.8


def test_panel_and_page_tell_in_how_many_samples_a_structure_is_that_was_not_found(scene: Any) -> None:
    result = sampled()
    first, absent = result.structures
    nodes = publish(
        scene, replace(result, structures=(first, replace(absent, samples=100, samples_with=49, volume_high_ml=0.07)))
    )
    _, cells = volume_table(nodes)
    assert cells[1][1] == "not found; in 49 of 100 samples\nup to 0.07"
    assert [shown["volume"] for shown in _structures(nodes)][-1] == "not found; in 49 of 100 samples"
    back = result_from_nodes(nodes).structures[1]
    assert (back.samples, back.samples_with) == (100, 49)
    scene.Clear(0)
    _, cells = volume_table(publish(scene, result))
    assert cells[1][1] == "not found"


def test_the_panels_table_shows_the_axial_diameter_with_its_range(scene: Any) -> None:
    result = sampled()
    across = {"axial_mm": 19.65, "axial_low_mm": 17.62, "axial_high_mm": 23.16}
    rows = (replace(result.structures[0], **across), *result.structures[1:])
    headers, cells = volume_table(publish(scene, replace(result, structures=rows)))
    assert headers == ("Structure", "Volume (ml)", "Axial (mm)")
    assert cells[0][2] == "19.6\n17.6 to 23.2"
    assert cells[1][2] == ""
