"""Drawn samples in a scene: their maps, one more a latent level, and the samples as a sequence to step through."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import slicer

from ..core.dataclass_json import to_json
from ..core.labels import Label
from ..core.latent_levels import described_levels
from ..core.volume import Volume
from ..core.wording import in_words
from ..inference.result import SegmentationResult
from .nodes import (
    BROWSER,
    CONTOUR,
    CONTOUR_LINES,
    KIND,
    LEVEL,
    LEVEL_FACTS,
    MAP,
    SAMPLE,
    SAMPLES,
    SAMPLES_ML,
    STRUCTURE,
    numbered_nodes,
    result_node,
)
from .safe_names import node_name, unique_name
from .scene_manifest import MEMBER_MAPS
from .segmentation_nodes import fill_segmentation
from .thresholds import threshold_for
from .uncertainty_nodes import add_legend, create_uncertainty_display
from .volume_nodes import fill_volume, right_handed

_OPACITY = 0.7
_THICKNESS = 1
"""A sample's outline is thinner than that of the result, which stays the answer."""


def publish_levels(scene: Any, segmentation: Any, scan: Any, result: SegmentationResult, undo: ExitStack) -> None:
    """One scalar volume a latent level, coloured from where on as many voxels are as in the map of all levels: alone, a
    level makes less uncertainty than all of them."""
    sampling = result.sampling
    volumes, known = ((), ()) if sampling is None else (sampling.levels, sampling.scales)
    for level, volume in zip(described_levels(len(volumes), known), volumes, strict=True):
        name = f"{scan.GetName()} uncertainty ({level.title().lower()})"
        node, is_new = result_node(scene, segmentation, f"{LEVEL}{level.number}", "vtkMRMLScalarVolumeNode", name)
        fill_volume(node, right_handed(volume), undo)
        undo.callback(node.SetAttribute, LEVEL_FACTS, node.GetAttribute(LEVEL_FACTS))
        node.SetAttribute(LEVEL_FACTS, json.dumps(to_json(level)))
        if is_new:
            kind = f"{LEVEL}{level.number}"
            create_uncertainty_display(scene, node, threshold_for(result, kind, volume), result.highest(kind))
            add_legend(node, f"Uncertainty\n({level.term.name}, {level.pixels} px)")


def publish_maps(scene: Any, segmentation: Any, scan: Any, result: SegmentationResult, undo: ExitStack) -> None:
    """Further maps of samples and members, coloured like the uncertainty map, and bands of probability by structure."""
    for number, (name, volume) in further_maps(result).items():
        title = f"{scan.GetName()} uncertainty ({in_words(name)})"
        node, is_new = result_node(scene, segmentation, f"{MAP}{number}", "vtkMRMLScalarVolumeNode", title)
        fill_volume(node, right_handed(volume), undo)
        undo.callback(node.SetAttribute, KIND, node.GetAttribute(KIND))
        node.SetAttribute(KIND, name)
        if is_new:
            create_uncertainty_display(scene, node, threshold_for(result, name, volume), result.highest(name))
            add_legend(node, f"Uncertainty\n({in_words(name)})")
    bands = result.sampling.bands if result.sampling is not None else {}
    for number, (name, volume) in enumerate(bands.items()):
        title = f"{scan.GetName()} contours ({name})"
        node, is_new = result_node(scene, segmentation, f"{CONTOUR}{number}", "vtkMRMLScalarVolumeNode", title)
        fill_volume(node, right_handed(volume), undo)
        undo.callback(node.SetAttribute, STRUCTURE, node.GetAttribute(STRUCTURE))
        node.SetAttribute(STRUCTURE, name)
        if is_new:
            node.CreateDefaultDisplayNodes()


