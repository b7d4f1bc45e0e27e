"""What the Sample Data module offers under "SURE Uncertainty"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer

from ..core.phantom import PHANTOM_ROIS, make_phantom
from ..core.roi import Roi
from ..mrml.boxes import add_roi_node
from ..mrml.volume_nodes import add_volume

CATEGORY = "SURE Uncertainty"

HEAD_MODEL = "hippocampus-t1"

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

    from ..core.errors import SureError
    from ..presenters.suggested_regions import suggest_regions

    node = SampleData.SampleDataLogic().downloadMRHead()
    try:
        return [node, *suggest_regions(slicer.mrmlScene, node, HEAD_MODEL)]
    except SureError as error:
        slicer.util.showStatusMessage(str(error), 10000)
    return [node]


def _region(scene: Any, roi: Roi) -> Any:
    """The region's node, made where there is none of this name in this place."""
    for node in slicer.util.getNodesByClass("vtkMRMLMarkupsROINode", scene):
        bounds = [0.0] * 6
        node.GetRASBounds(bounds)
        if node.GetName().startswith(roi.name) and np.allclose(bounds[0::2] + bounds[1::2], roi.low + roi.high):
            return node
    return add_roi_node(scene, roi)
