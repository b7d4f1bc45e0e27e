"""Words that results, pages and faces share."""

from __future__ import annotations

DISCLAIMER = "Research use only - not a medical device"


MAP_NAMES = {
    "vacuity": "Vacuity: lack of evidence",
    "entropy": "Entropy: how undecided",
    "variance": "Variance between samples",
}


LEVEL_NAME = "Level {number} of the latents (0 finest, {last} coarsest)"


def in_words(kind: str) -> str:
    """A kind of uncertainty as people write it: ``mutual_information`` as "mutual information"."""
    return kind.replace("_", " ")
