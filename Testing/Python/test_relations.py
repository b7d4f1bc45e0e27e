"""Boundary zones, gradients and the three relations on phantoms."""

import numpy as np
import pytest
from numpy.typing import NDArray
from SUREUncertaintyLib.metrics import boundary
from SUREUncertaintyLib.metrics.boundary import (
    boundary_distance,
    boundary_voxels,
    boundary_zone,
    through_plane_axis,
    zone_widths,
)
from SUREUncertaintyLib.metrics.relations import (
    binned_gradient_relation,
    distance_relation,
    gradient_magnitude,
    gradient_relation,
    level_relation,
    zone_gradient,
)


def half_space(shape: tuple[int, ...], axis: int, at: int) -> NDArray[np.uint8]:
    labels = np.zeros(shape, dtype=np.uint8)
    labels[(slice(None),) * axis + (slice(at, None),)] = 1
    return labels


def box_phantom(scale: int) -> NDArray[np.uint8]:
    """A box of 8 x 8 x 8 mm in 32 mm, at ``scale`` voxels a mm."""
    labels = np.zeros((32 * scale,) * 3, dtype=np.uint8)
    labels[(slice(12 * scale, 20 * scale),) * 3] = 1
    return labels


def test_both_sides_of_an_interface_have_distance_zero() -> None:
    distance = boundary_distance(half_space((1, 1, 10), 2, 5))
    assert distance is not None
    assert distance[0, 0].tolist() == [4, 3, 2, 1, 0, 0, 1, 2, 3, 4]


def test_the_border_of_the_image_is_no_boundary_and_two_foreground_labels_are() -> None:
    assert not boundary_voxels(np.ones((4, 4, 4), dtype=np.uint8)).any()
    labels = np.ones((1, 1, 4), dtype=np.uint8)
    labels[..., 2:] = 2
    assert boundary_voxels(labels)[0, 0].tolist() == [False, True, True, False]


def test_corners_belong_to_the_boundary() -> None:
    labels = np.zeros((5, 5), dtype=np.uint8)
    labels[2, 2] = 1
    assert boundary_voxels(labels).sum() == 9


def test_distances_are_millimetres_along_each_axis() -> None:
    distance = boundary_distance(half_space((8, 1, 1), 0, 4), (2.5, 1.0, 1.0))
    assert distance is not None
    assert distance[:, 0, 0].tolist() == [7.5, 5.0, 2.5, 0, 0, 2.5, 5.0, 7.5]


def test_equal_distances_tie_after_rounding() -> None:
    labels = np.zeros((1, 9, 9), dtype=np.uint8)
    labels[0, 4, 4] = 1
    distance = boundary_distance(labels, (1.0, 0.1, 0.3))
    assert distance is not None
    assert distance[0, 8, 4] == distance[0, 4, 6]  # 3 x 0.1 from row 5, 1 x 0.3 from column 5
    assert 0.1 * 3 != 0.3


def test_thick_slices_keep_the_boundary_in_their_plane() -> None:
    labels = np.zeros((3, 7, 7), dtype=np.uint8)
    labels[1, 2:5, 2:5] = 1
    thick, thin = boundary_voxels(labels, (5.0, 1.0, 1.0)), boundary_voxels(labels, (3.0, 1.0, 1.0))
    assert not thick[0].any()
    assert not thick[2].any()
    assert thin[0].any()
    assert (boundary_voxels(labels[1]) == thick[1]).all()


def test_the_through_plane_axis_is_the_coarsest_of_more_than_three_to_one() -> None:
    assert through_plane_axis((5, 9, 9), (3.1, 1.0, 1.0)) == 0
    assert through_plane_axis((5, 9, 9), (3.0, 1.0, 1.0)) is None
    assert through_plane_axis((9, 9, 5), (1.0, 1.0, 8.0)) == 2
    assert through_plane_axis((1, 9, 9), (8.0, 1.0, 1.0)) is None


def test_default_widths_in_mm_and_pixels() -> None:
    assert zone_widths((9, 9, 9), (1.0, 1.0, 1.0)).delta == 1.5
    assert zone_widths((9, 9, 9), (8.0, 1.8, 1.7)).delta == 1.8
    assert zone_widths((9, 9, 9), (2.0, 2.0, 2.0)).delta == 2.0
    assert zone_widths((1, 9, 9), (8.0, 1.8, 1.7)).delta == 1.8
    assert zone_widths((9, 9, 9), (1.0, 1.0, 1.0)).t == 6.0
    pixels = zone_widths((9, 9), None)
    assert (pixels.delta, pixels.t, pixels.unit) == (1.0, 4.0, "px")


def test_the_zone_is_a_crop_with_the_distances_of_the_whole() -> None:
    labels = np.zeros((40, 30, 50), dtype=np.uint8)
    labels[18:21, 14:17, 30:33] = 2
    spacing = (1.0, 1.5, 0.75)
    zone, whole = boundary_zone(labels, spacing), boundary_distance(labels, spacing)
    assert zone is not None
    assert whole is not None
    assert zone.near.size < labels.size / 2
    np.testing.assert_array_equal(zone.near, whole[zone.box] <= 6.0)
    np.testing.assert_array_equal(zone.near_distance, whole[whole <= 6.0])
    np.testing.assert_array_equal(zone.band, whole[zone.box] <= 1.5)
    image = np.random.default_rng(0).random(labels.shape).astype(np.float32)
    np.testing.assert_array_equal(zone.in_near(image), image[whole <= 6.0])
    np.testing.assert_array_equal(zone.in_band(image), image[whole <= 1.5])
    assert zone.far_mean(image) == pytest.approx(image[whole > 6.0].mean(dtype=float), abs=1e-9)


