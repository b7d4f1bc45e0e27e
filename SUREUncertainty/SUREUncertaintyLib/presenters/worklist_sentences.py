"""What is said about a case of the worklist and how far a person is."""

from __future__ import annotations

import math

from ..cohort.case_row import CaseRow
from ..cohort.review import Review, Worklist
from ..core.rounding import decimals
from ..core.translation import Translate
from ..core.wording import VERDICT_NAMES, as_sentence
from . import texts


def progress_text(listed: Worklist, number: int, translate: Translate) -> str:
    """Which case of how many, and how many have a decision."""
    return translate(texts.WORKLIST_PROGRESS).format(number=number + 1, count=len(listed.rows), decided=listed.decided)


def case_text(row: CaseRow, review: Review, translate: Translate) -> str:
    """The case's name, verdict and forecast, then what was decided."""
    parts = [f"{row.id}: {translate(VERDICT_NAMES[row.status])}."]
    if math.isfinite(row.predicted_dice):
        numbers = (row.predicted_dice, row.predicted_dice_low, row.predicted_dice_high)
        value, low, high = (decimals(number) for number in numbers)
        parts.append(translate(texts.WORKLIST_DICE).format(value=value, low=low, high=high))
    elif row.no_forecast:
        parts.append(as_sentence(row.no_forecast))
    last = review.last
    if last is not None:
        note = f" {last.note}" if last.note else ""
        parts.append(
            translate(texts.WORKLIST_DECIDED[last.decision]).format(when=last.when[:16].replace("T", " ")) + note
        )
    return " ".join(parts)
