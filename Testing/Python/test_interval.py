"""The volume range (90 %)."""

import math

from SUREUncertaintyLib.analysis.volume_range import VoxelRange, volume_range_ml


def test_counts_become_millilitres() -> None:
    assert volume_range_ml(1500, VoxelRange(1000, 2000), 0.5) == (0.5, 1.0)


def test_the_range_always_holds_the_volume_of_the_label_map() -> None:
    assert volume_range_ml(100, VoxelRange(20, 60), 10.0) == (0.2, 1.0)
    assert volume_range_ml(100, VoxelRange(120, 160), 10.0) == (1.0, 1.6)


def test_a_missed_structure_can_still_have_a_range() -> None:
    assert volume_range_ml(0, VoxelRange(0, 300), 1.0) == (0.0, 0.3)


def test_without_probabilities_there_is_no_range() -> None:
    assert all(math.isnan(end) for end in volume_range_ml(10, None, 1.0))
