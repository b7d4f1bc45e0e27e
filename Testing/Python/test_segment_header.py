"""A .seg.nrrd loads in Slicer's own reader with the same names, colours, values, terminology, voxels and places."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from phantoms import tilted_grid
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.labels import Code, Label
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_labels
from SUREUncertaintyLib.files.segment_header import write_segmentation
from SUREUncertaintyLib.files.segment_terms import segment_id, terminology_entry

STRUCTURE = Code("123037004", "SCT", "Anatomical Structure")
LABELS = (
    Label(0, "background"),
    Label(
        5, "left anterior hippocampus", (0.9, 0.25, 0.125), STRUCTURE, Code("5366008", "SCT", "Hippocampal structure")
    ),
    Label(7, "Größe ä/β", (0.0, 0.5, 1.0)),
    Label(300, "not found", (0.125, 1.0, 0.0), STRUCTURE, Code("1", "99X", "a~b^c|d"), Code("7771000", "SCT", "Left")),
)


def labels_on(grid: Grid) -> Volume:
    array = np.zeros(grid.shape, np.uint16)
    array[1:4, 2:6, 3:9] = 5
    array[5:7, 7:9, 1:3] = 7
    return Volume(array, grid, "segmentation")


@pytest.fixture
def scene():
    import slicer

    scene = slicer.vtkMRMLScene()
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLApplicationLogic(application)
    logic.SetMRMLScene(scene)
    yield scene
    scene.Clear(0)


def load(scene, path: Path):
    import slicer

    storage = slicer.vtkMRMLSegmentationStorageNode()
    storage.SetFileName(str(path))
    scene.AddNode(storage)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "loaded")
    assert storage.ReadData(node)
    return node


def tag(segment, name: str) -> str:
    import vtk

    value = vtk.reference("")
    assert segment.GetTag(name, value)
    return str(value)


def positions(node, name: str) -> np.ndarray:
    """RAS positions of a segment's voxels, sorted."""
    import slicer
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    image = slicer.vtkOrientedImageData()
    assert node.GetBinaryLabelmapRepresentation(name, image)
    i0, i1, j0, j1, k0, k1 = image.GetExtent()
    voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(k1 - k0 + 1, j1 - j0 + 1, i1 - i0 + 1)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return sorted_positions(np.argwhere(voxels > 0) + np.array([k0, j0, i0]), slicer.util.arrayFromVTKMatrix(matrix))


def sorted_positions(kji: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    ras = kji[:, ::-1] @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3]
    return ras[np.lexsort(np.rint(ras * 1e4).T)]


@pytest.mark.parametrize("left_handed", [False, True], ids=["right-handed", "left-handed"])
def test_slicer_loads_names_colours_values_voxels_and_places(tmp_path, scene, left_handed):
    labels = labels_on(tilted_grid(left_handed=left_handed))
    write_segmentation(labels, LABELS, tmp_path / "Ergebnis ü.seg.nrrd")
    node = load(scene, tmp_path / "Ergebnis ü.seg.nrrd")
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 3
    assert segmentation.GetNumberOfLayers() == 1
    for label in LABELS[1:]:
        segment = segmentation.GetSegment(segment_id(label))
        assert segment.GetName() == label.name
        assert_allclose(segment.GetColor(), label.color, atol=1e-6)
        assert tag(segment, "TerminologyEntry") == terminology_entry(label)
        expected = sorted_positions(np.argwhere(labels.array == label.value), labels.grid.ijk_to_ras)
        found = positions(node, segment_id(label))
        assert len(found) == len(expected)
        assert_allclose(found, expected, atol=1e-5)
    present = [segmentation.GetSegment(segment_id(label)).GetLabelValue() for label in LABELS[1:]]
    assert present == [5, 7, 300]


def test_slicer_takes_the_reference_geometry_from_the_file(tmp_path, scene):
    import slicer
    import vtk

    labels = labels_on(tilted_grid())
    write_segmentation(labels, LABELS, tmp_path / "a.seg.nrrd")
    segmentation = load(scene, tmp_path / "a.seg.nrrd").GetSegmentation()
    text = segmentation.GetConversionParameter("Reference image geometry")
    image = slicer.vtkOrientedImageData()
    assert slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image, False)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    assert_allclose(slicer.util.arrayFromVTKMatrix(matrix), labels.grid.ijk_to_ras, atol=1e-9)
    assert image.GetExtent() == (0, 12, 0, 10, 0, 8)


def test_slicer_reads_the_terminology_parts(tmp_path, scene):
    import slicer

    write_segmentation(labels_on(tilted_grid()), LABELS, tmp_path / "a.seg.nrrd")
    segment = load(scene, tmp_path / "a.seg.nrrd").GetSegmentation().GetSegment(segment_id(LABELS[1]))
    entry = slicer.vtkSlicerTerminologyEntry()
    logic = slicer.vtkSlicerTerminologiesModuleLogic()
    assert logic.DeserializeTerminologyEntry(tag(segment, "TerminologyEntry"), entry)
    assert entry.GetCategoryObject().GetCodeValue() == "123037004"
    assert entry.GetTypeObject().GetCodeValue() == "5366008"
    assert entry.GetTypeObject().GetCodingSchemeDesignator() == "SCT"
    assert entry.GetTypeObject().GetCodeMeaning() == "Hippocampal structure"


def test_the_terminology_of_a_label_without_codes_is_tissue():
    assert terminology_entry(LABELS[2]) == (
        "Segmentation category and type - 3D Slicer General Anatomy list~SCT^85756007^Tissue~SCT^85756007^Tissue~^^"
        "~Anatomic codes - DICOM master list~^^~^^"
    )


def test_separators_inside_a_meaning_cannot_break_the_entry():
    assert "~99X^1^a b c d~SCT^7771000^Left~" in terminology_entry(LABELS[3])


def test_the_file_reads_back_as_the_same_label_map(tmp_path):
    labels = labels_on(tilted_grid(left_handed=True))
    write_segmentation(labels, LABELS, tmp_path / "a.seg.nrrd")
    back = read_labels(tmp_path / "a.seg.nrrd")
    assert np.array_equal(back.array, labels.array)
    assert back.grid.matches(labels.grid, 1e-9)


def test_segment_ids_differ_for_names_that_look_alike():
    assert segment_id(Label(1, "a b")) != segment_id(Label(2, "a-b"))
    assert segment_id(Label(3, "海馬")) == "Segment_3"


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"must end in \.seg\.nrrd"):
        write_segmentation(labels_on(tilted_grid()), LABELS, tmp_path / "a.nrrd")
