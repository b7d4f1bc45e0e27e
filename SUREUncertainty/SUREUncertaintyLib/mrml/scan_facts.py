"""What is known of a scan beside its voxels: by our own reader, or by the subject hierarchy, where 3D Slicer's DICOM
reader writes it (``DICOMLib.DICOMPlugin.addSeriesInSubjectHierarchy``)."""

from __future__ import annotations

from typing import Any

from ..core.dates import day_of_dicom
from ..core.volume import Volume

_MODALITY, _PLACED, _ACQUIRED = "SURE.Modality", "SURE.Placed", "SURE.Acquired"
"""What a scan's file said: modality, "no" where it did not say how the scan lies, and its day."""
_DICOM_MODALITY, _DICOM_SERIES_DATE, _DICOM_STUDY_DATE = "DICOM.Modality", "DICOM.SeriesDate", "DICOM.StudyDate"


def modality_of(node: Any) -> str:
    """DICOM's code where the scan's file told it, else empty."""
    return node.GetAttribute(_MODALITY) or _told_by_hierarchy(node, _DICOM_MODALITY)


def acquired_of(node: Any) -> str:
    """Day of the scan as YYYY-MM-DD where its file told it, else empty.

    Of what Slicer itself has loaded only the days of series and study are known.
    """
    told = node.GetAttribute(_ACQUIRED)
    if told:
        return str(told)
    dates = (_DICOM_SERIES_DATE, _DICOM_STUDY_DATE)
    return next(filter(None, (day_of_dicom(_told_by_hierarchy(node, name)) for name in dates)), "")


def is_placed(node: Any) -> bool:
    """Whether the scan's file said how it lies."""
    return bool(node.GetAttribute(_PLACED) != "no")


def keep_facts(node: Any, volume: Volume) -> None:
    """What a scan's file said beside its voxels, as attributes."""
    node.SetAttribute(_MODALITY, volume.modality or None)
    node.SetAttribute(_PLACED, None if volume.placed else "no")
    node.SetAttribute(_ACQUIRED, volume.acquired or None)


def _told_by_hierarchy(node: Any, name: str) -> str:
    """An attribute of the node's item or the nearest one above it; empty without."""
    scene = node.GetScene()
    hierarchy: Any = None if scene is None else scene.GetFirstNodeByClass("vtkMRMLSubjectHierarchyNode")
    if hierarchy is None:
        return ""
    item, top = hierarchy.GetItemByDataNode(node), hierarchy.GetSceneItemID()
    while item not in (0, top):
        told = hierarchy.GetItemAttribute(item, name)
        if told:
            return str(told)
        item = hierarchy.GetItemParent(item)
    return ""
