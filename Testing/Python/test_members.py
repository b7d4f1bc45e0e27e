"""Uncertainty over members and their agreement, against values worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from SUREUncertaintyLib.analysis.agreement import Members, PairCounts, range_name, voxel_range
from SUREUncertaintyLib.analysis.members import ClassMembers, RegionMembers, region_labels, votes
from SUREUncertaintyLib.analysis.volume_range import VoxelRange
from SUREUncertaintyLib.worker.result_files import read_result, write_result
from two_blobs import two_blobs


def column(*classes: float) -> np.ndarray:
    """One voxel's probabilities (C, 1)."""
    return np.array(classes, np.float32)[:, None]


def test_members_that_are_sure_of_different_classes_disagree_by_one_bit() -> None:
    members = ClassMembers((4, 1))
    members.add(column(1, 0, 0, 0))
    members.add(column(0, 1, 0, 0))
    maps = members.maps()
    assert maps.entropy[0] == pytest.approx(0.5)  # ln 2 / ln 4
    assert maps.expected_entropy[0] == 0.0
    assert maps.mutual_information[0] == pytest.approx(0.5)


def test_members_that_are_equally_unsure_do_not_disagree() -> None:
    members = ClassMembers((4, 1))
    for _ in range(3):
        members.add(column(0.25, 0.25, 0.25, 0.25))
    maps = members.maps()
    assert maps.entropy[0] == pytest.approx(1.0)
    assert maps.expected_entropy[0] == pytest.approx(1.0)
    assert maps.mutual_information[0] == pytest.approx(0.0, abs=1e-6)


def test_two_classes_of_members_at_a_half_and_at_one() -> None:
    members = ClassMembers((2, 1))
    members.add(column(0.5, 0.5))
    members.add(column(1.0, 0.0))
    maps = members.maps()
    entropy = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))  # of the mean, in bits, which is / ln 2
    assert maps.entropy[0] == pytest.approx(entropy, abs=1e-6)
    assert maps.expected_entropy[0] == pytest.approx(0.5)
    assert maps.mutual_information[0] == pytest.approx(entropy - 0.5, abs=1e-6)
    np.testing.assert_allclose(members.mean()[:, 0], [0.75, 0.25])


def test_a_tie_of_the_mean_is_the_first_class_and_the_mean_decides_not_the_majority() -> None:
    members = ClassMembers((2, 2))
    members.add(np.array([[1.0, 0.0], [0.0, 1.0]]))
    members.add(np.array([[0.0, 0.6], [1.0, 0.4]]))
    members.add(np.array([[0.5, 0.6], [0.5, 0.4]]))
    assert members.labels().tolist() == [0, 1]


def test_regions_have_binary_entropies_and_the_map_is_the_least_sure_region() -> None:
    members = RegionMembers((2, 1))
    members.add(column(1.0, 0.5))
    members.add(column(0.0, 0.5))
    first, second, whole = members.region_maps(0), members.region_maps(1), members.maps()
    assert (first.entropy[0], first.expected_entropy[0], first.mutual_information[0]) == pytest.approx((1.0, 0.0, 1.0))
    assert (second.entropy[0], second.expected_entropy[0]) == pytest.approx((1.0, 1.0))
    assert second.mutual_information[0] == pytest.approx(0.0, abs=1e-6)
    assert (whole.entropy[0], whole.expected_entropy[0], whole.mutual_information[0]) == pytest.approx((1.0, 1.0, 1.0))


def test_no_member_and_a_member_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="no member"):
        ClassMembers((2, 1)).maps()
    with pytest.raises(ValueError, match="shape"):
        RegionMembers((2, 1)).add(np.zeros((3, 1)))


def test_regions_paint_in_their_order_and_outlines_are_votes() -> None:
    probability = np.array([[0.9, 0.9, 0.5], [0.1, 0.8, 0.5]])
    assert region_labels(probability, (7, 3)).tolist() == [7, 3, 0]
    assert votes(np.array([0, 5, 2]), (0, 2, 5)).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_pairwise_dice_and_volumes_add_up_over_blocks() -> None:
    one = np.array([1, 1, 1, 1, 0, 2])
    other = np.array([1, 1, 0, 0, 0, 2])
    third = np.zeros(6, int)
    counts = PairCounts(3, (1, 2, 9))
    for part in (slice(0, 3), slice(3, 6)):
        counts.add_labels([one[part], other[part], third[part]])
    first, second, empty = counts.structures(("a", "b", "c"), voxel_volume_mm3=500.0)
    assert first.volumes_ml == (2.0, 1.0, 0.0)
    assert first.dice == ((0, 1, pytest.approx(4 / 6)), (0, 2, 0.0), (1, 2, 0.0))
    assert first.lowest_pair == (0, 2, 0.0)
    assert second.mean_dice == pytest.approx(1 / 3)
    assert np.isnan(empty.mean_dice)
    assert empty.lowest_pair is None
    assert counts.ranges() == {1: VoxelRange(0, 4), 2: VoxelRange(0, 1), 9: VoxelRange(0, 0)}


def test_overlapping_regions_are_counted_each_by_itself() -> None:
    counts = PairCounts(2, (1, 2))
    counts.add_regions([np.array([[1, 1, 1], [0, 1, 0]], bool), np.array([[1, 1, 0], [0, 1, 1]], bool)])
    whole, core = counts.structures(("whole", "core"), 1000.0)
    assert whole.mean_dice == pytest.approx(4 / 5)
    assert core.mean_dice == pytest.approx(2 / 3)


def test_few_members_have_a_range_and_many_have_percentiles_and_the_name_says_which() -> None:
    assert voxel_range([30, 10]) == VoxelRange(10, 30)
    assert voxel_range(list(range(101))) == VoxelRange(5, 95)
    assert range_name(2, "mask") == "range of the 2 masks"
    assert range_name(20, "fold") == "5th to 95th percentile of the 20 folds"


def test_a_result_of_several_members_comes_through_the_worker_s_files(tmp_path: Path) -> None:
    result = two_blobs()
    counts = PairCounts(2, (5, 12, 20))
    counts.add_labels([result.labels.array, np.roll(result.labels.array, 1, axis=0)])
    rows = counts.structures(("left", "right", "absent"), 3.0)
    members = Members(("a", "b"), "fold", rows, {"mutual_information": result.uncertainty})
    document = json.loads(json.dumps(write_result(replace(result, members=members), tmp_path, "run")))
    back = read_result(document, tmp_path, result.image).members
    assert back is not None
    assert (back.names, back.noun) == (members.names, members.noun)
    assert back.to_json() == members.to_json()
    assert np.isnan(back.structures[2].mean_dice)
    assert np.array_equal(back.maps["mutual_information"].array, result.uncertainty.array)
    assert list(tmp_path.iterdir()) == []
