"""A pipeline in words, for the model card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .metadata_fields import Fields
from .pipeline import ChannelNormalisation, LargestParts, Pipeline, Resampling
from .pipeline_parsing import parse_pipeline

SCHEMES = {
    "none": "as they are",
    "unit": "to 0..1 by the extremes",
    "rgb": "divided by 255",
    "sigmoid": "through a sigmoid",
    "tanh": "through 3 tanh(x / 3)",
}
TILES = {
    "even": "evenly spread, {step:g} of a window apart at most",
    "monai": "{step:g} of a window apart, the last one moved back to the border",
    "whole": "one, as large as the image",
}
READ_ON = {
    "logits": "raw outputs go back to the scan, then the label map is read",
    "probability": "probabilities go back to the scan, then the label map is read",
    "labels": "the label map is read on the network's grid and goes back by {way}",
}


def pipeline_facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows (what, value) from a ``metadata.json`` with a pipeline."""
    pipeline = parse_pipeline(Fields(document).inner("pipeline"), tuple(document["patch"]))
    axes = "as stored" if pipeline.orientation == "native" else pipeline.orientation
    way = "the nearest" if pipeline.labels.order == 0 else "linear interpolation, halves rounded up"
    return [
        ("Axes", f"{axes}, in the order {list(pipeline.transpose)}"),
        *([("Looks only", _crop_by(pipeline))] if pipeline.crop_by is not None else []),
        ("Order of steps", ", ".join(pipeline.order)),
        *([("Crop", _crop(pipeline))] if pipeline.crop != "none" else []),
        *_channels(pipeline),
        ("Spacing (mm)", _spacing(pipeline)),
        ("Resampling", f"image {_resampling(pipeline.image)}; outputs {_resampling(pipeline.logits)}"),
        ("Windows", f"{TILES[pipeline.tiles].format(step=pipeline.step)}; {pipeline.blend} blending of raw outputs"),
        ("Reading", READ_ON[pipeline.read_on].format(way=way)),
        ("Networks", _members(pipeline)),
        *([("Regions", _regions(pipeline))] if pipeline.regions else []),
        *[("Afterwards", _largest(step)) for step in pipeline.postprocessing],
        *([("Licence", str(document["licence"]))] if "licence" in document else []),
    ]


def _crop(pipeline: Pipeline) -> str:
    if pipeline.crop == "nonzero":
        return "to the box of all voxels that are not zero"
    whose = " of the stored scan" if pipeline.crop == "scan" else ""
    return f"to the box of all voxels{whose} above {pipeline.crop_above:g}, and {pipeline.crop_margin} voxels around it"


def _crop_by(pipeline: Pipeline) -> str:
    crop = pipeline.crop_by
    assert crop is not None
    mm = crop.pipeline.spacing[0] if crop.pipeline.spacing else 0.0
    where = f"{crop.margin_mm:g} mm around {', '.join(crop.names)}"
    return f"{where}, which a network of its own finds first{f' at {mm:g} mm' if mm else ''}"


def _spacing(pipeline: Pipeline) -> str:
    if not pipeline.spacing:
        return "as stored"
    within = "; slices keep their distance" if len(pipeline.spacing) == 2 else ""
    keep = pipeline.image.keep
    kept = f"; an axis between {keep[0]:g} and {keep[1]:g} times that keeps its own" if keep else ""
    return " x ".join(f"{value:g}" for value in pipeline.spacing) + within + kept


def _channels(pipeline: Pipeline) -> list[tuple[str, str]]:
    return [
        (f"Channel {channel.name}", "intensities " + ", then ".join(map(_scheme, channel.normalisation)))
        for channel in pipeline.channels
    ]


def _scheme(settings: ChannelNormalisation) -> str:
    over = " over the voxels that are not zero" if settings.masked else ""
    span, onto = f"{settings.low:g}..{settings.high:g}", f"{settings.to_low:g}..{settings.to_high:g}"
    words = {
        "zscore": f"z-scored{over}",
        "standardise": f"z-scored{over}",
        "ct": f"clipped to {span}, minus {settings.mean:g}, divided by {settings.std:g}",
        "shift": f"minus {settings.mean:g}, divided by {settings.std:g}{over}",
        "range": f"from {span} to {onto}{', clipped' if settings.clip else ''}",
        "extremes": f"by the extremes to {onto}",
        "percentiles": f"clipped to the percentiles {span}",
        **SCHEMES,
    }
    return words[settings.kind]


def _resampling(settings: Resampling) -> str:
    if settings.separate_z is False or settings.align != "edges":
        return f"order {settings.order}{', cut off to whole numbers' if settings.whole else ''}"
    thick = "always" if settings.separate_z else f"where voxels are {settings.threshold:g} times as long as wide"
    return f"order {settings.order}, the thick axis apart with order {settings.order_z} ({thick})"


def _regions(pipeline: Pipeline) -> str:
    return ", then ".join(region.name for region in sorted(pipeline.regions, key=lambda region: region.rank))


def _largest(step: LargestParts) -> str:
    what = f"labels {', '.join(map(str, step.labels))}" if step.labels else "every structure"
    kept = "the largest part stays" if step.count == 1 else f"the {step.count} largest parts stay"
    kept = f"parts above {step.above_mm3 / 1000:g} ml stay" if step.count == 0 else kept
    return f"{kept} of {what}{' taken together' if step.together else ''}"


def _members(pipeline: Pipeline) -> str:
    if pipeline.parts:
        return f"{len(pipeline.parts)} for different structures, one after the other; the later ones win"
    folds, mirrors = len(pipeline.members), len(pipeline.mirrorings)
    passes = folds * mirrors
    if passes == 1:
        return "one network, one pass a window"
    return f"{folds} {'fold' if folds == 1 else 'folds'}, {mirrors} mirrored passes each: {passes} passes a window"
