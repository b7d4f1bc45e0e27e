"""Dice and IoU, with their rules for empty masks."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from SUREUncertaintyLib.metrics.overlap import dice, emptiness, iou

EMPTY = np.zeros((2, 3), dtype=bool)
ONE = np.array([[True, False, False], [False, False, False]])
TWO = np.array([[True, True, False], [False, False, False]])


def test_dice_and_iou_of_a_hand_computed_pair() -> None:
    assert dice(ONE, TWO) == pytest.approx(2 / 3)
    assert iou(ONE, TWO) == pytest.approx(1 / 2)


def test_both_empty_is_undefined_and_one_empty_is_zero() -> None:
    assert np.isnan(dice(EMPTY, EMPTY))
    assert np.isnan(iou(EMPTY, EMPTY))
    assert dice(EMPTY, ONE) == dice(ONE, EMPTY) == 0.0
    assert iou(EMPTY, ONE) == iou(ONE, EMPTY) == 0.0


def test_the_kind_of_emptiness_is_named() -> None:
    assert emptiness(EMPTY, ONE) == "missed"
    assert emptiness(ONE, EMPTY) == "spurious"
    assert emptiness(EMPTY, EMPTY) == "both empty"
    assert emptiness(ONE, TWO) is None


def test_masks_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        dice(ONE, ONE.T)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_dice_and_iou_agree_with_sets(pairs: list[tuple[bool, bool]]) -> None:
    first = {i for i, pair in enumerate(pairs) if pair[0]}
    second = {i for i, pair in enumerate(pairs) if pair[1]}
    a, b = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    if not first | second:
        assert np.isnan(dice(a, b))
        return
    assert dice(a, b) == pytest.approx(2 * len(first & second) / (len(first) + len(second)))
    assert iou(a, b) == pytest.approx(len(first & second) / len(first | second))
