"""Growth between two results of one scene: which can be compared, and what came out, for panel and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ..core.errors import InputError
from ..core.translation import Translate
from ..follow_up.cells import change_lines, size_lines
from ..follow_up.compare import LEAST_SHARE, Settings, compare_results
from ..follow_up.scan_result import ScanResult, scan_result_of
from ..follow_up.sentences import days_words, method_sentence, sentences
from ..mrml.nodes import PublishedNodes, all_published
from ..mrml.reading_back import draws_samples, result_from_nodes
from ..mrml.remeasure import needs_measuring
from ..mrml.scan_facts import acquired_of
from . import texts

EDITED = (
    "The outline of '{name}' was edited, and its samples are those of the outline as it was drawn. Run that scan again."
)
NO_NUMBER = "'{text}' is no number of days. Leave the field empty to take the dates of the scans."


@dataclass(frozen=True)
class Comparison:
    """``document`` is the content of ``follow-up.json``; ``results`` it was made of, as ``before`` and ``after``."""

    document: dict[str, Any]
    results: dict[str, ScanResult]

    def told(self, translate: Translate) -> tuple[str, ...]:
        """What changed, in sentences, then what must be said beside it."""
        days = days_words(self.document)
        between = translate(texts.FOLLOW_UP_DAYS).format(days=days) if days else translate(texts.FOLLOW_UP_NO_DAYS)
        return (*sentences(self.document), between, *self.document["cautions"])

    @property
    def sizes(self) -> list[tuple[str, str, str]]:
        """What, on the first and on the second scan; ranges below their numbers, as columns are narrow."""
        return [(what, _narrow(first), _narrow(second)) for what, first, second in size_lines(self.document)]

    @property
    def changes(self) -> list[tuple[str, str]]:
        """What changed, and how sure that is; ranges below their numbers."""
        return [(what, _narrow(value)) for what, value in change_lines(self.document)]

    @property
    def method(self) -> str:
        """How ranges and probabilities came about."""
        return method_sentence(self.document)


def comparable_results(scene: Any) -> dict[str, PublishedNodes]:
    """The results that have samples by the node ID of their segmentation, the earlier scan first where days are
    known."""
    found = [published for published in all_published(scene) if published.scan and draws_samples(published)]
    days = [acquired_of(published.scan) for published in found]
    order = sorted(range(len(found)), key=lambda n: days[n]) if all(days) else range(len(found))
    return {found[n].segmentation.GetID(): found[n] for n in order}


def chosen_pair(results: Mapping[str, Any], before: str, after: str) -> tuple[str, str]:
    """What two lists show after ``results`` have changed: what they showed, else the first and the last of them."""
    if before != after and {before, after} <= results.keys():
        return before, after
    return next(iter(results), ""), next(reversed(list(results)), "")


def result_title(published: PublishedNodes) -> str:
    """A result in a list: its name, and the day of its scan."""
    day = acquired_of(published.scan)
    return f"{published.segmentation.GetName()} ({day})" if day else str(published.segmentation.GetName())


def compare_published(before: PublishedNodes, after: PublishedNodes, days: str) -> Comparison:
    """Growth from one result to another.

    Args:
        days: between the scans as a person typed them, empty to take the dates of the scans.

    Raises:
        InputError: what was typed is no number, a result was edited, or the two cannot be compared.
    """
    settings = Settings(_number(days), LEAST_SHARE)
    results = {"before": _scan_result(before), "after": _scan_result(after)}
    return Comparison(compare_results(results["before"], results["after"], settings), results)


def require_unedited(*results: PublishedNodes) -> None:
    """Raise ``InputError`` for an outline that was edited."""
    for published in results:
        if published.uncertainty is not None and needs_measuring(published):
            raise InputError(EDITED.format(name=published.segmentation.GetName()))


def _scan_result(published: PublishedNodes) -> ScanResult:
    require_unedited(published)
    found = scan_result_of(result_from_nodes(published))
    return replace(found, document={**found.document, "acquired": acquired_of(published.scan) or None})


def _narrow(cell: str) -> str:
    return cell.replace(" (", "\n(")


def _number(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise InputError(NO_NUMBER.format(text=text[:40])) from None


def days_hint(pair: Sequence[PublishedNodes], translate: Translate) -> str:
    """What stands in the empty field of days: those between the dates of both scans, or that they are not known."""
    told = [acquired_of(published.scan) for published in pair]
    if len(told) != 2 or not all(told):
        return translate(texts.FOLLOW_UP_UNKNOWN)
    days = (date.fromisoformat(told[1]) - date.fromisoformat(told[0])).days
    return translate(texts.FOLLOW_UP_BY_DATES).format(days=days) if days > 0 else translate(texts.FOLLOW_UP_NOT_AFTER)
