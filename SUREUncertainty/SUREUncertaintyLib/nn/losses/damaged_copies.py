"""Copies of a batch with damage of other kinds than noise and blur, so that uncertainty learns what it does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...corruptions.registry import CORRUPTIONS, NAMES, apply_recipe, make_recipe

CURVE = "curve"
"""Another contrast: grey values through a random curve, as if the scan were of another kind."""
KINDS = (*(name for name in NAMES if name not in ("gaussian", "blur")), CURVE, CURVE)
"""Noise and blur have copies of their own; the curve is drawn twice as often as any other kind."""
KNOTS = 6

Float32 = NDArray[np.float32]


def damaged_copies(
    image: Tensor, levels: Sequence[float], spacing: Sequence[float] | None, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """The batch (B, channels, ...) with one kind of damage a sample at two strengths, normalised again.

    Args:
        image: normalised input; its least value is taken for the darkness outside the body.
        levels: the two strengths, 0 to 1.
        spacing: mm along the spatial axes, None for pixels; a 2D image is one slice.
    """
    sides = sides_of_slices(spacing, image.ndim - 2)
    copies: tuple[list[Tensor], list[Tensor]] = ([], [])
    for sample in image:
        kind, seed = str(rng.choice(KINDS)), int(rng.integers(2**31))
        for level, copy in zip(levels, copies, strict=True):
            copy.append(torch.stack([_damaged(channel, kind, level, seed, sides) for channel in sample]))
    return torch.stack(copies[0]), torch.stack(copies[1])


def sides_of_slices(spacing: Sequence[float] | None, dims: int) -> tuple[float, float, float]:
    """mm along (k, j, i); ones along what has no spacing."""
    sides = tuple(float(side) for side in spacing or (1.0,) * dims)
    k, j, i = (1.0,) * (3 - len(sides)) + sides
    return (k, j, i)


def _damaged(channel: Tensor, kind: str, level: float, seed: int, spacing: tuple[float, float, float]) -> Tensor:
    found = damaged_image(channel.detach().float().cpu().numpy(), kind, level, seed, spacing)
    return torch.from_numpy(found).to(channel)


def damaged_image(image: Float32, kind: str, level: float, seed: int, spacing: tuple[float, float, float]) -> Float32:
    """A normalised image (...) of two or three axes with damage of one kind, normalised again.

    Args:
        kind: ``CURVE``, or a name of ``corruptions.registry``; spacing: mm along (k, j, i), a 2D image is one slice.
    """
    whole = image.reshape((1,) * (3 - image.ndim) + image.shape)
    if kind == CURVE:
        found = _normalised(_through_curve(whole, level, seed), whole)
    elif CORRUPTIONS[kind].space == "input":
        found = apply_recipe(make_recipe(kind, level, seed, "copy", spacing), whole, spacing)
    else:
        recipe = make_recipe(kind, level, seed, "copy", spacing)
        found = _normalised(apply_recipe(recipe, whole - whole.min(), spacing), whole)
    return found.reshape(image.shape)


def _through_curve(image: Float32, level: float, seed: int) -> Float32:
    """Grey values through a piecewise linear curve with random heights, blended in by the level."""
    knots = np.linspace(float(image.min()), float(image.max()), KNOTS)
    heights = np.random.default_rng(seed).uniform(knots[0], knots[-1], KNOTS)
    return np.asarray((1.0 - level) * image + level * np.interp(image, knots, heights), dtype=np.float32)


def _normalised(found: Float32, like: Float32) -> Float32:
    """With mean and spread of the image as it was, since the damaged scan would be normalised, too."""
    spread = float(found.std())
    scale = float(like.std()) / spread if spread > 0.0 else 0.0
    return np.asarray((found - found.mean()) * np.float32(scale) + like.mean(), dtype=np.float32)
