"""From the ``pipeline`` object of ``configs/metadata.json`` to ``Pipeline``; every step is on a list or refused."""

from __future__ import annotations

from dataclasses import fields as fields_of
from typing import Any

from ..core.errors import InputError, PackageError
from ..core.geometry import parse_orientation
from .metadata_fields import Fields, inner_path
from .pipeline import (
    NNUNET_ORDER,
    Channel,
    ChannelNormalisation,
    CropBy,
    LargestParts,
    Member,
    Part,
    Pipeline,
    Region,
    Resampling,
)

KINDS = {
    "zscore": (),
    "ct": ("low", "high", "mean", "std"),
    "none": (),
    "unit": (),
    "rgb": (),
    "standardise": (),
    "shift": ("mean", "std"),
    "range": ("low", "high", "to_low", "to_high"),
    "extremes": ("to_low", "to_high"),
    "percentiles": ("low", "high"),
    "sigmoid": (),
    "tanh": (),
}
"""Kinds of a step of intensities, with the numbers that each needs."""

FIXED = {"blend_on": "logits"}
"""Steps of which this version knows one way; a package that asks for another is refused by the field's name."""

KNOWN = {*FIXED, "resample", *(entry.name for entry in fields_of(Pipeline) if entry.name not in ("image", "logits"))}
LIMIT = 1e9


def parse_pipeline(fields: Fields, patch: tuple[int, ...]) -> Pipeline:
    """Check a pipeline.

    Args:
        fields: the object.
        patch: the package's window, which says whether the network is 2D.

    Raises:
        PackageError: a field is missing, wrong, or unknown, as a step that would be left out silently.
    """
    unknown = sorted(set(fields.content) - KNOWN)
    if unknown:
        raise PackageError(
            f"The package's pipeline asks for '{unknown[0]}', which this version does not do. "
            "Update SURE Uncertainty, or get the package for this version."
        )
    for name, value in FIXED.items():
        fields.choice(name, (value,))
    resample = fields.inner("resample")
    found = Pipeline(
        orientation=_orientation(fields),
        transpose=_transpose(fields),
        crop=fields.choice("crop", ("nonzero", "foreground", "scan", "none")),
        order=_order(fields),
        crop_above=fields.number("crop_above", -LIMIT, LIMIT),
        crop_margin=fields.integer("crop_margin", 0, 10_000),
        spacing=_spacing(fields, len(patch)),
        image=_resampling(resample.inner("image")),
        logits=_resampling(resample.inner("logits")),
        read_on=fields.choice("read_on", ("logits", "probability", "labels")),
        labels=_resampling(resample.inner("labels")),
        tiles=fields.choice("tiles", ("even", "monai", "whole")),
        step=fields.number("step", 0.05, 1.0),
        blend=fields.choice("blend", ("gaussian", "constant")),
        pad=fields.choice("pad", ("zero", "edge")),
        mirror_axes=_mirror_axes(fields, len(patch)),
        members=_members(fields),
        channels=tuple(_channel(entry) for entry in fields.inners("channels")),
        regions=_regions(fields),
        postprocessing=_postprocessing(fields),
        parts=_parts(fields),
        crop_by=_crop_by(fields.inner("crop_by")) if fields.has("crop_by") else None,
    )
    if found.parts and any(step.grid == "scan" for step in found.postprocessing):
        fields.fail("postprocessing", "steps on the network's grid, as several networks share out the structures")
    return found


def _crop_by(fields: Fields) -> CropBy:
    patch = fields.integers("patch", (2, 3))
    pipeline = parse_pipeline(fields.inner("pipeline"), patch)
    if not pipeline.parts:
        fields.fail("pipeline", "a pipeline with parts")
    values = fields.integers("values", tuple(range(1, 256)))
    names = fields.texts("names")
    if len(names) != len(values):
        fields.fail("names", "as many as values")
    return CropBy(pipeline, patch, names, values, fields.number("margin_mm", 0.0, 1e4))


def _orientation(fields: Fields) -> str:
    code = fields.text("orientation")
    try:
        if code != "native":
            parse_orientation(code)
    except InputError:
        fields.fail("orientation", "'native', or three letters such as 'RAS'")
    return code


def _order(fields: Fields) -> tuple[str, ...]:
    steps = fields.texts("order")
    if sorted(steps) != sorted(NNUNET_ORDER):
        fields.fail("order", "crop, normalise and resample, each once")
    if fields.content.get("crop") == "scan" and steps.index("crop") > steps.index("resample"):
        fields.fail("order", "the crop by the stored scan before resampling")
    return steps


def _spacing(fields: Fields, dimension: int) -> tuple[float, ...]:
    value = fields.content.get("spacing")
    if value == []:
        return ()
    count = 3 if isinstance(value, list) and len(value) == 3 else dimension
    return fields.numbers("spacing", count, 1e-4, 1e4)