@pytest.mark.parametrize("voxels", [1, 500, 3000])
def test_slabs_do_not_change_the_zone(monkeypatch: pytest.MonkeyPatch, voxels: int) -> None:
    labels = np.zeros((40, 20, 25), dtype=np.uint8)
    labels[3:6, 4:7, 8:12] = 1
    labels[30:33, 12:16, 3:9] = 2
    whole = boundary_zone(labels, (1.5, 0.8, 0.8))
    monkeypatch.setattr(boundary, "SLAB_VOXELS", voxels)
    parts = boundary_zone(labels, (1.5, 0.8, 0.8))
    assert whole is not None
    assert parts is not None
    np.testing.assert_array_equal(parts.near, whole.near)
    np.testing.assert_array_equal(parts.near_distance, whole.near_distance)


def test_without_a_boundary_there_is_no_zone_and_without_far_voxels_no_far_mean() -> None:
    assert boundary_zone(np.zeros((4, 4, 4), dtype=np.uint8), (1, 1, 1)) is None
    zone = boundary_zone(half_space((4, 4, 4), 0, 2), (1.0, 1.0, 1.0))
    assert zone is not None
    assert np.isnan(zone.far_mean(np.ones((4, 4, 4))))


@pytest.mark.parametrize("band", ["near", "band"])
def test_bands_in_mm_survive_resampling(band: str) -> None:
    coarse = boundary_zone(box_phantom(1), (1.0, 1.0, 1.0))
    fine = boundary_zone(box_phantom(2), (0.5, 0.5, 0.5))
    assert coarse is not None
    assert fine is not None
    masks = [getattr(zone, band) for zone in (coarse, fine)]
    lines = [mask[tuple(n // 2 for n in mask.shape[:2])].sum() for mask in masks]
    # along a line through the box the width in mm agrees to one coarse voxel at each end of both bands
    assert abs(int(lines[0]) - int(lines[1]) / 2) <= 4


def test_the_gradient_of_a_ramp_is_its_slope_per_mm() -> None:
    k, j, i = np.indices((5, 6, 7)).astype(np.float32)
    image = 2.0 * k + 3.0 * j - 6.0 * i
    np.testing.assert_allclose(gradient_magnitude(image), 7.0, rtol=1e-6)
    np.testing.assert_allclose(gradient_magnitude(image, (2.0, 3.0, 1.0)), np.sqrt(1 + 1 + 36), rtol=1e-6)
    np.testing.assert_allclose(gradient_magnitude(image, without=0), np.sqrt(45), rtol=1e-6)
    np.testing.assert_allclose(gradient_magnitude(image[:1]), np.sqrt(45), rtol=1e-6)


def test_the_zones_gradient_is_that_of_the_whole_image() -> None:
    labels = np.zeros((4, 30, 30), dtype=np.uint8)
    labels[1:3, 12:16, 3:9] = 1
    image = np.random.default_rng(1).random(labels.shape)
    spacing = (8.0, 1.0, 1.25)
    zone = boundary_zone(labels, spacing)
    assert zone is not None
    assert zone.thick_axis == 0
    np.testing.assert_array_equal(zone_gradient(image, zone, spacing), zone.in_band(gradient_magnitude(image, spacing)))
    np.testing.assert_array_equal(
        zone_gradient(image, zone, spacing, in_plane=True), zone.in_band(gradient_magnitude(image, spacing, without=0))
    )


def test_an_ideal_uncertainty_scores_one_in_every_relation() -> None:
    labels = box_phantom(1)
    zone = boundary_zone(labels, (1.0, 1.0, 1.0))
    assert zone is not None
    distance = zone.near_distance
    clean = 0.1 * np.exp(-distance)
    levels = {level: clean * (1.0 + level) for level in (0.1, 0.3, 0.5)}
    assert distance_relation(distance, clean, levels[0.3]).ur_star == 1.0
    sigma = level_relation(levels)
    assert (sigma.ur, sigma.tau) == (1.0, 1.0)
    gradient = np.random.default_rng(0).random(500)
    ideal = gradient_relation(gradient, 1.0 - gradient)
    assert (ideal.ur, ideal.ucc) == (1.0, pytest.approx(-1.0))


def test_binned_gradient_relation_averages_out_noise() -> None:
    generator = np.random.default_rng(2)
    gradient = generator.random(20_000)
    uncertainty = 1.0 - gradient + generator.normal(0, 0.5, gradient.size)
    full, binned = gradient_relation(gradient, uncertainty), binned_gradient_relation(gradient, uncertainty)
    assert binned.n == 25
    assert full.ur_star < 0.8
    assert binned.ur_star > 0.95
    assert np.isnan(binned_gradient_relation(np.ones(5), np.ones(5)).ur)


def test_the_rise_is_formed_in_single_precision() -> None:
    clean = np.array([0.5, 0.5])
    noisy = np.array([0.6, 0.6 + 1e-12])
    assert distance_relation(np.array([0.0, 1.0]), clean, noisy).ties_v == 1


def test_no_noise_level_leaves_the_sigma_relation_undefined() -> None:
    assert level_relation({}).undefined["ur"] == "fewer than two noise levels"
