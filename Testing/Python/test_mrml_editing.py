"""Editing inside the uncertain band, review marks, boxes and series as nodes; the effect "Uncertainty"."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import slicer
import vtk
from phantoms import tilted_grid
from slicer_names import members_of
from slicer_widgets import FakeRange, FakeWidget
from SUREUncertaintyLib.analysis.rows import UncertainRegion
from SUREUncertaintyLib.analysis.structures import structure_table
from SUREUncertaintyLib.analysis.uncertain_regions import uncertain_regions
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.mrml.band_editing import edited_labelmap, result_of
from SUREUncertaintyLib.mrml.boxes import add_roi_node, box_around, roi_from_node
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import PublishedNodes
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.remeasure import current_labels, needs_measuring, remeasure
from SUREUncertaintyLib.mrml.review import is_reviewed, mark_reviewed, next_open, read_regions
from SUREUncertaintyLib.mrml.segmentation_nodes import labels_from_segmentation
from SUREUncertaintyLib.mrml.uncertain_band import BAND_ID, add_band_segment, limit_editing
from SUREUncertaintyLib.mrml.uncertainty_nodes import set_threshold, threshold_of
from SUREUncertaintyLib.mrml.volume_nodes import image_array, volume_from_node

SHAPE = (14, 16, 18)
LABELS = (Label(1, "shell"), Label(2, "core"))


@pytest.fixture(params=["straight", "oblique"])
def published(request: pytest.FixtureRequest) -> Iterator[PublishedNodes]:
    """A box in a box with uncertainty on its faces, on a straight and on an oblique grid."""
    grid = Grid(SHAPE) if request.param == "straight" else tilted_grid(SHAPE)
    array = np.zeros(SHAPE, np.uint8)
    array[3:11, 4:12, 4:14] = 1
    array[5:9, 6:10, 6:12] = 2
    uncertainty = np.full(SHAPE, 0.1, np.float32)
    uncertainty[2:5, :, :] = 0.8
    uncertainty[9:12, 2:7, 2:7] = 0.6
    image = Volume(array.astype(np.float32) * 100, grid, "boxes")
    labels, uncertainty = image.with_array(array), image.with_array(uncertainty)
    result = SegmentationResult(
        image=image,
        labels=labels,
        uncertainty=uncertainty,
        entropy=uncertainty,
        label_set=LABELS,
        structures=structure_table(labels, uncertainty, LABELS, 0.5),
        regions=uncertain_regions(labels, uncertainty, LABELS, 0.5),
        provenance={"model": {"name": "boxes"}},
    )
    with HeadlessScene() as headless:
        yield publish(headless.scene, result)


def segment_image(published: PublishedNodes, number: int) -> Any:
    segmentation = published.segmentation.GetSegmentation()
    image = slicer.vtkOrientedImageData()
    published.segmentation.GetBinaryLabelmapRepresentation(segmentation.GetNthSegmentID(number), image)
    return image


def test_growing_the_outer_box_adds_uncertain_voxels_only(published: PublishedNodes) -> None:
    uncertainty = volume_from_node(published.uncertainty).array
    before = volume_from_node(published.uncertainty).with_array(np.zeros(SHAPE, np.uint8))
    labels, _ = current_labels(published.segmentation, before)
    changed = edited_labelmap(segment_image(published, 0), published.uncertainty, "grow", (0.5, 1.0))
    after = image_array(changed) != 0
    added = after & (labels.array != 1)
    assert added.any()
    assert (uncertainty[added] > 0.5).all()
    assert not ((labels.array == 1) & ~after).any()


def test_the_band_is_a_hidden_segment_of_the_uncertain_voxels(published: PublishedNodes) -> None:
    add_band_segment(published, 0.5, 1.0)
    add_band_segment(published, 0.7, 1.0)
    uncertainty = volume_from_node(published.uncertainty)
    band = labels_from_segmentation(published.segmentation, uncertainty.grid, [BAND_ID])
    assert np.array_equal(band != 0, uncertainty.array >= 0.7)
    assert not published.segmentation.GetDisplayNode().GetSegmentVisibility(BAND_ID)
    assert published.segmentation.GetSegmentation().GetNumberOfSegments() == 3


def test_the_band_stays_hidden_and_unselected_in_segment_editor(published: PublishedNodes) -> None:
    add_band_segment(published, 0.5)
    editor = slicer.vtkMRMLSegmentEditorNode()
    editor.SetSelectedSegmentID(BAND_ID)  # Segment Editor takes the first segment and shows it
    published.segmentation.GetDisplayNode().SetSegmentVisibility(BAND_ID, True)
    limit_editing(editor, published)
    assert editor.GetSelectedSegmentID() != BAND_ID
    assert editor.GetMaskSegmentID() == BAND_ID
    assert not published.segmentation.GetDisplayNode().GetSegmentVisibility(BAND_ID)


def test_the_band_is_no_structure_and_no_edit(published: PublishedNodes) -> None:
    assert not needs_measuring(published)
    add_band_segment(published, 0.5)
    assert not needs_measuring(published)
    uncertainty = volume_from_node(published.uncertainty)
    labels, label_set = current_labels(published.segmentation, uncertainty)
    assert [label.name for label in label_set] == ["shell", "core"]
    assert set(np.unique(labels.array)) == {0, 1, 2}


def test_tables_follow_an_edit_and_its_undoing(published: PublishedNodes) -> None:
    def voxels(row: int) -> int:
        return int(published.structures.GetTable().GetValueByName(row, "voxels").ToInt())

    before = voxels(0), voxels(1)
    segmentation = published.segmentation.GetSegmentation()
    kept = slicer.vtkSegmentation()
    kept.DeepCopy(segmentation)
    identifier = segmentation.GetNthSegmentID(1)
    slicer.vtkSlicerSegmentationsModuleLogic.ClearSegment(published.segmentation, identifier)
    assert needs_measuring(published)
    remeasure(published)
    assert (voxels(0), voxels(1)) == (before[0], 0)
    published.segmentation.SetAndObserveSegmentation(kept)
    assert needs_measuring(published)
    remeasure(published)
    assert (voxels(0), voxels(1)) == before


def test_a_new_run_takes_the_place_of_numbers_that_were_measured_again(published: PublishedNodes) -> None:
    remeasure(published)
    assert needs_measuring(published)
    uncertainty = volume_from_node(published.uncertainty)
    labels, label_set = current_labels(published.segmentation, uncertainty)
    image = volume_from_node(published.scan)
    result = SegmentationResult(
        image,
        labels,
        uncertainty,
        uncertainty,
        label_set,
        provenance={"model": {"name": "boxes"}},
        uncertainty_kind="vacuity",
    )
    again = publish(published.segmentation.GetScene(), result, published.scan)
    assert again.structures is published.structures
    assert not needs_measuring(again)


def test_without_its_map_a_result_cannot_be_measured_again(published: PublishedNodes) -> None:
    published.segmentation.GetScene().RemoveNode(published.regions)
    from SUREUncertaintyLib.mrml.nodes import published_nodes

    with pytest.raises(InputError, match="Run again"):
        remeasure(published_nodes(published.segmentation))


def test_review_goes_from_place_to_place_and_starts_over(published: PublishedNodes) -> None:
    table = published.regions
    regions = read_regions(table)
    assert len(regions) >= 2
    assert next_open(table) == regions[0]
    assert next_open(table, after=1) == regions[1]
    mark_reviewed(table, regions[1], True)
    assert is_reviewed(table, regions[1])
    assert next_open(table, after=len(regions)) == regions[0]
    for region in regions:
        mark_reviewed(table, region, True)
    assert next_open(table) is None
    mark_reviewed(table, regions[0], False)
    assert next_open(table) == regions[0]


def test_places_read_from_the_table_are_those_that_were_published(published: PublishedNodes) -> None:
    uncertainty = volume_from_node(published.uncertainty)
    labels, label_set = current_labels(published.segmentation, uncertainty)
    expected = uncertain_regions(labels, uncertainty, label_set, 0.5)
    for found, region in zip(read_regions(published.regions), expected, strict=True):
        assert isinstance(found, UncertainRegion)
        assert found.structure == region.structure
        assert np.allclose(found.centre_ras, region.centre_ras)


def test_a_box_becomes_a_node_and_comes_back_with_its_transform() -> None:
    with HeadlessScene() as headless:
        box = Roi("Left", (-10.0, 0.0, 5.0), (10.0, 30.0, 25.0))
        node = add_roi_node(headless.scene, box)
        assert roi_from_node(node) == box
        assert box_around((0.0, 15.0, 15.0), (20.0, 30.0, 20.0), "Left") == box
        turn = vtk.vtkTransform()
        turn.RotateZ(90)
        transform = headless.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "turn")
        transform.SetMatrixTransformToParent(turn.GetMatrix())
        node.SetAndObserveTransformNodeID(transform.GetID())
        assert np.allclose(roi_from_node(node).low, (-30.0, -10.0, 5.0))


def test_an_empty_box_is_refused_in_a_sentence() -> None:
    with HeadlessScene() as headless:
        node = headless.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Empty")
        node.SetSize(0, 0, 0)
        with pytest.raises(InputError, match="'Empty' has no volume yet"):
            roi_from_node(node)


def test_other_segmentations_have_no_uncertainty() -> None:
    with HeadlessScene() as headless:
        assert result_of(None) is None
        assert result_of(headless.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")) is None


class FakeEffect:
    """What Segment Editor hands to a scripted effect; only members that the real one has."""

    def __init__(self, segmentation: Any, labelmap: Any) -> None:
        self.parameters: dict[str, float] = {}
        self.widgets: list[Any] = []
        self.calls: list[str] = []
        self.modified: Any = None
        self._segmentation, self._labelmap = segmentation, labelmap

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"qSlicerSegmentEditorScriptedEffect has no '{name}' here")

    def setParameterDefault(self, name: str, value: float) -> None:
        self.parameters.setdefault(name, value)

    def setParameter(self, name: str, value: float) -> None:
        self.parameters[name] = value

    def doubleParameter(self, name: str) -> float:
        return self.parameters[name]

    def parameter(self, name: str) -> str:
        return str(self.parameters[name])

    def addLabeledOptionsWidget(self, label: str, widget: Any) -> None:
        self.widgets.append(widget)

    def addOptionsWidget(self, widget: Any) -> None:
        self.widgets.append(widget)

    def parameterSetNode(self) -> Any:
        return SimpleNamespace(GetSegmentationNode=lambda: self._segmentation)

    def saveStateForUndo(self) -> None:
        self.calls.append("undo")

    def selectedSegmentLabelmap(self) -> Any:
        return self._labelmap

    def modifySelectedSegmentByLabelmap(self, labelmap: Any, mode: Any) -> None:
        self.calls.append(mode)
        self.modified = labelmap


def load_effect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The effect's file, loaded as Segment Editor does, with stand-ins for Qt."""
    base = type(
        "AbstractScriptedSegmentEditorEffect", (), {"__init__": lambda self, e: setattr(self, "scriptedEffect", e)}
    )
    stand_ins: dict[str, dict[str, Any]] = {
        "SegmentEditorEffects": {"AbstractScriptedSegmentEditorEffect": base},
        "slicer.i18n": {"tr": str},
        "qt": {
            "QPushButton": lambda text: FakeWidget("QPushButton", text),
            "QLabel": lambda: FakeWidget("QLabel", "note"),
        },
        "ctk": {"ctkRangeWidget": lambda: FakeRange("ctkRangeWidget", "band")},
    }
    for name, members in stand_ins.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    modes = SimpleNamespace(ModificationModeSet="set")
    monkeypatch.setattr(slicer, "qSlicerSegmentEditorAbstractEffect", modes, raising=False)
    path = Path(str(sys.modules["SUREUncertaintyLib"].__file__)).parent / "ui" / "SUREUncertaintyEffect.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, path.stem)


