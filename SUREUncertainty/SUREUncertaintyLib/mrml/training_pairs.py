"""Scans and their segmentations in a scene, written as files to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from ..core.errors import InputError
from ..core.labels import Label
from ..core.volume import Volume
from ..files.segment_header import write_segmentation
from ..files.writing import OutputFolder, write_volume
from .nodes import SCAN
from .segmentation_nodes import labels_from_segmentation
from .uncertain_band import BAND_ID
from .volume_nodes import volume_from_node

_GEOMETRY = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
LARGEST_LABEL = 255


@dataclass(frozen=True)
class ScenePair:
    """A volume node and the segmentation node that was drawn on it."""

    scan: Any
    segmentation: Any

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.scan.GetName()} / {self.segmentation.GetName()}"


def scene_pairs(scene: Any) -> list[ScenePair]:
    """Every segmentation with at least one segment, and the volume that it was drawn on."""
    found = []
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene):
        scan = node.GetNodeReference(SCAN) or node.GetNodeReference(_GEOMETRY)
        if scan is not None and scan.IsA("vtkMRMLScalarVolumeNode") and _segments(node):
            found.append(ScenePair(scan, node))
    return found


def write_scene_pairs(pairs: Sequence[ScenePair], folder: Path) -> None:
    """Write scans to ``images`` and label maps to ``labels``; a segment's name decides its label value in all of them.

    Raises:
        InputError: no pairs, too many structures, or a volume that cannot be used. OutputError.
    """
    if not pairs:
        raise InputError("The scene has no segmentation that belongs to a volume. Draw or load some, or use a folder.")
    values = _values(pairs)
    with OutputFolder(folder, overwrite=True) as target:
        for part in ("images", "labels"):
            (target / part).mkdir()
        for number, pair in enumerate(pairs, 1):
            scan = volume_from_node(pair.scan)
            labels, label_set = _labels(pair.segmentation, scan, values)
            write_volume(scan, target / "images" / f"{number:03d}.nrrd")
            write_segmentation(labels, label_set, target / "labels" / f"{number:03d}.seg.nrrd")


def _values(pairs: Sequence[ScenePair]) -> dict[str, int]:
    """A label value for every name of a segment, in order of appearance."""
    names = [segment.GetName() for pair in pairs for _, segment in _segments(pair.segmentation)]
    values = {name: value for value, name in enumerate(dict.fromkeys(names), 1)}
    if len(values) > LARGEST_LABEL:
        raise InputError(f"The segmentations name {len(values)} structures; at most {LARGEST_LABEL} fit.")
    return values


def _labels(node: Any, scan: Volume, values: dict[str, int]) -> tuple[Volume, list[Label]]:
    array = np.zeros(scan.grid.shape, np.uint8)
    label_set = []
    for identifier, segment in _segments(node):
        value = values[segment.GetName()]
        array[labels_from_segmentation(node, scan.grid, [identifier]) != 0] = value
        label_set.append(Label(value, segment.GetName(), tuple(segment.GetColor())))
    return scan.with_array(array, "labels"), label_set


def _segments(node: Any) -> list[tuple[str, Any]]:
    """ID and segment of all segments but the band that limits editing."""
    segmentation = node.GetSegmentation()
    return [(i, segmentation.GetSegment(i)) for i in segmentation.GetSegmentIDs() if i != BAND_ID]
