"""What the Sample Data module offers under "SURE Uncertainty"."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from ..core.errors import SureError
from ..core.phantom import PHANTOM_ROIS, make_phantom
from ..core.roi import Roi
from ..mrml.boxes import add_roi_node
from ..mrml.volume_nodes import add_volume

CATEGORY = "SURE Uncertainty"

HEAD_MODEL = "hippocampus-t1"
AVERAGE = "Average brain (3 mm)"
NOTHING_CAME = "no file came from Slicer's sample server"


class SampleError(SureError):
    """The sample is not there; the text says why, as the end of a sentence."""


NO_FILE = {"uris": "", "fileNames": ""}
"""Sample Data counts the files of a source even where a function brings it: one without a name."""


def register_samples(icon: Path) -> None:
    """Register Slicer's own MRHead; no model finds anything true in the phantom, so it is not offered."""
    import SampleData  # type: ignore[import-not-found]

    register = SampleData.SampleDataLogic.registerCustomSampleDataSource
    register(
        category=CATEGORY,
        sampleName="SUREMRHead",
        thumbnailFileName=str(icon),
        nodeNames="MRHead",
        customDownloader=load_head,
        **NO_FILE,
    )


def load_phantom(_source: Any = None) -> list[Any]:
    """The phantom's volume node and its regions."""
    scene = slicer.mrmlScene
    node = add_volume(scene, make_phantom())
    return [node, *(_region(scene, roi) for roi in PHANTOM_ROIS)]


def load_head(_source: Any = None) -> list[Any]:
    """MRHead, with the regions that the shipped model finds in it."""
    import SampleData

    from ..presenters.suggested_regions import suggest_regions

    try:
        node = SampleData.SampleDataLogic().downloadMRHead()
    except Exception as error:  # Sample Data raises whatever the network did, and an IndexError where nothing came
        raise SampleError(_reason_of(error)) from error
    if node is None:
        raise SampleError(NOTHING_CAME)
    try:
        return [node, *suggest_regions(slicer.mrmlScene, node, HEAD_MODEL)]
    except SureError as error:
        slicer.util.showStatusMessage(str(error), 10000)
    return [node]


def load_average(_source: Any = None) -> list[Any]:
    """The average brain that the shipped model fits scans to, with the regions that it finds; nothing is downloaded."""
    from ..files.reading import read_volume
    from ..packages.catalogue import find_package
    from ..presenters.suggested_regions import suggest_regions

    scan = read_volume(find_package(HEAD_MODEL).root / "locator" / "template.nii.gz")
    node = add_volume(slicer.mrmlScene, replace(scan, name=AVERAGE))
    return [node, *suggest_regions(slicer.mrmlScene, node, HEAD_MODEL)]


def _reason_of(error: Exception) -> str:
    return NOTHING_CAME if isinstance(error, (IndexError, KeyError)) else str(error) or type(error).__name__


def _region(scene: Any, roi: Roi) -> Any:
    """The region's node, made where there is none of this name in this place."""
    for node in slicer.util.getNodesByClass("vtkMRMLMarkupsROINode", scene):
        bounds = [0.0] * 6
        node.GetRASBounds(bounds)
        if node.GetName().startswith(roi.name) and np.allclose(bounds[0::2] + bounds[1::2], roi.low + roi.high):
            return node
    return add_roi_node(scene, roi)
