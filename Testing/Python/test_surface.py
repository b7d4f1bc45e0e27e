"""HD95 and ASSD in millimetres, against analytic cases and MONAI."""

import numpy as np
import pytest
from numpy.typing import NDArray
from SUREUncertaintyLib.metrics.surface import pooled_surface_distances, surface_distance, surface_points

SPACING = (3.0, 0.5, 1.25)


def ball(shape: tuple[int, ...], centre: tuple[float, ...], radius: float) -> NDArray[np.bool_]:
    grid = np.indices(shape, dtype=float)
    offsets = grid - np.reshape(centre, (-1,) + (1,) * len(shape))
    return np.asarray(np.square(offsets).sum(axis=0) <= radius**2)


def blobs(seed: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random(shape) < 0.2


def test_two_single_voxels_are_as_far_apart_as_their_centres() -> None:
    first, second = np.zeros((5, 9, 9), dtype=bool), np.zeros((5, 9, 9), dtype=bool)
    first[1, 2, 3] = True
    second[2, 6, 3] = True
    result = surface_distance(first, second, SPACING)
    assert result.hd95 == pytest.approx(np.hypot(3.0, 2.0))
    assert result.assd == pytest.approx(np.hypot(3.0, 2.0))
    assert result.reason is None


def test_identical_masks_have_distance_zero() -> None:
    mask = ball((12, 12, 12), (6, 6, 6), 4)
    assert surface_distance(mask, mask, SPACING).hd95 == 0.0
    assert surface_distance(mask, mask, SPACING).assd == 0.0


def test_a_shifted_slab_is_off_by_the_shift_on_its_large_faces() -> None:
    first, second = np.zeros((20, 4, 4), dtype=bool), np.zeros((20, 4, 4), dtype=bool)
    first[5:10] = True
    second[7:12] = True
    result = surface_distance(first, second, (1.5, 1.0, 1.0))
    assert result.hd95 == pytest.approx(3.0)


def test_the_border_of_the_image_belongs_to_the_surface() -> None:
    full = np.ones((3, 3, 3), dtype=bool)
    assert len(surface_points(full, (1, 1, 1))) == 26


def test_hd95_pools_both_directions_before_the_percentile() -> None:
    first, second = np.zeros((1, 1, 200), dtype=bool), np.zeros((1, 1, 200), dtype=bool)
    first[0, 0, 10] = True
    second[0, 0, [10, 20, 30]] = True
    distances = pooled_surface_distances(first, second, (1, 1, 1))
    assert sorted(distances.tolist()) == [0.0, 0.0, 10.0, 20.0]
    assert surface_distance(first, second, (1, 1, 1)).hd95 == pytest.approx(np.percentile([0, 0, 10, 20], 95))
    assert surface_distance(first, second, (1, 1, 1)).assd == pytest.approx(7.5)


@pytest.mark.torch
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(9, 11, 7), (14, 13)])
def test_assd_and_hd95_agree_with_monai(seed: int, shape: tuple[int, ...]) -> None:
    import torch
    from monai.metrics import compute_average_surface_distance
    from monai.metrics.utils import get_edge_surface_distance

    spacing = SPACING[: len(shape)]
    first, second = blobs(seed, shape), blobs(seed + 100, shape)
    ours = surface_distance(first, second, spacing)
    tensors = [torch.as_tensor(mask)[None, None] for mask in (first, second)]
    average = compute_average_surface_distance(*tensors, include_background=True, symmetric=True, spacing=spacing)
    assert ours.assd == pytest.approx(float(average), rel=1e-5)
    pair = [tensor[0, 0] for tensor in tensors]
    _, both, _ = get_edge_surface_distance(*pair, spacing=spacing, symmetric=True)
    assert ours.hd95 == pytest.approx(float(np.percentile(torch.cat(both).numpy(), 95)), rel=1e-5)


@pytest.mark.torch
def test_hausdorff_of_monai_is_the_maximum_of_ours() -> None:
    import torch
    from monai.metrics import compute_hausdorff_distance

    first, second = ball((16, 16, 16), (7, 7, 7), 4), ball((16, 16, 16), (8, 9, 7), 5)
    tensors = [torch.as_tensor(mask)[None, None] for mask in (first, second)]
    theirs = compute_hausdorff_distance(*tensors, include_background=True, spacing=SPACING)
    assert pooled_surface_distances(first, second, SPACING).max() == pytest.approx(float(theirs), rel=1e-5)


def test_distances_do_not_depend_on_the_order_of_the_masks() -> None:
    first, second = blobs(1, (8, 8, 8)), blobs(2, (8, 8, 8))
    there, back = surface_distance(first, second, SPACING), surface_distance(second, first, SPACING)
    assert there.hd95 == pytest.approx(back.hd95)
    assert there.assd == pytest.approx(back.assd)


@pytest.mark.parametrize(("prediction", "reference", "reason"), [(0, 1, "missed"), (1, 0, "spurious")])
def test_an_empty_mask_is_undefined_by_default_and_the_diagonal_on_request(
    prediction: int, reference: int, reason: str
) -> None:
    masks = [np.zeros((4, 4, 4), dtype=bool), ball((4, 4, 4), (2, 2, 2), 1)]
    default = surface_distance(masks[prediction], masks[reference], SPACING)
    assert np.isnan(default.hd95)
    assert np.isnan(default.assd)
    assert default.reason == reason
    punished = surface_distance(masks[prediction], masks[reference], SPACING, empty="diagonal")
    assert punished.hd95 == punished.assd == pytest.approx(np.linalg.norm([12, 2, 5]))
    assert punished.reason == reason


def test_a_missed_structure_is_never_better_than_the_worst_found_one() -> None:
    reference, far = np.zeros((6, 6, 6), dtype=bool), np.zeros((6, 6, 6), dtype=bool)
    reference[0, 0, 0] = True
    far[5, 5, 5] = True
    missed = surface_distance(np.zeros_like(far), reference, SPACING, empty="diagonal")
    assert missed.hd95 >= surface_distance(far, reference, SPACING).hd95


def test_two_empty_masks_stay_undefined_under_both_rules() -> None:
    nothing = np.zeros((4, 4, 4), dtype=bool)
    for rule in ("undefined", "diagonal"):
        result = surface_distance(nothing, nothing, SPACING, empty=rule)
        assert np.isnan(result.hd95)
        assert result.reason == "both empty"
