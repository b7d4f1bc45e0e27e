"""A segmented scan over time as plain JSON and arrays: the form in which it goes to another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from numpy.typing import NDArray

from ..core.dataclass_json import Arrays, from_json, to_json
from ..core.volume_sequence import VolumeSequence
from ..inference.result_codec import IMAGE, encode_result
from .cine_result import CineResult

SEQUENCE = "sequence"
"""The field that stays with whoever asked for the result."""

PHASES = ("end_diastole", "end_systole")
"""Fields that are whole results of frames of the sequence, in the order of ``CineResult.phases``."""


def encode_cine(result: CineResult) -> tuple[dict[str, Any], Arrays]:
    """Every field but the sequence, as JSON and the arrays that it names. Raises ``TypeError`` as ``to_json``."""
    arrays: Arrays = {}
    names = [field.name for field in fields(result) if field.name not in (SEQUENCE, *PHASES)]
    document = {name: to_json(getattr(result, name), arrays, name) for name in names}
    for phase in PHASES:
        document[phase], own = encode_result(getattr(result, phase), f"{phase}.")
        arrays |= own
    return document, arrays


def decode_cine(
    document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], sequence: VolumeSequence
) -> CineResult:
    """The result that ``encode_cine`` described, on the frames of its sequence. Raises as ``from_json``, and
    ``IndexError`` for a phase that the sequence does not have."""
    stand_in: Arrays = {}
    described = {SEQUENCE: to_json(sequence, stand_in, SEQUENCE)}
    frames = {name: sequence.frames[number] for name, number in zip(PHASES, document["phases"], strict=True)}
    for name, frame in frames.items():
        described[name] = {**document[name], IMAGE: to_json(frame, stand_in, f"{name}.{IMAGE}")}
    found = from_json(CineResult, {**document, **described}, {**arrays, **stand_in})
    ed, es = frames.values()
    return replace(
        found,
        sequence=sequence,
        end_diastole=replace(found.end_diastole, image=ed),
        end_systole=replace(found.end_systole, image=es),
    )
