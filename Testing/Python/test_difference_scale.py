"""The scale at which samples differ, on masks whose differences can be counted."""

import numpy as np
import pytest
from SUREUncertaintyLib.metrics.difference_scale import difference_scale, difference_sizes


def masks(count: int, *shape: int) -> np.ndarray:
    return np.zeros((count, *shape), np.uint8)


def test_pieces_are_counted_by_their_pixels_and_touch_at_corners() -> None:
    first, second = masks(2, 8, 8)
    second[0, 0:3] = 1  # a piece of 3
    second[5, 5] = second[6, 6] = 1  # one piece of 2 over a corner
    first[2:4, 6:8] = second[2:4, 6:8] = 1  # no difference
    assert sorted(difference_sizes(first, second)) == [2, 3]
    assert difference_sizes(first, first).size == 0


def test_a_part_that_comes_and_goes_counts_as_a_whole_and_a_rim_as_its_pieces() -> None:
    part = masks(2, 16, 16)
    part[1, 2:7, 2:7] = 1
    assert difference_scale(part) == 25.0
    specks = masks(2, 16, 16)
    specks[1, ::4, ::4] = 1
    assert difference_scale(specks) == 1.0
    both = part.copy()
    both[1, 12, 12] = 1
    assert difference_scale(both) == pytest.approx((25**2 + 1) / 26)


def test_every_pair_counts_with_its_pixels() -> None:
    three = masks(3, 10, 10)
    three[1, 0, 0:4] = 1  # differs from 0 by 4
    three[2, 0, 0:6] = 1  # from 0 by 6, from 1 by 2
    assert difference_scale(three) == pytest.approx((16 + 36 + 4) / 12)
    assert np.isnan(difference_scale(masks(3, 4, 4)))


def test_in_three_dimensions_and_with_one_mask() -> None:
    volume = masks(2, 4, 4, 4)
    volume[0, 1:3, 1:3, 1:3] = 2
    volume[0, 3, 3, 3] = 1
    assert difference_scale(volume) == 9.0
    with pytest.raises(ValueError, match="at least two masks"):
        difference_scale(volume[:1])
