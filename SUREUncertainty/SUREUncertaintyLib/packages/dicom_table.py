"""DICOM's codes of a structure from a row of a table, as Auto3DSeg and TotalSegmentator write them."""

from __future__ import annotations

from collections.abc import Mapping

CODES = {
    "category": "SegmentedPropertyCategoryCodeSequence",
    "type": "SegmentedPropertyTypeCodeSequence",
    "modifier": "SegmentedPropertyTypeModifierCodeSequence",
}
PARTS = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")


def terminology_of(row: Mapping[str, str | None]) -> dict[str, list[str]]:
    """``terminology`` of a label in ``configs/metadata.json``; {} where category or type are not complete."""
    codes = {key: [(row.get(f"{name}.{part}") or "").strip() for part in PARTS] for key, name in CODES.items()}
    complete = {key: parts for key, parts in codes.items() if all(parts)}
    return complete if {"category", "type"} <= set(complete) else {}