def _transpose(fields: Fields) -> tuple[int, int, int]:
    value = fields.content.get("transpose")
    if not isinstance(value, list) or any(type(axis) is not int for axis in value) or sorted(value) != [0, 1, 2]:
        fields.fail("transpose", "the axes 0, 1 and 2 in some order")
    return (value[0], value[1], value[2])


def _resampling(fields: Fields) -> Resampling:
    separate = fields.content.get("separate_z")
    if separate is not None and not isinstance(separate, bool):
        fields.fail("separate_z", "true, false or null")
    align = fields.choice("align", ("edges", "first", "ends"))
    return Resampling(
        order=fields.integer("order", 0, 5 if align == "edges" else 1),
        order_z=fields.integer("order_z", 0, 5),
        separate_z=separate,
        threshold=fields.number("threshold", 1.0, 1e6),
        align=align,
        keep=fields.interval("keep") if fields.content.get("keep") else (),
        whole=_truth(fields, "whole"),
    )


def _mirror_axes(fields: Fields, dimension: int) -> tuple[int, ...]:
    value = fields.content.get("mirror_axes")
    if not isinstance(value, list) or any(type(axis) is not int or not 0 <= axis < dimension for axis in value):
        fields.fail("mirror_axes", f"a list of axes from 0 to {dimension - 1}, or []")
    if len(set(value)) != len(value):
        fields.fail("mirror_axes", "every axis once")
    return tuple(value)


def _members(fields: Fields) -> tuple[Member, ...]:
    members = tuple(
        Member(
            entry.text("name"),
            inner_path(entry, "graph", ".onnx"),
            inner_path(entry, "weights", ".safetensors") if entry.content.get("weights") != "" else "",
        )
        for entry in fields.inners("members")
    )
    if len({member.name for member in members}) != len(members):
        fields.fail("members", "every name once")
    return members


def _channel(entry: Fields) -> Channel:
    return Channel(entry.text("name"), tuple(_normalisation(step) for step in entry.inners("normalisation")))


def _normalisation(settings: Fields) -> ChannelNormalisation:
    kind = settings.choice("kind", tuple(KINDS))
    numbers: dict[str, Any] = {name: settings.number(name, -LIMIT, LIMIT) for name in KINDS[kind]}
    return ChannelNormalisation(kind, _truth(settings, "masked"), clip=_truth(settings, "clip"), **numbers)


def _truth(settings: Fields, key: str) -> bool:
    value = settings.content.get(key, False)
    if not isinstance(value, bool):
        settings.fail(key, "true or false")
    return value


def _regions(fields: Fields) -> tuple[Region, ...]:
    if not fields.content.get("regions"):
        return ()
    return tuple(
        Region(entry.text("name"), entry.integer("value", 1, 255), entry.integer("rank", 0, 255))
        for entry in fields.inners("regions")
    )


def _parts(fields: Fields) -> tuple[Part, ...]:
    if not fields.content.get("parts"):
        return ()
    parts = tuple(_part(entry) for entry in fields.inners("parts"))
    names = [entry.text("name") for entry in fields.inners("members")]
    if [part.member for part in parts] != names:
        fields.fail("parts", "one part a member, in their order")
    return parts


def _part(entry: Fields) -> Part:
    values = entry.content.get("values")
    if (
        not isinstance(values, list)
        or len(values) < 2
        or any(type(one) is not int or not 0 <= one < 256 for one in values)
    ):
        entry.fail("values", "a label value from 0 to 255 for every output channel")
    lists = entry.content.get("normalisation")
    if not isinstance(lists, list) or not lists or not all(isinstance(steps, list) for steps in lists):
        entry.fail("normalisation", "a list of steps for every channel")
    steps = [
        tuple(_normalisation(Fields(step, f"{entry.path}.normalisation[{number}]", entry.document)) for step in listed)
        for number, listed in enumerate(lists)
    ]
    return Part(entry.text("member"), tuple(steps), tuple(values))


def _postprocessing(fields: Fields) -> tuple[LargestParts, ...]:
    if not fields.content.get("postprocessing"):
        return ()
    return tuple(
        LargestParts(
            labels=entry.integers("labels", tuple(range(1, 256))) if entry.content.get("labels") else (),
            together=_truth(entry, "together"),
            connectivity=entry.integer("connectivity", 1, 3),
            count=entry.integer("count", 0, 1000),
            grid=entry.choice("grid", ("network", "scan")),
            above_mm3=entry.number("above_mm3", 0.0, LIMIT) if entry.has("above_mm3") else 0.0,
        )
        for entry in fields.inners("postprocessing")
    )
