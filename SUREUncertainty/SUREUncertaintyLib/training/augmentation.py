"""Random variations of a training case, from MONAI's transforms, replayable from (seed, step, place in the batch)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .appearance import Appearance
from .recipe import AugmentationSection
from .training_cases import TrainingCase

KEYS = ["image", "label"]
MODES = ["bilinear", "nearest"]
PAD_MODES = {"zeros": "constant", "border": "edge"}
"""Our names, those of MONAI's ``RandAffine``, in the words of its padding."""


class Augmentation:
    """Turns a case into one patch of the network's size, in place (deformed), in side (flipped) and in intensity.

    Outside the scan the patch holds 0, the mean of a normalised scan, as in inference, or repeats the scan's border.

    Args:
        section: strengths and probabilities.
        patch: size of the patch in array order.
        appearance: what changes the scan before it is placed.
    """

    def __init__(
        self, section: AugmentationSection, patch: tuple[int, ...], appearance: Appearance | None = None
    ) -> None:
        from monai.transforms import Compose

        self._patch = patch
        self._appearance = appearance
        self._changes = section != AugmentationSection()
        self._transform = Compose([*_spatial(section, patch), *_intensity(section, len(patch))])

    def __call__(self, case: TrainingCase, seed: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Image (1, ...) float32 and label (1, ...) of one patch; the same seed gives the same patch."""
        generator = np.random.default_rng(seed)
        state = int(generator.integers(2**31))
        image, reading = case.image, case.reading(generator)
        if self._appearance is not None:
            image, reading = self._appearance(case, reading, generator)
        label = reading.astype(np.float32)
        if not self._changes and image.shape == self._patch:
            return torch.from_numpy(image[None]).float(), torch.from_numpy(label[None])
        self._transform.set_random_state(seed=state)
        # MONAI's transforms share a generator in places; each sample starts from its own state.
        sample: Any = self._transform({"image": image[None], "label": label[None]})
        return sample["image"].as_tensor().float(), sample["label"].as_tensor().round()


def _spatial(section: AugmentationSection, patch: tuple[int, ...]) -> list[Any]:
    from monai.transforms import Rand3DElasticd, RandAffined, RandFlipd, ResizeWithPadOrCropd

    dims, outside = len(patch), [section.padding, "zeros"]
    angle = math.radians(section.rotate_degrees)
    common: dict[str, Any] = {
        "keys": KEYS,
        "spatial_size": patch,
        "rotate_range": [angle] * (dims if dims == 3 else 1),
        "scale_range": [section.scale] * dims,
        "translate_range": [section.translate_mm] * dims,
        "mode": MODES,
        "padding_mode": outside,
    }
    moves = section.rotate_degrees or section.scale or section.translate_mm
    # Without a movement nothing is interpolated: cropping alone takes a tenth of the time.
    padded = [PAD_MODES[kind] for kind in outside]
    placed = RandAffined(prob=1.0, **common) if moves else ResizeWithPadOrCropd(KEYS, patch, mode=padded)
    transforms: list[Any] = [placed]
    if section.elastic_probability and dims == 3:
        elastic = {"keys": KEYS, "mode": MODES, "padding_mode": outside, "prob": section.elastic_probability}
        ranges = {"sigma_range": section.elastic_sigma, "magnitude_range": section.elastic_magnitude}
        transforms.append(Rand3DElasticd(spatial_size=patch, **ranges, **elastic))
    if section.flip_axes:
        transforms += [RandFlipd(KEYS, prob=section.flip_probability, spatial_axis=axis) for axis in section.flip_axes]
    return transforms


def _intensity(section: AugmentationSection, dims: int) -> list[Any]:
    from monai.transforms import (
        RandAdjustContrastd,
        RandBiasFieldd,
        RandGaussianNoised,
        RandGaussianSmoothd,
        RandHistogramShiftd,
        RandSimulateLowResolutiond,
    )

    low, high = section.blur_sigma
    upsample = "trilinear" if dims == 3 else "bilinear"
    blur = {f"sigma_{axis}": (low, high) for axis in "xyz"}
    candidates = [
        (section.bias_probability, lambda p: RandBiasFieldd(["image"], coeff_range=(0.0, section.bias), prob=p)),
        (section.gamma_probability, lambda p: RandAdjustContrastd(["image"], gamma=section.gamma, prob=p)),
        (
            section.curve_probability,
            lambda p: RandHistogramShiftd(["image"], num_control_points=section.curve_points, prob=p),
        ),
        (section.blur_probability, lambda p: RandGaussianSmoothd(["image"], prob=p, **blur)),
        (
            section.low_resolution_probability,
            lambda p: RandSimulateLowResolutiond(
                ["image"], prob=p, zoom_range=section.low_resolution_zoom, upsample_mode=upsample
            ),
        ),
        (section.noise_probability, lambda p: RandGaussianNoised(["image"], std=section.noise_std, prob=p)),
    ]
    return [make(probability) for probability, make in candidates if probability]
