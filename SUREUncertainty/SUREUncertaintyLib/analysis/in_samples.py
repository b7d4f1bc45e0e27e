"""Structures that the answer does not have, and some samples do: how many, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..core.labels import Label
from .rows import StructureRow

NOT_FOUND = "not found"


@dataclass(frozen=True)
class InSamples:
    """A structure over the samples of a run, without specks.

    Attributes:
        samples: how many were drawn; ``holding`` of them have a voxel of it.
        place_ras: the voxel that most of them mark, mm; ``marking`` is how many do.
    """

    samples: int
    holding: int
    place_ras: tuple[float, float, float]
    marking: int

    def sentence(self, name: str, most_ml: float) -> str:
        """How many, where, and up to which volume (NaN where it is not known)."""
        r, a, s = self.place_ras
        volume = f", of up to {_ml(most_ml)} ml" if most_ml > 0 else ""
        return (
            f"{name} in {self.holding} of {self.samples} samples{volume}, most often at "
            f"R {r:.0f}, A {a:.0f}, S {s:.0f} mm ({self.marking} of them)"
        )


def absent_words(samples: int, holding: int) -> str:
    """What stands in place of the volume of a structure that the answer does not have."""
    return f"{NOT_FOUND}; in {holding} of {samples} samples" if holding else NOT_FOUND


def in_some_samples(
    labels: Sequence[Label], structures: Sequence[StructureRow], sampled: Mapping[int, InSamples]
) -> list[str]:
    """A phrase for each of ``labels``, none of which the answer has, that some samples have."""
    rows = {row.value: row for row in structures}
    return [
        sampled[label.value].sentence(label.name, rows[label.value].volume_high_ml)
        for label in labels
        if label.value in sampled and sampled[label.value].holding
    ]


def _ml(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else f"{value:.2g}"
