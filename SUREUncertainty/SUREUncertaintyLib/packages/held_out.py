"""What a package says about its overlap on scans that were set aside while it was trained, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..core.errors import PackageError

KEY = "tuning_dice"
"""In the section ``training`` of the metadata: mean Dice over set-aside scans and structures; null without any."""

LEAST_DICE = 0.5


def held_out_dice(document: Mapping[str, Any]) -> float | None:
    """The mean Dice on set-aside scans; None where there were none, or where nobody wrote it down."""
    value = document.get("training", {}).get(KEY)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def held_out_sentence(document: Mapping[str, Any]) -> str:
    """For people, at the end of a training."""
    dice = held_out_dice(document)
    count = len(document.get("training", {}).get("tuning_ids", ()))
    if dice is None:
        return "No scan was set aside, so nobody knows how good this model is. Check it on further scans."
    scans = "1 scan that was" if count == 1 else f"{count} scans that were"
    worth = " That is too poor to be used: train longer, or on more scans." if dice < LEAST_DICE else ""
    return f"Dice on {scans} set aside: {dice:.2f}.{worth}"


def refuse_poor(document: Mapping[str, Any]) -> None:
    """Raise ``PackageError`` for a model that was poor on the scans that were set aside."""
    dice = held_out_dice(document)
    if dice is not None and dice < LEAST_DICE:
        raise PackageError(
            f"The model '{document.get('name')}' reached a Dice of {dice:.2f} on the scans that were set aside; "
            f"{LEAST_DICE} is the least for a model in the list. Train it longer or on more scans; to import it all "
            "the same: sure models import FOLDER --force."
        )
