"""Corruptions by name: make a recipe, or draw one at random; apply it, now or years later."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.volume import Volume
from .bias_field import BIAS_FIELD
from .blur import BLUR
from .brightness import BRIGHTNESS
from .corruption import Corruption, CorruptionInput, Float32, Recipe
from .gamma import GAMMA
from .gaussian import GAUSSIAN
from .ghosting import GHOSTING
from .poisson import POISSON
from .rician import RICIAN
from .salt_and_pepper import SALT_AND_PEPPER
from .speckle import SPECKLE
from .spike import SPIKE
from .strengths import SCAN_NOISE, STRENGTH, check_strength, physical_parameters
from .thick_slices import THICK_SLICES

CORRUPTIONS: dict[str, Corruption] = {
    corruption.name: corruption
    for corruption in (
        GAUSSIAN,
        RICIAN,
        POISSON,
        SPECKLE,
        SALT_AND_PEPPER,
        BLUR,
        BIAS_FIELD,
        GAMMA,
        THICK_SLICES,
        GHOSTING,
        SPIKE,
        BRIGHTNESS,
    )
}
NAMES = tuple(CORRUPTIONS)


def find_corruption(name: str) -> Corruption:
    """The corruption of a name.

    Raises:
        InputError: there is none; the sentence lists those that there are.
    """
    if name not in CORRUPTIONS:
        raise InputError(f"There is no corruption called '{name}'. Choose one of: {', '.join(NAMES)}.")
    return CORRUPTIONS[name]


def make_recipe(
    name: str,
    strength: float,
    seed: int,
    case_id: str,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    unit: str = STRENGTH,
) -> Recipe:
    """The recipe of one corruption of one case.

    What is random follows from seed, case and corruption alone: recipes that differ only in strength share their
    noise field, direction and phase.

    Args:
        spacing: mm along (k, j, i) of the scan; some corruptions draw an axis by it.

    Raises:
        InputError: unknown name or unit, or a strength outside 0..1.
    """
    corruption = find_corruption(name)
    physical = physical_parameters(name, strength, unit)
    generator = np.random.default_rng([seed, crc32(f"{case_id}/{name}".encode())])
    k, j, i = (float(side) for side in spacing)
    return Recipe(
        corruption=name,
        strength=check_strength(strength),
        seed=seed,
        case_id=case_id,
        unit=unit,
        space="scan" if unit == SCAN_NOISE else corruption.space,
        physical=physical,
        drawn=corruption.draw(generator, (k, j, i)),
    )


def draw_recipe(
    generator: np.random.Generator,
    names: Sequence[str] = NAMES,
    strengths: tuple[float, float] = (0.0, 1.0),
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
) -> Recipe:
    """A random corruption of random strength; the recipe replays it without the generator.

    Raises:
        InputError: an unknown name, or strengths outside 0..1.
    """
    name = str(generator.choice(list(names)))
    strength = generator.uniform(check_strength(strengths[0]), check_strength(strengths[1]))
    return make_recipe(name, float(strength), int(generator.integers(2**31)), "random", spacing)


def apply_recipe(recipe: Recipe, image: NDArray[np.generic], spacing: Sequence[float] = (1.0, 1.0, 1.0)) -> Float32:
    """The damaged image; the image itself stays as it is.

    Args:
        image: (k, j, i), in the space that the recipe names: normalised input, or raw intensities.
        spacing: mm along (k, j, i).

    Returns:
        float32 of the same shape.

    Raises:
        InputError: the corruption cannot be applied to such a scan.
    """
    values = np.array(image, dtype=np.float32)
    if recipe.strength == 0.0:
        return values
    k, j, i = (float(side) for side in spacing)
    given = CorruptionInput(recipe.physical, recipe.drawn, (k, j, i), recipe.seed, recipe.case_id)
    return np.asarray(find_corruption(recipe.corruption).act(values, given), dtype=np.float32)


def corrupt_volume(volume: Volume, recipe: Recipe) -> Volume:
    """A damaged scan, float32, for recipes that act on the scan's own intensities.

    Raises:
        ValueError: the recipe acts on the network's input.
        InputError: the corruption cannot be applied to such a scan.
    """
    if recipe.space != "scan":
        raise ValueError(f"the corruption {recipe.corruption} acts on the network's input, not on a scan")
    return volume.with_array(apply_recipe(recipe, volume.array, volume.grid.spacing_kji))
