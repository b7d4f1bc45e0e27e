"""Folders of results for tests of what comes after a run, made without a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from SUREUncertaintyLib.core.labels import Code, Label
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.report.result_folder import write_maps
from SUREUncertaintyLib.report.run_record import describe_result, write_document
from two_blobs import LABELS, two_blobs

LEFT = Code("7771000", "SCT", "Left")
LABEL_SET = (replace(LABELS[0], modifier=LEFT), *LABELS[1:])


def result_on(
    scan: Volume, labels: NDArray[np.uint8] | None = None, labels_set: tuple[Label, ...] = LABEL_SET
) -> SegmentationResult:
    """A result on any scan: labels 5 and 12 in two corners, 20 absent, random uncertainty."""
    drawn = corner_labels(scan.grid.shape) if labels is None else labels
    uncertainty = np.random.default_rng(3).random(scan.grid.shape, np.float32)
    return replace(
        two_blobs(),
        image=scan,
        labels=scan.with_array(drawn, "labels"),
        uncertainty=scan.with_array(uncertainty, "uncertainty"),
        entropy=scan.with_array(uncertainty**2, "entropy"),
        label_set=labels_set,
    )


def corner_labels(shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Label 5 near the first voxel and 12 near the last one; the slices between may hold neither."""
    labels = np.zeros(shape, np.uint8)
    labels[0:2, 1:4, 2:5] = 5
    labels[-2:, -5:-1, -4:-1] = 12
    return labels


def write_result_folder(result: SegmentationResult, folder: Path) -> Path:
    """The maps, tables and report.json of a result."""
    folder.mkdir(parents=True)
    write_maps(result, folder)
    write_document(describe_result(result), folder)
    return folder
