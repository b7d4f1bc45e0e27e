"""One segmentation from a script: the worker runs, the caller waits."""

from __future__ import annotations

from typing import Any

from ..core.roi import Roi
from ..mrml.boxes import roi_from_node
from ..mrml.nodes import PublishedNodes
from ..mrml.publish import publish
from ..mrml.volume_nodes import volume_from_node
from ..presenters.worker_bridge import DRAWN, python_executable
from ..worker.client import WorkerClient


def segment_node(scene: Any, scan: Any, model: str, region: Any = None, engine: str = "auto") -> PublishedNodes:
    """Segment a volume node and put the result into the scene.

    Args:
        model: name in the catalogue, or a package's folder.
        region: an ROI node. Without one a model that can search does so in a scan that is larger than its boxes, other
            models take the whole scan.

    Raises:
        SureError: the input cannot be used, the search found nothing, or the worker failed; the text says what to do.
    """
    volume = volume_from_node(scan)
    rois: tuple[Roi, ...] = () if region is None else (roi_from_node(region),)
    with WorkerClient(python=python_executable()) as client:
        client.load(model, engine).wait()
        result = client.segment(volume, rois, sampling=DRAWN).wait()
    return publish(scene, result, scan)
