"""The samples of a result from its nodes, as far as they are still in the scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..core.dataclass_json import from_json
from ..core.volume import Grid, Volume
from ..inference.sampling.samples_result import Sampling, SamplingOptions
from .nodes import PublishedNodes
from .scene_manifest import CONTOUR_NAMES, MAP_NAMES
from .segmentation_nodes import labels_from_segmentation
from .volume_nodes import volume_from_node


def read_sampling(published: PublishedNodes, record: Mapping[str, Any], primary: Volume, kind: str) -> Sampling | None:
    """The samples, without what a person deleted; None where the result has none.

    Args:
        record: the manifest. That of an earlier version says less; what it leaves out stays empty.
        primary: the map of uncertainty, which is the samples' map ``kind``.
    """
    document = record.get("sampling")
    samples = _samples(published, primary.grid)
    levels = _levels(published)
    if document is None:
        return Sampling(_earlier_options(record), {}, levels, samples=samples) if levels or samples else None
    names = document[MAP_NAMES]
    maps = _named(names, published.maps) | ({kind: primary} if kind in names else {})
    found = from_json(Sampling, document)
    return replace(
        found,
        maps={name: maps[name] for name in names if name in maps},
        levels=levels,
        bands=_named(document[CONTOUR_NAMES], published.contours),
        samples=samples,
        most_different=found.most_different if len(samples) > max(found.most_different, default=-1) else (),
    )


def _named(names: Sequence[str], nodes: Mapping[int, Any]) -> dict[str, Volume]:
    return {name: volume_from_node(nodes[number]) for number, name in enumerate(names) if number in nodes}


def _levels(published: PublishedNodes) -> tuple[Volume, ...]:
    """Finest first; none where one of them was deleted, since their numbers say which is which."""
    if list(published.levels) != list(range(len(published.levels))):
        return ()
    return tuple(volume_from_node(node) for node in published.levels.values())


def _samples(published: PublishedNodes, grid: Grid) -> tuple[Volume, ...]:
    """By their own numbers, whatever their order in the sequence."""
    sequence = published.samples
    steps = range(0 if sequence is None else sequence.GetNumberOfDataNodes())
    own = sorted(steps, key=lambda step: int(sequence.GetNthIndexValue(step)))
    drawn = (labels_from_segmentation(sequence.GetNthDataNode(step), grid) for step in own)
    return tuple(Volume(labels, grid, f"sample {number}") for number, labels in enumerate(drawn))


def _earlier_options(record: Mapping[str, Any]) -> SamplingOptions:
    """What the provenance says about the draws."""
    provenance = record.get("provenance", {})
    drawn = provenance.get("sampling", {})
    levels = drawn.get("levels", "all")
    return SamplingOptions(
        count=int(drawn.get("samples", SamplingOptions.count)),
        seed=int(provenance.get("seed") or 0),
        levels=None if levels == "all" else tuple(levels),
    )
