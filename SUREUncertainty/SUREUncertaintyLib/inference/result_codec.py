"""A result as plain JSON and arrays: the form in which it goes to another process, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from numpy.typing import NDArray

from ..core.dataclass_json import Arrays, from_json, to_json
from ..core.volume import Volume
from .result import SegmentationResult

IMAGE = "image"
"""The field that stays with whoever asked for the result."""


def encode_result(result: SegmentationResult, prefix: str = "") -> tuple[dict[str, Any], Arrays]:
    """Every field but the image, as JSON and the arrays that it names. Raises ``TypeError`` as ``to_json``.

    ``prefix`` begins the arrays' names, where those of several results come together.
    """
    arrays: Arrays = {}
    parts = {field.name: getattr(result, field.name) for field in fields(result) if field.name != IMAGE}
    document = {name: to_json(part, arrays, prefix + name) for name, part in parts.items()}
    return document, arrays


def decode_result(document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], image: Volume) -> SegmentationResult:
    """The result that ``encode_result`` described, with its image. Raises as ``from_json``."""
    stand_in: Arrays = {}
    described = to_json(image, stand_in, IMAGE)
    found = from_json(SegmentationResult, {**document, IMAGE: described}, {**arrays, **stand_in})
    return replace(found, image=image)
