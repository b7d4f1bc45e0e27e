"""What the grey values of a scan look like, in numbers that do not depend on their scale."""

import numpy as np
import pytest
from phantoms import asymmetric_volume, tilted_grid
from SUREUncertaintyLib.analysis.intensity_fingerprint import DESCRIPTIONS, measure


def test_measures_do_not_change_with_the_scale_of_intensities() -> None:
    image = asymmetric_volume(tilted_grid((12, 14, 16))).array.astype(np.float64)
    image = image + np.random.default_rng(1).normal(0, 20, image.shape)
    assert measure(1000.0 * image - 321.0) == pytest.approx(measure(image))
    assert set(measure(image)) == set(DESCRIPTIONS)


def test_measures_tell_bright_fluid_from_dark_fluid_and_noise_from_smooth() -> None:
    rng = np.random.default_rng(4)
    tissue = rng.normal(100, 10, (20, 20, 20))
    dark, bright = tissue.copy(), tissue.copy()
    dark[:4], bright[:4] = 20, 180
    assert measure(dark)["skewness"] < -1 < 1 < measure(bright)["skewness"]
    assert measure(dark)["middle"] > 0.6 > 0.4 > measure(bright)["middle"]
    ramp = np.indices((20, 20, 20)).sum(axis=0)
    assert measure(ramp)["edge_sharpness"] < 0.2 < 1.0 < measure(tissue)["edge_sharpness"]


def test_hand_computed_measures_of_two_values() -> None:
    image = np.zeros((2, 2, 5))
    image[..., 4] = 1.0
    values = measure(image)
    assert values["skewness"] == pytest.approx((1 - 2 * 0.2) / 0.4)
    assert values["kurtosis"] == pytest.approx((1 - 6 * 0.2 * 0.8) / (0.2 * 0.8))
    assert values["dark_share"] == pytest.approx(0.8)
    assert values["middle"] == 0.0
    assert values["edge_sharpness"] == pytest.approx(0.25 / 0.4)


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 1, 1), (2, 2, 2)])
def test_constant_and_flat_images_have_measures(shape: tuple[int, int, int]) -> None:
    assert set(measure(np.full(shape, 7.0)).values()) == {0.0}
    assert np.isfinite(list(measure(np.arange(np.prod(shape)).reshape(shape)).values())).all()
