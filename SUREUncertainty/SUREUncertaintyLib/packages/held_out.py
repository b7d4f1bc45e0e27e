"""What a package says about its overlap on scans that were set aside while it was trained, and what follows from it."""

from __future__ import annotations

from ..core.errors import PackageError
from .metadata import TrainingRecord

LEAST_DICE = 0.5


def held_out_sentence(record: TrainingRecord) -> str:
    """For people, at the end of a training."""
    dice, count = record.tuning_dice, len(record.tuning_ids)
    if dice is None:
        return "No scan was set aside, so nobody knows how good this model is. Check it on further scans."
    scans = "1 scan that was" if count == 1 else f"{count} scans that were"
    worth = " That is too poor to be used: train longer, or on more scans." if dice < LEAST_DICE else ""
    return f"Dice on {scans} set aside: {dice:.2f}.{worth}"


def refuse_poor(name: str, record: TrainingRecord) -> None:
    """Raise ``PackageError`` for a model that was poor on the scans that were set aside."""
    dice = record.tuning_dice
    if dice is not None and dice < LEAST_DICE:
        raise PackageError(
            f"The model '{name}' reached a Dice of {dice:.2f} on the scans that were set aside; "
            f"{LEAST_DICE} is the least for a model in the list. Train it longer or on more scans; to import it all "
            "the same: sure models import FOLDER --force."
        )
