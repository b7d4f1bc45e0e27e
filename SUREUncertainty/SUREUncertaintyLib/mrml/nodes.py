"""The nodes of one result, and how they are found again.

The segmentation node refers to all others by node references, which Slicer keeps when it saves, loads and merges
scenes. A result belongs to one scan, one model and one kind of uncertainty.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import slicer

from .safe_names import unique_name

SCAN = "SURE.scan"
UNCERTAINTY = "SURE.uncertainty"
ENTROPY = "SURE.entropy"
STRUCTURES = "SURE.structures"
REGIONS = "SURE.regions"
PROVENANCE = "SURE.provenance"
LEVEL = "SURE.level"
MAP = "SURE.map"
CONTOUR = "SURE.contour"
CONTOUR_LINES = "SURE.lines"
SAMPLES = "SURE.samples"
BROWSER = "SURE.browser"
SAMPLE = "SURE.sample"
PAINTED = "SURE.painted"
SOURCE = "SURE.source"
"""Roles of the segmentation's node references; a number follows those of level, map, contour and lines."""

MODEL = "SURE.Model"
KIND = "SURE.Kind"
"""Attributes of the segmentation: name of the model that drew it, and the kind of its primary uncertainty."""

LEVEL_FACTS = "SURE.LevelFacts"
"""Attribute of the map of a latent level: its ``core.latent_levels.LatentLevel`` as JSON."""

STRUCTURE = "SURE.Structure"
"""Attribute of bands of probability: the name of their structure."""

SAMPLES_ML = "SURE.SamplesMl"
"""Attribute of a sequence of samples: the volume of each step in ml, a JSON list; null where it is not known."""

REMEASURED = "SURE.Remeasured"
"""Attribute of a table of structures whose numbers are those of an edited segmentation."""


@dataclass(frozen=True)
class PublishedNodes:
    """One result in a scene. ``entropy`` is None where the primary uncertainty is the entropy; a node that the user
    has deleted is None too.

    Attributes:
        scan: the input volume node.
        uncertainty, entropy: scalar volume nodes in 0..1.
        structures, regions: table nodes.
        provenance: text node (JSON).
        levels: uncertainty maps of the latent levels by their number, 0 the finest, for models that draw samples.
        maps, contours: further maps of the samples and bands of probability, by their number in the manifest.
        lines: segmentations that draw the contours; none before they are shown for the first time.
        samples, browser: sequence of sample segmentations and what plays it; sample: the one that is shown.
        source: the volume node of a scan over time that was run, where ``scan`` is a copy of one of its frames.
        painted: model node of the surfaces painted by uncertainty; None before it is shown for the first time.
        folder: subject hierarchy item, 0 when there is none.
    """

    scan: Any
    segmentation: Any
    uncertainty: Any
    entropy: Any
    structures: Any
    regions: Any
    provenance: Any
    folder: int = 0
    levels: Mapping[int, Any] = field(default_factory=dict)
    maps: Mapping[int, Any] = field(default_factory=dict)
    contours: Mapping[int, Any] = field(default_factory=dict)
    lines: Mapping[int, Any] = field(default_factory=dict)
    samples: Any = None
    browser: Any = None
    sample: Any = None
    painted: Any = None
    source: Any = None

    @property
    def chosen(self) -> Any:
        """The node that a person chose for the run: the scan over time where there is one, else the scan."""
        return self.scan if self.source is None else self.source

    @property
    def results(self) -> tuple[Any, ...]:
        """All nodes with a place in the subject hierarchy that exist, without the scan."""
        tables = (self.structures, self.regions, self.provenance)
        numbered = (self.levels, self.maps, self.contours, self.lines)
        further = (node for nodes in numbered for node in nodes.values())
        nodes = (self.segmentation, self.uncertainty, self.entropy, *further, *tables, self.sample, self.painted)
        return tuple(node for node in nodes if node is not None)


def segmentations_of(scene: Any, scan: Any, model: str, kind: str) -> list[Any]:
    """The segmentation nodes of earlier runs of this model on this scan node, oldest first."""
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene)
    ours = [node for node in nodes if (node.GetAttribute(MODEL), node.GetAttribute(KIND)) == (model, kind)]
    return [node for node in ours if node.GetNodeReference(SCAN) is scan]


def published_nodes(segmentation: Any) -> PublishedNodes:
    """The result that a segmentation node belongs to."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(segmentation.GetScene())
    item = hierarchy.GetItemByDataNode(segmentation)
    return PublishedNodes(
        scan=segmentation.GetNodeReference(SCAN),
        segmentation=segmentation,
        uncertainty=segmentation.GetNodeReference(UNCERTAINTY),
        entropy=segmentation.GetNodeReference(ENTROPY),
        structures=segmentation.GetNodeReference(STRUCTURES),
        regions=segmentation.GetNodeReference(REGIONS),
        provenance=segmentation.GetNodeReference(PROVENANCE),
        folder=hierarchy.GetItemParent(item) if item else 0,
        levels=numbered_nodes(segmentation, LEVEL),
        maps=numbered_nodes(segmentation, MAP),
        contours=numbered_nodes(segmentation, CONTOUR),
        lines=numbered_nodes(segmentation, CONTOUR_LINES),
        samples=segmentation.GetNodeReference(SAMPLES),
        browser=segmentation.GetNodeReference(BROWSER),
        sample=segmentation.GetNodeReference(SAMPLE),
        painted=segmentation.GetNodeReference(PAINTED),
        source=segmentation.GetNodeReference(SOURCE),
    )


def numbered_nodes(segmentation: Any, role: str) -> dict[int, Any]:
    """The nodes of the roles that are ``role`` and a number, in the order of that number; deleted ones are left out."""
    roles: list[str] = []
    segmentation.GetNodeReferenceRoles(roles)
    numbers = sorted(int(name.removeprefix(role)) for name in roles if name.startswith(role))
    found = {number: segmentation.GetNodeReference(f"{role}{number}") for number in numbers}
    return {number: node for number, node in found.items() if node is not None}


def all_published(scene: Any) -> list[PublishedNodes]:
    """Every result in the scene, oldest first."""
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene)
    return [published_nodes(node) for node in nodes if node.GetAttribute(MODEL) is not None]


def refer(segmentation: Any, role: str, node: Any, undo: ExitStack) -> None:
    """Let a segmentation refer to a node, in the place of another one that ``undo`` brings back."""
    undo.callback(segmentation.SetNodeReferenceID, role, segmentation.GetNodeReferenceID(role))
    segmentation.SetNodeReferenceID(role, node.GetID())


def result_node(scene: Any, segmentation: Any, role: str, kind: str, name: str) -> tuple[Any, bool]:
    """The node that the segmentation refers to by ``role``, made where it does not exist; and whether it is new."""
    node = segmentation.GetNodeReference(role)
    if node is not None:
        return node, False
    node = scene.AddNewNodeByClass(kind, unique_name(scene, name))
    segmentation.SetNodeReferenceID(role, node.GetID())
    return node, True
