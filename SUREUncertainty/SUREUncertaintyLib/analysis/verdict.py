"""Whether a result can be used, decided before anybody looks at a map: usable, check, or do not use.

What decides are the forecasts of a result (docs/quality.md), where its model makes some, and its warnings, by their
codes: how often each one fires on good, poor and foreign scans is measured (docs/warnings.md), and only those that
select have a say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import notice_texts as texts
from .quality.forecast import PredictedQuality
from .quality.sentences import poor_sentence, silent_sentences, unsure_sentence
from .rows import Notice

USABLE, CHECK, DO_NOT_USE = "usable", "check", "do_not_use"
STATUSES = (USABLE, CHECK, DO_NOT_USE)
"""From good to bad."""

OUTSIDE = frozenset(
    {
        texts.REGION_NEEDED,
        texts.HOUNSFIELD,
        texts.VOLUME_FAR,
        texts.VOLUME_UNTOLD,
    }
)
"""The scan is none that the model knows: nothing that was measured on such scans holds for it."""

WORTH_A_CHECK = frozenset(
    {
        texts.STRUCTURE_MISSING,
        texts.PART_IN_SOME_SAMPLES,
        texts.CUT_BY_IMAGE,
        texts.CUT_BY_ROI,
        texts.CUT_BY_WINDOW,
        texts.MIDDLE_ONLY,
        texts.NOT_HOUNSFIELD,  # a CT that was stored in other units is no other scan
        texts.VOLUME,
        texts.WIDE_RANGE,
        texts.EXTENT,
        texts.UNCERTAIN_ISLANDS,
        texts.DIFFICULTY,
        texts.SEVERAL_PIECES,
        texts.CONTRAST,
        texts.SPACING,
        texts.PLACE_UNKNOWN,
        texts.REGIONS_OVERLAP,
        texts.SINGLE_SAMPLE,
        texts.SAMPLES_DIFFER,
        texts.LATENTS_COLLAPSED,
        texts.READING,
        texts.EMPTY_MASK,
        texts.SAME_CONTENT,
        texts.LABEL_IN_SOME,
        texts.NOT_CHECKED,
        texts.DIFFERS_FROM_SAVED,
        texts.NOTHING_DRAWN,
        texts.MEMBERS_UNCERTAIN,
        texts.EMPTY_MEMBER,
    }
)
NO_SAY = frozenset(
    {
        texts.SAMPLES_LEFT_OUT,
        texts.TIED_VOTES,
        texts.REGIONS_DRAWN,
        texts.STACK_ENDS,
        texts.LETTERS_UNKNOWN,
        texts.ISLANDS_BESIDE,
    }
)
"""What they tell does not touch the result."""
UNUSABLE = OUTSIDE | {texts.NOTHING_FOUND, texts.IN_SOME_SAMPLES}


@dataclass(frozen=True)
class Verdict:
    """``status`` is one of ``STATUSES``; ``reasons`` are sentences, the gravest first, none for a usable result."""

    status: str
    reasons: tuple[str, ...] = ()


def verdict_of(notices: Sequence[Notice], quality: Sequence[PredictedQuality] = ()) -> Verdict:
    """What forecasts and warnings amount to; warnings of other codes have no say.

    A foretold Dice below the model's limit for use forbids it. Where 9 of 10 patients do not reach the limit for a
    check, or where the model has no forecast for this scan, somebody has to look.
    """
    warned = [notice.text for notice in notices if notice.code in UNUSABLE]
    told = [one for one in quality if one.dice.known]
    poor = [one for one in told if one.dice.value < one.do_not_use_below]
    unsure = [one for one in told if one not in poor and one.dice.at_least < one.check_below]
    silent = [one for one in quality if not one.dice.known and not warned]
    grave = [*(poor_sentence(one) for one in poor), *warned]
    slight = [*(unsure_sentence(one) for one in unsure), *silent_sentences(silent)]
    slight += [notice.text for notice in notices if notice.code in WORTH_A_CHECK]
    status = DO_NOT_USE if grave else CHECK if slight else USABLE
    return Verdict(status, (*grave, *slight))


def is_outside(notices: Iterable[Notice]) -> bool:
    """Whether the scan is outside of what the model knows: then no range, no comparison and no reassuring colour."""
    return any(notice.code in OUTSIDE for notice in notices)
