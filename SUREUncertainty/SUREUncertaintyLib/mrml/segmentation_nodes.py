"""Label maps to and from segmentation nodes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from hashlib import sha256
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from vtkmodules.vtkCommonCore import reference

from ..core.labels import Label
from ..core.volume import Grid, Volume
from ..files.segment_terms import segment_id, terminology_entry
from .volume_nodes import image_array, vtk_image, vtk_matrix

_DRAWN = "SURE.Drawn"
"""Tag of our segments, and attribute of the node: SHA-256 of the voxels as they were published."""

_SURFACES = "SURE.Surfaces"
"""Attribute of a node whose surfaces went when its voxels were exchanged; its next result brings new ones."""


def fill_segmentation(node: Any, labels: Volume, label_set: Sequence[Label], scan: Any, undo: ExitStack) -> None:
    """Replace our segments in a segmentation node by those of a label map; other segments in it stay.

    All segments share one label map and keep their label values, whatever these are; a label without voxels becomes
    an empty segment. A segment that exists already keeps the colour that the user may have given it, and surfaces that
    were made of the earlier ones are made anew.

    Args:
        labels: uint8 label map on a right-handed grid.
        scan: the volume node whose geometry is the reference for editing.
    """
    earlier = node.GetSegmentation()
    undo.callback(node.SetAndObserveSegmentation, earlier)
    undo.callback(node.SetAttribute, _DRAWN, node.GetAttribute(_DRAWN))
    new = slicer.vtkSegmentation()
    new.SetSourceRepresentationName(_labelmap_name())
    image = _oriented_image(labels)
    for label in label_set:
        new.AddSegment(_segment(label, image, earlier.GetSegment(segment_id(label))), segment_id(label))
    _keep_foreign(earlier, new)
    node.SetAndObserveSegmentation(new)
    node.SetReferenceImageGeometryParameterFromVolumeNode(scan)
    if _has_surfaces(earlier) or node.GetAttribute(_SURFACES):
        node.CreateClosedSurfaceRepresentation()
        node.SetAttribute(_SURFACES, None)
    node.SetAttribute(_DRAWN, _digest(node, labels.grid))


def add_mask(node: Any, name: str, colour: Sequence[float], mask: Volume) -> None:
    """Add a segment with a label map of its own, so that it may overlap with others; no run counts it as drawn.

    Args:
        mask: uint8, 1 inside, on a right-handed grid.
    """
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetColor(*colour)
    segment.SetLabelValue(1)
    segment.AddRepresentation(_labelmap_name(), _oriented_image(mask))
    node.GetSegmentation().AddSegment(segment)


def exchange_labels(node: Any, labels: Volume) -> bool:
    """Put other voxels into the label map that all our segments share; display and segments stay.

    Views take notice only when the node is modified, which is left to the caller. Surfaces, which would be those of the
    earlier voxels, go; ``fill_segmentation`` makes them anew.

    Returns:
        False, with nothing changed, where the segments share no label map of this size, or a person edited them.
    """
    ids = own_segments(node)
    images = {node.GetSegmentation().GetSegment(i).GetRepresentation(_labelmap_name()) for i in ids}
    image = images.pop() if len(images) == 1 else None
    if image is None or image.IsEmpty() or image.GetDimensions() != labels.array.shape[::-1]:
        return False
    voxels = image_array(image)
    if voxels.dtype != labels.array.dtype or node.GetAttribute(_DRAWN) != _digest_of(ids, voxels):
        return False
    if _has_surfaces(node.GetSegmentation()):
        node.SetAttribute(_SURFACES, "1")
    voxels[...] = labels.array
    image.GetPointData().GetScalars().Modified()
    image.Modified()
    node.SetAttribute(_DRAWN, _digest_of(ids, voxels))
    return True


def surfaces_shown(node: Any) -> bool:
    """Whether Slicer's *Show 3D* is on: surfaces exist, and are not hidden."""
    return _has_surfaces(node.GetSegmentation()) and bool(node.GetDisplayNode().GetVisibility3D())


