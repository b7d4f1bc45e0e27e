"""The tables of a result anew, after a person edited its segmentation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.labels import Label
from ..core.volume import Volume
from .nodes import REMEASURED, PublishedNodes
from .segmentation_nodes import drawn_value, labels_from_segmentation, own_segments, was_edited
from .table_nodes import fill_regions, fill_structures
from .uncertainty_nodes import threshold_of
from .volume_nodes import grid_from_node, volume_from_node


def needs_measuring(published: PublishedNodes) -> bool:
    """Whether the tables may tell something else than the segmentation: it was edited, or an edit was undone."""
    if published.structures is not None and published.structures.GetAttribute(REMEASURED):
        return True
    return was_edited(published.segmentation, grid_from_node(published.uncertainty))


def remeasure(published: PublishedNodes) -> None:
    """Fill both tables from the segmentation as it is now. Volume ranges are unknown for edited structures (NaN).

    Raises:
        InputError: the uncertainty map or a table of the result was deleted.
    """
    from ..analysis.structures import structure_table
    from ..analysis.uncertain_regions import uncertain_regions  # scipy's image functions take a while to load

    if None in (published.uncertainty, published.structures, published.regions):
        raise InputError("The uncertainty map or a table of this result was deleted. Run again to have them back.")
    uncertainty = volume_from_node(published.uncertainty)
    labels, label_set = current_labels(published.segmentation, uncertainty)
    threshold = result_threshold(published)
    published.structures.SetAttribute(REMEASURED, "1")
    keep = ExitStack()
    fill_structures(published.structures, structure_table(labels, uncertainty, label_set, threshold), keep)
    wholes = _wholes(published, label_set)
    places = uncertain_regions(labels, uncertainty, label_set, threshold, wholes=wholes)
    fill_regions(published.regions, places, keep)


def _wholes(published: PublishedNodes, label_set: Sequence[Label]) -> list[list[int]]:
    """Label values of what the run recorded as parts of one thing."""
    if published.provenance is None or not published.provenance.GetText():
        return []
    recorded = json.loads(published.provenance.GetText()).get("wholes", [])
    values = {label.name: label.value for label in label_set}
    return [[values[name] for name in whole["parts"] if name in values] for whole in recorded]


def current_labels(segmentation: Any, like: Volume) -> tuple[Volume, tuple[Label, ...]]:
    """The segments that a run drew, with what a person made of them, on the grid of ``like``.

    Editing may give a segment a layer and a label value of its own; here each has the value that the run gave it.
    """
    array = np.zeros(like.grid.shape, np.uint8)
    label_set = []
    for identifier in own_segments(segmentation):
        segment = segmentation.GetSegmentation().GetSegment(identifier)
        value = drawn_value(segment)
        array[labels_from_segmentation(segmentation, like.grid, [identifier]) != 0] = value
        label_set.append(Label(value, segment.GetName(), tuple(segment.GetColor())))
    return like.with_array(array, "segmentation"), tuple(label_set)


def result_threshold(published: PublishedNodes) -> float:
    """The uncertainty above which a voxel counts as uncertain, as the run recorded it; else the display's."""
    if published.provenance is not None and published.provenance.GetText():
        return float(json.loads(published.provenance.GetText())["uncertainty"]["threshold"])
    return threshold_of(published.uncertainty)
