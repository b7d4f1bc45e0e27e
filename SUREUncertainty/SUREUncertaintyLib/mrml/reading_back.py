"""A result from its nodes, as it is now: with what a person edited, and with what the run recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import slicer
from vtkmodules.vtkCommonCore import reference

from ..analysis.agreement import Members
from ..analysis.difficulty_reference import CaseDifficulty
from ..analysis.quality.forecast import PredictedQuality
from ..analysis.quality.run_measures import RunMeasures
from ..analysis.rows import Notice, StructureRow
from ..analysis.wholes import Asymmetry, WholeRow
from ..core.dataclass_json import from_json
from ..core.errors import InputError
from ..core.labels import Label
from ..core.roi import Roi
from ..files.segment_reading import terminology_codes
from ..inference.result import SegmentationResult
from .nodes import KIND, PublishedNodes
from .remeasure import current_labels, result_threshold
from .review import read_regions
from .sampling_reading import read_sampling
from .scene_manifest import MAP_NAMES, MEMBER_MAPS
from .segmentation_nodes import drawn_value, own_segments
from .volume_nodes import volume_from_node


def result_from_nodes(published: PublishedNodes) -> SegmentationResult:
    """The result that the nodes hold.

    Raises:
        InputError: the scan, the uncertainty map or a table of it was deleted.
    """
    if None in (published.scan, published.uncertainty, published.structures, published.regions):
        raise InputError("The scan, the uncertainty map or a table of this result was deleted. Run again to have them.")
    uncertainty = volume_from_node(published.uncertainty)
    labels, _ = current_labels(published.segmentation, uncertainty)
    record = _record(published)
    kind = published.segmentation.GetAttribute(KIND) or "vacuity"
    return SegmentationResult(
        image=volume_from_node(published.scan),
        labels=labels,
        uncertainty=uncertainty,
        entropy=uncertainty if published.entropy is None else volume_from_node(published.entropy),
        label_set=_label_set(published.segmentation),
        rois=from_json(tuple[Roi, ...], record.get("regions_of_interest", ())),
        structures=read_structures(published.structures),
        wholes=from_json(tuple[WholeRow, ...], record.get("wholes", ())),
        asymmetries=from_json(tuple[Asymmetry, ...], record.get("asymmetry", ())),
        regions=read_regions(published.regions),
        notices=from_json(tuple[Notice, ...], record.get("notices", ())),
        uncertainty_kind=kind,
        threshold=result_threshold(published),
        sampling=read_sampling(published, record, uncertainty, kind),
        difficulty=from_json(tuple[CaseDifficulty, ...], record.get("difficulty", ())),
        measures=from_json(tuple[RunMeasures, ...], record.get("measures", ())),
        quality=from_json(tuple[PredictedQuality, ...], record.get("quality", ())),
        members=_read_members(published, record),
        provenance=dict(record.get("provenance", {})),
    )


def read_structures(node: Any) -> tuple[StructureRow, ...]:
    """The rows of a table of structures, also of one that came with a saved scene (columns are then text)."""
    table = node.GetTable()
    return tuple(_structure(table, row) for row in range(table.GetNumberOfRows()))


def _structure(table: Any, row: int) -> StructureRow:
    known = [field for field in fields(StructureRow) if table.GetColumnByName(field.name) is not None]
    cells = {field.name: table.GetValueByName(row, field.name) for field in known}
    return StructureRow(**{field.name: _value(cells[field.name], field.type) for field in known})


def _value(cell: Any, kind: Any) -> Any:
    """A cell as a field of that type has it."""
    return str(cell.ToString()) if kind is str else kind(cell.ToDouble())


def _label_set(segmentation: Any) -> tuple[Label, ...]:
    labels = []
    for identifier in own_segments(segmentation):
        segment = segmentation.GetSegmentation().GetSegment(identifier)
        entry = reference("")
        segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), entry)
        codes = terminology_codes(str(entry))
        labels.append(Label(drawn_value(segment), segment.GetName(), tuple(segment.GetColor()), *codes))
    return tuple(labels)


def _read_members(published: PublishedNodes, record: Mapping[str, Any]) -> Members | None:
    """The members, with those of their maps that are still in the scene; None where the result has none."""
    document = record.get("members")
    if document is None:
        return None
    nodes = {name: published.maps.get(MEMBER_MAPS + number) for number, name in enumerate(document[MAP_NAMES])}
    maps = {name: volume_from_node(node) for name, node in nodes.items() if node is not None}
    return replace(from_json(Members, document), maps=maps)


def draws_samples(published: PublishedNodes) -> bool:
    """Whether a result tells the sizes of samples; a record that cannot be read tells nothing."""
    try:
        return _record(published).get("sampling") is not None
    except (ValueError, TypeError):
        return False


def _record(published: PublishedNodes) -> dict[str, Any]:
    text = None if published.provenance is None else published.provenance.GetText()
    return dict(json.loads(text)) if text else {}
