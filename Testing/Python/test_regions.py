"""Uncertain regions: connected, split at a readable size, ranked, and in the right position."""

import numpy as np
import pytest
from ball import CUBE, LABELS, THRESHOLD, ball_result, distance_from
from hypothesis import given, settings, strategies as st
from phantoms import tilted_grid
from scipy import ndimage
from SUREUncertaintyLib.analysis import uncertain_regions as regions
from SUREUncertaintyLib.analysis.excess_blocks import block_map
from SUREUncertaintyLib.analysis.uncertain_regions import split, typical_scale, uncertain_regions
from SUREUncertaintyLib.core.volume import Grid, Volume

AROUND = np.ones((3, 3, 3))


def volumes(uncertainty: np.ndarray, grid: Grid = CUBE, labels: np.ndarray | None = None) -> tuple[Volume, Volume]:
    empty = np.zeros(grid.shape, np.uint8)
    return Volume(empty if labels is None else labels, grid), Volume(uncertainty.astype(np.float32), grid)


def test_two_blobs_have_hand_computed_size_score_and_position() -> None:
    grid = Grid((20, 20, 20), (1.0, 2.0, 3.0), (5.0, 6.0, 7.0))
    uncertainty = np.zeros(grid.shape)
    uncertainty[3:5, 3:5, 3:5] = 0.6
    uncertainty[4, 4, 4] = 0.9
    uncertainty[15, 15, 15] = 0.95
    labels = np.zeros(grid.shape, np.uint8)
    labels[5, 4, 4] = 2
    first, second = uncertain_regions(*volumes(uncertainty, grid, labels), LABELS, 0.5)
    assert (first.rank, first.voxels, first.size_mm3) == (1, 8, 48.0)
    assert first.score == pytest.approx((7 * 0.1 + 0.4) * 6, rel=1e-5)
    assert first.mean_uncertainty == pytest.approx((7 * 0.6 + 0.9) / 8)
    assert first.max_uncertainty == pytest.approx(0.9)
    assert first.centre_ras == pytest.approx((-(5 + 4), -(6 + 8), 7 + 12))
    assert (first.structure, first.is_island) == ("lower", False)
    assert (second.voxels, second.structure, second.is_island) == (1, "background", True)


def test_the_position_is_right_on_an_oblique_grid() -> None:
    grid = tilted_grid((9, 11, 13))
    uncertainty = np.zeros(grid.shape)
    uncertainty[2, 7, 10] = 0.8
    (region,) = uncertain_regions(*volumes(uncertainty, grid), LABELS, 0.5)
    assert region.centre_ras == pytest.approx(tuple((grid.ijk_to_ras @ (10, 7, 2, 1))[:3]))


def test_a_shell_becomes_several_places_of_a_readable_size() -> None:
    result = ball_result(radius=14.0)
    shell = int((result.uncertainty.array > THRESHOLD).sum())
    assert len(result.regions) >= 5
    assert max(region.voxels for region in result.regions) < shell / 4
    assert sum(region.voxels for region in result.regions) == shell
    assert {region.structure for region in result.regions} == {"upper", "lower"}


def test_no_uncertainty_no_region_and_the_threshold_itself_is_not_uncertain() -> None:
    assert uncertain_regions(*volumes(np.zeros(CUBE.shape)), LABELS, 0.5) == ()
    assert uncertain_regions(*volumes(np.full(CUBE.shape, 0.5)), LABELS, 0.5) == ()


def test_at_most_the_limit_and_ranked_by_score() -> None:
    rng = np.random.default_rng(2)
    uncertainty = ndimage.gaussian_filter(rng.random(CUBE.shape), 1)
    found = uncertain_regions(*volumes(uncertainty), LABELS, 0.55, limit=7)
    assert [region.rank for region in found] == [1, 2, 3, 4, 5, 6, 7]
    scores = [region.score for region in found]
    assert scores == sorted(scores, reverse=True)
    assert found == uncertain_regions(*volumes(uncertainty), LABELS, 0.55, limit=7)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.3, 0.6), st.floats(1.5, 8.0))
def test_places_are_connected_cover_all_uncertainty_and_stay_in_reach(
    seed: int, threshold: float, scale: float
) -> None:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random((16, 18, 20)), 1.0)
    excess = np.maximum((noise - noise.min()) / np.ptp(noise) - threshold, 0).astype(np.float32)
    pieces = split(excess, [scale] * 3)
    assert ((pieces > 0) == (excess > 0)).all()
    for number in range(1, pieces.max() + 1):
        assert ndimage.label(pieces == number, AROUND)[1] == 1


def test_blocks_keep_sums_and_find_their_way_back_to_voxels() -> None:
    rng = np.random.default_rng(0)
    uncertainty = np.zeros((11, 13, 17), np.float32)
    uncertainty[2:9, 3:12, 5:16] = rng.random((7, 9, 11))
    blocks = block_map(uncertainty, 0.5, (3.0, 1.0, 1.0), most_cells=100)
    assert blocks is not None
    assert blocks.factor[0] <= min(blocks.factor[1:])
    assert blocks.excess.sum() == pytest.approx(np.maximum(uncertainty - 0.5, 0).sum(), rel=1e-5)
    cells = np.arange(1, blocks.excess.size + 1).reshape(blocks.excess.shape)
    everywhere = blocks.expand(cells, [slice(0, n) for n in uncertainty.shape])
    for number in range(1, cells.max() + 1):
        expected = np.maximum(uncertainty[everywhere == number] - 0.5, 0).sum()
        assert blocks.excess.flat[number - 1] == pytest.approx(expected, abs=1e-5)