def shown_in_threed(node: Any) -> tuple[str, ...]:
    """IDs of our segments that 3D shows; none while Slicer's *Show 3D* is off."""
    if not surfaces_shown(node):
        return ()
    return tuple(i for i in own_segments(node) if node.GetDisplayNode().GetSegmentVisibility(i))


def was_edited(node: Any, grid: Grid) -> bool:
    """Whether a person changed, removed or emptied one of our segments since they were published."""
    return bool(node.GetAttribute(_DRAWN) != _digest(node, grid))


def labels_from_segmentation(node: Any, grid: Grid, segments: Sequence[str] | None = None) -> NDArray[np.uint8]:
    """(k, j, i) label map of a segmentation on ``grid``; nearest voxel where its own lattice differs.

    ``segments`` are IDs in drawing order, all when None. Each is drawn with its own label value.
    """
    segmentation = node.GetSegmentation()
    ids = segmentation.GetSegmentIDs() if segments is None else segments
    target = _empty_image(grid)
    labels = np.zeros(grid.shape, np.uint8)
    layers: dict[Any, NDArray[Any]] = {}
    for identifier in ids:
        segment = segmentation.GetSegment(identifier)
        image = segment.GetRepresentation(_labelmap_name())
        if image is None or image.IsEmpty():
            continue
        if image not in layers:
            layers[image] = _resampled(image, target)
        labels[layers[image] == segment.GetLabelValue()] = segment.GetLabelValue()
    return labels


def own_segments(node: Any) -> list[str]:
    """IDs of the segments that a run drew."""
    segmentation = node.GetSegmentation()
    return [i for i in segmentation.GetSegmentIDs() if segmentation.GetSegment(i).HasTag(_DRAWN)]


def drawn_value(segment: Any) -> int:
    """The label value with which a run drew the segment; editing may give it another one."""
    value = reference("")
    segment.GetTag(_DRAWN, value)
    return int(str(value))


def _segment(label: Label, image: Any, earlier: Any) -> Any:
    segment = slicer.vtkSegment()
    segment.SetName(label.name)
    segment.SetNameAutoGenerated(False)
    segment.SetColor(*(label.color if earlier is None else earlier.GetColor()))
    segment.SetColorAutoGenerated(False)
    segment.SetLabelValue(label.value)
    segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), terminology_entry(label))
    segment.SetTag(_DRAWN, str(label.value))
    segment.AddRepresentation(_labelmap_name(), image)
    return segment


def _keep_foreign(earlier: Any, new: Any) -> None:
    """Copy the segments that no run drew."""
    for identifier in earlier.GetSegmentIDs():
        if not earlier.GetSegment(identifier).HasTag(_DRAWN):
            new.CopySegmentFromSegmentation(earlier, identifier)


def _digest(node: Any, grid: Grid) -> str:
    """SHA-256 of our segments: IDs and voxels on ``grid``."""
    ids = own_segments(node)
    return _digest_of(ids, labels_from_segmentation(node, grid, ids))


def _digest_of(ids: Sequence[str], labels: NDArray[Any]) -> str:
    digest = sha256("\n".join(ids).encode())
    digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()


def _oriented_image(labels: Volume) -> Any:
    image = vtk_image(labels.array, slicer.vtkOrientedImageData())
    image.SetGeometryFromImageToWorldMatrix(vtk_matrix(labels.grid.ijk_to_ras))
    return image


def _empty_image(grid: Grid) -> Any:
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(grid.shape[::-1])
    image.SetGeometryFromImageToWorldMatrix(vtk_matrix(grid.ijk_to_ras))
    return image


def _resampled(image: Any, target: Any) -> NDArray[Any]:
    result = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(image, target, result)
    return image_array(result)


def _has_surfaces(segmentation: Any) -> bool:
    name = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    return bool(segmentation.ContainsRepresentation(name))


def _labelmap_name() -> str:
    return str(slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName())