def test_the_effect_grows_inside_the_band_and_can_be_undone(
    published: PublishedNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = FakeEffect(published.segmentation, segment_image(published, 0))
    effect = load_effect(monkeypatch)(handle)
    effect.setMRMLDefaults()
    effect.setupOptionsFrame()
    effect.updateGUIFromMRML()
    band, grow = handle.widgets[0], handle.widgets[1]
    assert (band.minimumValue, band.maximumValue) == (threshold_of(published.uncertainty), 1.0)
    assert handle.widgets[-1].text == ""
    band.setValues(0.7, 1.0)
    assert handle.parameters["BandLow"] == 0.7
    grow.click()
    assert handle.calls == ["undo", "set"]
    expected = edited_labelmap(segment_image(published, 0), published.uncertainty, "grow", (0.7, 1.0))
    assert np.array_equal(image_array(handle.modified), image_array(expected))
    effect.updateGUIFromMRML()
    assert band.minimumValue == 0.7  # what a person chose stays
    set_threshold(published.uncertainty, 0.06, 1.0)
    effect.updateGUIFromMRML()
    assert (band.minimumValue, band.maximumValue) == pytest.approx((0.06, 1.0))  # the panel's band moved


def test_the_effect_says_when_nothing_can_change(published: PublishedNodes, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = FakeEffect(published.segmentation, segment_image(published, 0))
    effect = load_effect(monkeypatch)(handle)
    effect.setMRMLDefaults()
    effect.setupOptionsFrame()
    effect.updateGUIFromMRML()
    handle.widgets[0].setValues(0.99, 1.0)
    handle.widgets[1].click()
    assert handle.calls == []
    assert "Nothing can change" in handle.widgets[-1].text
    assert "0.99 to 1.00" in handle.widgets[-1].text
    handle.widgets[0].setValues(0.3, 1.0)
    handle.widgets[1].click()
    assert handle.calls == ["undo", "set"]
    assert handle.widgets[-1].text == ""


def test_the_effect_uses_only_what_segment_editor_offers() -> None:
    offered = members_of("qSlicerSegmentEditorScriptedEffect") | {"perSegment", "requireSegments", "name", "title"}
    used = {name for name in vars(FakeEffect) if not name.startswith("_")}
    assert used <= offered