def test_a_large_map_that_is_split_on_blocks_gives_the_same_voxels(monkeypatch: pytest.MonkeyPatch) -> None:
    uncertainty = np.exp(-((distance_from(CUBE, (6, 6, 6)) / 4) ** 2)) + np.exp(
        -((distance_from(CUBE, (-8, -8, -8)) / 3) ** 2)
    )
    whole = uncertain_regions(*volumes(uncertainty), LABELS, 0.5, scale_mm=30)
    monkeypatch.setattr(regions, "block_map", lambda array, limit, spacing: block_map(array, limit, spacing, 1000))
    coarse = uncertain_regions(*volumes(uncertainty), LABELS, 0.5, scale_mm=30)
    assert len(whole) == 2
    assert coarse == whole


def test_the_scale_follows_the_structures() -> None:
    big = Grid((40, 40, 40), (4.0, 4.0, 4.0), (-80.0, -80.0, -80.0))
    assert typical_scale(ball_result(radius=12.0).labels, 1) == pytest.approx(6.0, abs=0.1)
    assert typical_scale(ball_result(big, radius=40.0).labels, 1) == pytest.approx(20.0, rel=0.02)
    assert typical_scale(Volume(np.zeros(CUBE.shape, np.uint8), CUBE), 2) == 6.0


def test_a_long_ramp_gets_further_regions_two_scales_from_the_last() -> None:
    excess = np.zeros((3, 3, 121), np.float32)
    excess[1, 1] = np.linspace(1, 2, 121)  # one maximum, at its end
    lengths = np.bincount(split(excess, [10.0] * 3).ravel())[1:]
    assert len(lengths) == 6
    assert lengths.max() <= 2 * 10 + 3


def test_each_region_says_where_it_lies() -> None:
    labels = np.zeros(CUBE.shape, np.uint8)
    labels[6:26, 6:26, 6:26] = 1
    uncertainty = np.zeros(CUBE.shape)
    uncertainty[14:17, 14:17, 14:17] = 0.9
    uncertainty[5:7, 8:12, 8:12] = 0.8
    uncertainty[29:31, 29:31, 29:31] = 0.6
    found = uncertain_regions(*volumes(uncertainty, CUBE, labels), LABELS, 0.5)
    assert {(region.reason, region.structure) for region in found} == {
        ("edge", "upper"),
        ("inside", "upper"),
        ("away", "background"),
    }


def test_the_border_between_parts_of_one_thing_is_not_listed() -> None:
    """Two halves that meet, uncertain where they meet and at one outer face: only the face is worth a look."""
    labels = np.zeros(CUBE.shape, np.uint8)
    labels[6:16, 6:26, 6:26] = 1
    labels[16:26, 6:26, 6:26] = 2
    uncertainty = np.zeros(CUBE.shape)
    uncertainty[15:17, 8:24, 8:24] = 0.9
    uncertainty[5:7, 8:12, 8:12] = 0.8
    given = volumes(uncertainty, CUBE, labels)
    before = given[1].array.copy()
    apart = uncertain_regions(*given, LABELS, 0.5, scale_mm=30)
    together = uncertain_regions(*given, LABELS, 0.5, scale_mm=30, wholes=[(1, 2)])
    assert sum(region.voxels for region in apart) == 2 * 16 * 16 + 2 * 4 * 4
    assert [(region.voxels, region.reason) for region in together] == [(32, "edge")]
    assert np.array_equal(given[1].array, before)


def test_the_rim_of_the_border_stays_because_background_is_near() -> None:
    labels = np.zeros(CUBE.shape, np.uint8)
    labels[6:16, 6:26, 6:26] = 1
    labels[16:26, 6:26, 6:26] = 2
    uncertainty = np.zeros(CUBE.shape)
    uncertainty[15:17, 6:26, 6:26] = 0.9
    found = uncertain_regions(*volumes(uncertainty, CUBE, labels), LABELS, 0.5, wholes=[(1, 2)])
    assert sum(region.voxels for region in found) == 2 * (20 * 20 - 18 * 18)


def test_a_region_whose_score_rounds_to_nothing_is_left_out() -> None:
    uncertainty = np.zeros(CUBE.shape)
    uncertainty[3, 3, 3], uncertainty[20, 20, 20] = 0.54, 0.56
    found = uncertain_regions(*volumes(uncertainty), LABELS, 0.5)
    assert [region.score for region in found] == pytest.approx([0.06], abs=1e-6)


def test_empty_surroundings_change_no_place() -> None:
    excess = np.clip(ball_result(radius=14.0).uncertainty.array - THRESHOLD, 0, None).astype(np.float32)
    around = ((3, 9), (12, 0), (5, 5))
    alone, within = (split(one, [4.0, 5.0, 6.0]) for one in (excess, np.pad(excess, around)))
    np.testing.assert_array_equal(within, np.pad(alone, around))
    assert alone.max() > 5
    assert not split(np.zeros((4, 4, 4), np.float32), [4.0] * 3).any()
