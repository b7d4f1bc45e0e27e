"""Warnings about single passes of an imported model."""

from __future__ import annotations

from ...analysis.agreement import Members
from ...analysis.notice_texts import EMPTY_MEMBER
from ...analysis.rows import Notice

TEXT = (
    "Nothing but background was found by: {names}. The others found something, so its training may have failed: "
    "leave it out with --folds."
)


def about_members(members: Members | None) -> tuple[Notice, ...]:
    """Passes that found no structure where others did."""
    if members is None:
        return ()
    found = [sum(row.volumes_ml[number] for row in members.structures) for number in range(len(members.names))]
    empty = [name for name, volume in zip(members.names, found, strict=True) if volume == 0]
    if not empty or len(empty) == len(found):
        return ()
    return (Notice(EMPTY_MEMBER, TEXT.format(names="; ".join(empty))),)
