"""A cavity that has contracted further: how much is left of it, and what stays where it was."""

from __future__ import annotations

import numpy as np
import pytest
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.training.contraction import REACH, contracted
from SUREUncertaintyLib.training.recipe import AugmentationSection

SIZE, MIDDLE = 128, (60.0, 66.0)
ROWS, COLUMNS = np.indices((SIZE, SIZE), np.float64)
FROM_MIDDLE = np.hypot(ROWS - MIDDLE[0], COLUMNS - MIDDLE[1])


def heart(radii: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """A bright elliptic cavity in a grey slice with a pattern; label 1."""
    cavity = ((ROWS - MIDDLE[0]) / radii[0]) ** 2 + ((COLUMNS - MIDDLE[1]) / radii[1]) ** 2 <= 1
    pattern = 0.2 * np.sin(ROWS / 3) * np.cos(COLUMNS / 4)
    return (2.0 * cavity + pattern).astype(np.float32), cavity.astype(np.uint8)


@pytest.mark.parametrize("radii", [(20.0, 20.0), (24.0, 15.0)])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_a_cavity_keeps_the_square_of_the_share_of_its_area_and_label_and_image_move_together(
    radii: tuple[float, float], share: float
) -> None:
    image, label = heart(radii)
    warped, moved = contracted(image, label, share)
    assert moved.sum() / label.sum() == pytest.approx(share**2, rel=0.15)
    assert np.argwhere(moved).mean(0) == pytest.approx(MIDDLE, abs=0.5)
    bright = warped > 1.0
    assert 2 * (bright & (moved > 0)).sum() / (bright.sum() + moved.sum()) > 0.93
    assert (warped.dtype, moved.dtype, set(np.unique(moved))) == (np.float32, np.uint8, {0, 1})


def test_beyond_its_reach_nothing_moves() -> None:
    image, label = heart((20.0, 20.0))
    warped, moved = contracted(image, label, 0.4)
    beyond = FROM_MIDDLE > REACH * 21.5
    assert warped[beyond] == pytest.approx(image[beyond], abs=1e-5)
    wall = (FROM_MIDDLE > 10) & (FROM_MIDDLE < 30)
    assert np.abs(warped - image)[wall].max() > 0.3
    assert not moved[beyond].any()


def test_the_whole_share_changes_nothing() -> None:
    image, label = heart((24.0, 15.0))
    warped, moved = contracted(image, label, 1.0)
    assert warped == pytest.approx(image, abs=1e-4)
    assert np.array_equal(moved, label)


def test_no_cavity_shrinks_below_what_voxels_can_show() -> None:
    image, label = heart((12.0, 12.0))
    _, moved = contracted(image, label, 0.01)
    assert np.sqrt(moved.sum() / np.pi) == pytest.approx(2.5, abs=0.5)
    tiny, mark = heart((2.2, 2.2))
    assert contracted(tiny, mark, 0.3)[1] is mark
    empty = np.zeros_like(label)
    assert contracted(image, empty, 0.3)[0] is image


def test_a_volume_is_refused() -> None:
    with pytest.raises(InputError, match="networks of slices"):
        contracted(np.zeros((4, 8, 8), np.float32), np.ones((4, 8, 8), np.uint8), 0.5)


def test_several_structures_are_refused_and_one_of_any_value_keeps_it() -> None:
    image, label = heart((20.0, 20.0))
    assert set(np.unique(contracted(image, label * np.uint8(3), 0.5)[1])) == {0, 3}
    label[60:, :] *= 2
    with pytest.raises(InputError, match="for one cavity"):
        contracted(image, label, 0.5)


@pytest.mark.parametrize("shares", [(0.3, 1.5), (0.0, 1.0), (0.9, 0.5)])
def test_shares_that_are_none_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(TypeError, match="two shares of a radius"):
        AugmentationSection(contraction=shares)
