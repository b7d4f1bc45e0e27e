"""How else a training scan might have looked: other scanners, poorer scans, boxes drawn elsewhere.

Everything here acts on the scan as inference would get it, before it is placed in the network's patch: a heart
contracts further, grey values are changed as a scanner would change them, the scan is cut as a box drawn elsewhere
would cut it, and the result is normalised again, as inference normalises what it is given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays.normalisation import normalise
from ..corruptions.registry import apply_recipe, draw_recipe
from .contraction import contracted
from .field_of_view import smaller_field
from .recipe import AugmentationSection
from .training_cases import TrainingCase

Array = NDArray[np.float32]
Labels = NDArray[np.uint8]


class Appearance:
    """Changes a case's image and cuts it.

    Args:
        section: probabilities and strengths.
        normalisation: the recipe's, applied to what comes out.
    """

    def __init__(self, section: AugmentationSection, normalisation: dict[str, Any]) -> None:
        self._section = section
        self._normalisation = normalisation

    def __call__(self, case: TrainingCase, label: Labels, generator: np.random.Generator) -> tuple[Array, Labels]:
        """Image float32 and label of the same shape; smaller than the case where it was cut."""
        section, image = self._section, case.image
        if section.contraction_probability and generator.random() < section.contraction_probability:
            image, label = contracted(image, label, generator.uniform(*section.contraction))
        greys = section.monotone_probability > 0 or section.damage_probability > 0
        if greys:
            image = self._other_greys(image - image.min(), case.spacing, generator)
        if section.cut_mm:
            inside = cut(image.shape, case.spacing, section.cut_mm, generator)
            image, label = image[inside], label[inside]
        if greys or section.cut_mm:
            image = normalise(image, self._normalisation)
        if section.field_of_view_probability and generator.random() < section.field_of_view_probability:
            return smaller_field(image, label, section.field_of_view, self._normalisation, generator)
        return image, label

    def _other_greys(self, image: Array, spacing: tuple[float, ...], generator: np.random.Generator) -> Array:
        section = self._section
        if generator.random() < section.monotone_probability:
            image = monotone_map(image, section.monotone_points, generator)
        return self._damaged(image, spacing, generator) if generator.random() < section.damage_probability else image

    def _damaged(self, image: Array, spacing: tuple[float, ...], generator: np.random.Generator) -> Array:
        section = self._section
        recipe = draw_recipe(generator, section.damages, section.damage_strength, spacing)
        return apply_recipe(recipe, image, spacing)


def create_appearance(section: AugmentationSection, normalisation: dict[str, Any]) -> Appearance | None:
    """None where the recipe asks for none of it."""
    asked = (
        section.cut_mm,
        section.monotone_probability,
        section.damage_probability,
        section.field_of_view_probability,
        section.contraction_probability,
    )
    return Appearance(section, normalisation) if any(asked) else None


def monotone_map(image: Array, points: int, generator: np.random.Generator) -> Array:
    """The image through a random increasing curve from its smallest to its largest value.

    ``points`` inner knots are evenly spaced; their heights are random steps, none smaller than a fifth of the mean one,
    so that no two tissues become one.
    """
    low, high = float(image.min()), float(image.max())
    steps = 0.2 + 0.8 * generator.exponential(1.0, points + 1)
    heights = np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()
    knots = np.linspace(low, high, points + 2)
    return np.interp(image, knots, low + heights * (high - low)).astype(np.float32)


def cut(
    shape: tuple[int, ...], spacing: tuple[float, ...], at_most_mm: float, generator: np.random.Generator
) -> tuple[slice, ...]:
    """What a box drawn elsewhere would keep: up to ``at_most_mm`` gone at a side, and nothing at every second side."""
    slices = []
    for count, mm in zip(shape, spacing, strict=True):
        low, high = generator.uniform(0.0, at_most_mm, 2) * generator.integers(0, 2, 2) / mm
        slices.append(slice(int(low), max(count - int(high), int(low) + 1)))
    return tuple(slices)
