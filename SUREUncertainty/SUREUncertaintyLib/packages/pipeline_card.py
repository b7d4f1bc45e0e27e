"""A pipeline in words, for the model card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .metadata_fields import Fields
from .pipeline import ChannelNormalisation, Pipeline, Resampling
from .pipeline_parsing import parse_pipeline

SCHEMES = {
    "none": "as they are",
    "unit": "to 0..1 by the extremes",
    "rgb": "divided by 255",
}


def pipeline_facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows (what, value) from a ``metadata.json`` with a pipeline."""
    pipeline = parse_pipeline(Fields(document).inner("pipeline"), tuple(document["patch"]))
    axes = "as stored" if pipeline.orientation == "native" else pipeline.orientation
    spacing = " x ".join(f"{value:g}" for value in pipeline.spacing)
    within = "; slices keep their distance" if len(pipeline.spacing) == 2 else ""
    return [
        ("Axes", f"{axes}, in the order {list(pipeline.transpose)}"),
        ("Crop", "to the box of all voxels that are not zero"),
        *_channels(pipeline),
        ("Spacing (mm)", spacing + within),
        ("Resampling", f"image {_resampling(pipeline.image)}; outputs {_resampling(pipeline.logits)}"),
        ("Windows", f"evenly spread, {pipeline.step:g} of a window apart at most, Gaussian blending of raw outputs"),
        ("Networks", _members(pipeline)),
        *([("Regions", ", then ".join(region.name for region in pipeline.regions))] if pipeline.regions else []),
        *([("Licence", str(document["licence"]))] if "licence" in document else []),
    ]


def _channels(pipeline: Pipeline) -> list[tuple[str, str]]:
    rows = [(channel.name, _scheme(channel.normalisation)) for channel in pipeline.channels]
    return [(f"Channel {name}", f"intensities {words}, before resampling") for name, words in rows]


def _scheme(settings: ChannelNormalisation) -> str:
    if settings.kind == "zscore":
        return f"z-scored{' over the voxels that are not zero' if settings.masked else ''}"
    if settings.kind == "ct":
        return f"clipped to {settings.low:g}..{settings.high:g}, minus {settings.mean:g}, divided by {settings.std:g}"
    return SCHEMES[settings.kind]


def _resampling(settings: Resampling) -> str:
    if settings.separate_z is False:
        return f"order {settings.order}"
    thick = "always" if settings.separate_z else f"where voxels are {settings.threshold:g} times as long as wide"
    return f"order {settings.order}, the thick axis apart with order {settings.order_z} ({thick})"


def _members(pipeline: Pipeline) -> str:
    folds, mirrors = len(pipeline.members), len(pipeline.mirrorings)
    passes = folds * mirrors
    return f"{folds} {'fold' if folds == 1 else 'folds'}, {mirrors} mirrored passes each: {passes} passes a window"
