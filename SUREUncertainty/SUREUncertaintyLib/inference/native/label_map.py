"""The label map of an answer where it is not simply read voxel by voxel on the scan's grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...packages.pipeline import Pipeline
from .answering import Answer, slabs
from .largest_parts import keep_largest
from .preparing import Prepared
from .reading import Reader

Positions = NDArray[np.uint8]
"""Positions in the package's labels, background 0."""

PLANES = 16


def label_map(prepared: Prepared, answer: Answer, reader: Reader, pipeline: Pipeline) -> Positions | None:
    """Positions (...) on the voxels that are analysed; None where every voxel is read by itself.

    Position and value are the same in the packages that keep only the largest parts of some labels.
    """
    if pipeline.read_on != "labels" and not pipeline.postprocessing:
        return None
    if pipeline.read_on == "labels":
        there = _on_network(answer, reader)
        for step in pipeline.postprocessing:
            if step.grid == "network":
                keep_largest(there, step, float(np.prod(prepared.spacing)))
        found = _brought_back(there, prepared)
    else:
        blocks = [reader.labels(prepared.back.slab(answer.channels, *slab)) for slab in slabs(prepared)]
        found = np.concatenate(blocks)
    for step in pipeline.postprocessing:
        if step.grid == "scan":
            keep_largest(found, step)
    return found


def _on_network(answer: Answer, reader: Reader) -> Positions:
    depth = answer.channels.shape[1]
    return np.concatenate([reader.labels(answer.channels[:, low : low + PLANES]) for low in range(0, depth, PLANES)])


def _brought_back(there: Positions, prepared: Prepared) -> Positions:
    numbers = there[np.newaxis].astype(np.float32)
    slab = prepared.back_labels.slab
    return np.concatenate([np.floor(slab(numbers, *one)[0] + 0.5).astype(np.uint8) for one in slabs(prepared)])
