"""Words that results, pages and faces share."""

from __future__ import annotations

from .translation import tr as _

DISCLAIMER = _("Research use only - not a medical device")


MAP_NAMES = {
    "vacuity": _("Vacuity: lack of evidence"),
    "entropy": _("Entropy: how undecided"),
    "variance": _("Variance between samples"),
    "mutual_information": _("Mutual information: where samples disagree"),
    "fg_variance": _("Variance of the foreground between samples"),
    "class_variance": _("Variance of the structures between samples"),
}


LEVEL_NAME = _("Level {number} of the latents (0 finest, {last} coarsest)")


def in_words(kind: str) -> str:
    """A kind of uncertainty as people write it: ``mutual_information`` as "mutual information"."""
    return kind.replace("_", " ")


REASON_NAMES = {"edge": _("edge"), "inside": _("inside"), "away": _("near no structure")}
"""Where most of an uncertain region lies, by ``analysis.region_reasons``; the structure's name stands before it."""

VERDICT_NAMES = {"usable": _("Usable"), "check": _("Check"), "do_not_use": _("Do not use")}
VERDICT_MEANINGS = {
    "usable": _("No warning speaks against this result. Look at its uncertain regions all the same."),
    "check": _("Compare this result with the scan before it is used:"),
    "do_not_use": _("This result should not be used:"),
}
"""By ``analysis.verdict`` status; the reasons follow."""


def as_sentence(text: str) -> str:
    """The text with a capital at its start and a full stop; names inside keep theirs, unlike with ``capitalize``."""
    return f"{text[:1].upper()}{text[1:]}."
