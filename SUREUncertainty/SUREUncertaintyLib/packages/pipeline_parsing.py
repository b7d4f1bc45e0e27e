"""From the ``pipeline`` object of ``configs/metadata.json`` to ``Pipeline``; every step is on a list or refused."""

from __future__ import annotations

from typing import Any

from ..core.errors import PackageError
from .metadata_fields import Fields, inner_path
from .pipeline import Channel, ChannelNormalisation, Member, Pipeline, Region, Resampling

KINDS = ("zscore", "ct", "none", "unit", "rgb")
FIXED = {"normalise": "before resampling", "tiles": "even", "blend": "gaussian", "blend_on": "logits"}
"""Steps of which this version knows one way; a package that asks for another is refused by the field's name."""

KNOWN = {
    *FIXED,
    *("orientation", "transpose", "crop", "spacing", "resample", "step", "mirror_axes", "members", "channels"),
    "regions",
}


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
    return Pipeline(
        orientation=fields.choice("orientation", ("native", "RAS")),
        transpose=_transpose(fields),
        crop=fields.choice("crop", ("nonzero",)),
        spacing=fields.numbers("spacing", len(patch), 1e-4, 1e4),
        image=_resampling(resample.inner("image")),
        logits=_resampling(resample.inner("logits")),
        step=fields.number("step", 0.05, 1.0),
        mirror_axes=_mirror_axes(fields, len(patch)),
        members=_members(fields),
        channels=tuple(_channel(entry) for entry in fields.inners("channels")),
        regions=_regions(fields),
    )


def _transpose(fields: Fields) -> tuple[int, int, int]:
    value = fields.content.get("transpose")
    if not isinstance(value, list) or any(type(axis) is not int for axis in value) or sorted(value) != [0, 1, 2]:
        fields.fail("transpose", "the axes 0, 1 and 2 in some order")
    return (value[0], value[1], value[2])


def _resampling(fields: Fields) -> Resampling:
    separate = fields.content.get("separate_z")
    if separate is not None and not isinstance(separate, bool):
        fields.fail("separate_z", "true, false or null")
    return Resampling(
        order=fields.integer("order", 0, 5),
        order_z=fields.integer("order_z", 0, 5),
        separate_z=separate,
        threshold=fields.number("threshold", 1.0, 1e6),
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
        Member(entry.text("name"), inner_path(entry, "graph", ".onnx"), inner_path(entry, "weights", ".safetensors"))
        for entry in fields.inners("members")
    )
    if len({member.name for member in members}) != len(members):
        fields.fail("members", "every name once")
    return members


def _channel(entry: Fields) -> Channel:
    settings = entry.inner("normalisation")
    kind = settings.choice("kind", KINDS)
    masked = settings.content.get("masked", False)
    if not isinstance(masked, bool):
        settings.fail("masked", "true or false")
    numbers: dict[str, Any] = {}
    if kind == "ct":
        numbers = {name: settings.number(name, -1e9, 1e9) for name in ("low", "high", "mean", "std")}
    return Channel(entry.text("name"), ChannelNormalisation(kind, masked, **numbers))


def _regions(fields: Fields) -> tuple[Region, ...]:
    if not fields.content.get("regions"):
        return ()
    return tuple(Region(entry.text("name"), entry.integer("value", 1, 255)) for entry in fields.inners("regions"))