def further_maps(result: SegmentationResult) -> dict[int, tuple[str, Volume]]:
    """Maps of samples and of members by their number, without the primary one, which is in the scene already."""
    drawn = result.sampling.maps if result.sampling is not None else {}
    given = result.members.maps if result.members is not None else {}
    numbered = [*enumerate(drawn.items()), *enumerate(given.items(), MEMBER_MAPS)]
    return {n: (name, volume) for n, (name, volume) in numbered if name != result.uncertainty_kind}


def publish_samples(scene: Any, segmentation: Any, scan: Any, result: SegmentationResult, undo: ExitStack) -> None:
    """Kept samples, the smallest first, as a sequence of segmentations with a browser, which Slicer's Sequences module
    plays. The value of a step is the sample's own number.

    A second run gets a sequence of its own; ``remove_stale`` takes the first one away when all else has gone well.
    """
    sampling = result.sampling
    if sampling is None or not sampling.samples:
        return
    samples = sampling.samples
    name = f"{scan.GetName()} samples"
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", unique_name(scene, name))
    sequence.SetIndexName("sample")
    sequence.SetIndexUnit("")
    sequence.SetIndexTypeFromString("text")  # numbers would be put in their own order
    order = sampling.smallest_first()
    for number in order:
        node = _sample_node(samples[number], result.label_set, scan, f"sample {number}")
        sequence.SetDataNodeAtValue(node, str(number))
    sequence.SetAttribute(SAMPLES_ML, json.dumps(to_json([sampling.sample_ml(number) for number in order])))
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", unique_name(scene, f"{name} browser"))
    undo.callback(scene.RemoveNode, browser)  # before its proxy, or else the sequences logic makes another proxy
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    browser.SetPlaybackRateFps(4.0)
    for role, node in ((SAMPLES, sequence), (BROWSER, browser), (SAMPLE, _add_proxy(browser, sequence, scan))):
        undo.callback(segmentation.SetNodeReferenceID, role, segmentation.GetNodeReferenceID(role))
        segmentation.SetNodeReferenceID(role, node.GetID())


def stale_nodes(scene: Any, segmentation: Any, result: SegmentationResult) -> list[Any]:
    """What an earlier run left and this one replaces or does not make: to be removed after this one is published."""
    sampling = result.sampling
    levels, bands = (0, 0) if sampling is None else (len(sampling.levels), len(sampling.bands))
    made = {LEVEL: range(levels), MAP: further_maps(result), CONTOUR: range(bands)}
    samples = [segmentation.GetNodeReference(role) for role in (BROWSER, SAMPLE, SAMPLES)]
    samples += numbered_nodes(segmentation, CONTOUR_LINES).values()  # those of the earlier bands
    numbered = [node for role in made for n, node in numbered_nodes(segmentation, role).items() if n not in made[role]]
    return [*numbered, *(node for node in samples if node is not None)]


def show_sample(sample: Any, visible: bool) -> None:
    """Draw or hide the current sample's outline in slice views; it is never drawn in 3D."""
    if sample is not None:
        sample.GetDisplayNode().SetVisibility(visible)


def _sample_node(volume: Volume, label_set: tuple[Label, ...], scan: Any, name: str) -> Any:
    node = slicer.vtkMRMLSegmentationNode()
    node.SetName(node_name(name))
    fill_segmentation(node, right_handed(volume), label_set, scan, ExitStack())
    return node


def _add_proxy(browser: Any, sequence: Any, scan: Any) -> Any:
    """The node in the scene that shows the chosen sample; the sequences logic has made one where it is running."""
    proxy = browser.GetProxyNode(sequence) or browser.AddProxyNode(sequence.GetNthDataNode(0), sequence, True)
    proxy.SetName(node_name(f"{scan.GetName()} sample"))
    proxy.CreateDefaultDisplayNodes()
    display = proxy.GetDisplayNode()
    display.SetVisibility3D(False)
    display.SetOpacity2DFill(0.0)
    display.SetOpacity2DOutline(_OPACITY)
    display.SetSliceIntersectionThickness(_THICKNESS)
    browser.SetOverwriteProxyName(sequence, True)
    return proxy
