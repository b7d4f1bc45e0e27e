"""Structures that are one piece: the largest stays, the others are background that is known to be uncertain."""

from pathlib import Path

import numpy as np
import pytest
from beating import GRID, grey_engine, heart_package, inside
from numpy.typing import NDArray
from SUREUncertaintyLib.arrays.heads import create_head
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.inference.one_piece import keep_largest_pieces
from SUREUncertaintyLib.inference.preview import preview
from SUREUncertaintyLib.inference.segmenter import segment


def two_bodies() -> Volume:
    """The ball, and a smaller block in a corner of two slices."""
    scan = 60.0 * inside(18.0)
    scan[2:4, 1:6, 1:7] = 60.0
    return Volume(scan.astype(np.float32), GRID)


@pytest.mark.parametrize("head", ["evidential", "softmax"])
def test_pieces_are_counted_with_their_corners_and_the_largest_stays(head: str) -> None:
    reader = create_head(head)
    logits = np.full((3, 4, 6, 6), -4.0, np.float32)
    logits[0] = 4.0

    def put(value: int, *where: slice) -> None:
        logits[(slice(None), *where)] = -4.0
        logits[(value, *where)] = 5.0

    put(1, slice(0, 2), slice(0, 2), slice(0, 2))
    put(1, slice(2, 3), slice(2, 3), slice(2, 3))  # touches at a corner
    put(1, slice(0, 1), slice(5, 6), slice(5, 6))
    put(2, slice(3, 4), slice(0, 6), slice(5, 6))
    belief = reader.belief(keep_largest_pieces(reader.blended(logits), reader))
    found = belief.probability.argmax(0)
    assert (found == 1).sum() == 9
    assert (found == 2).sum() == 6
    assert found[0, 5, 5] == 0
    assert belief.uncertainty[0, 5, 5] > 0.98
    assert belief.probability[1, 0, 5, 5] > 0.3


def test_a_segmentation_keeps_the_ball_and_marks_the_other_body_as_uncertain(tmp_path: Path) -> None:
    plain, one = heart_package(tmp_path / "plain"), heart_package(tmp_path / "one", one_piece=True)
    both, single = (segment(two_bodies(), package, grey_engine()) for package in (plain, one))
    assert np.array_equal(single.labels.array == 1, inside(18.0))
    assert both.labels.array.sum() == single.labels.array.sum() + 60
    block = np.zeros(GRID.shape, bool)
    block[2:4, 1:6, 1:7] = True
    assert (single.uncertainty.array[block] > 0.9).all()
    assert not (both.uncertainty.array[block] > 0.3).any()
    row = single.structures[0]
    voxel_ml = GRID.voxel_volume_mm3 / 1000
    assert row.volume_high_ml >= row.volume_ml + 60 * voxel_ml
    assert row.volume_low_ml <= row.volume_ml


def test_the_preview_of_a_slider_shows_the_same_piece(tmp_path: Path) -> None:
    package = heart_package(tmp_path / "one", one_piece=True)
    assert np.array_equal(preview(two_bodies(), package, grey_engine()).labels.array == 1, inside(18.0))


def test_disturbed_copies_of_the_scan_are_cut_to_one_piece_as_well(tmp_path: Path) -> None:
    package = heart_package(tmp_path / "one", one_piece=True)
    (run,) = segment(two_bodies(), package, grey_engine(), copies=True).measures
    (alone,) = segment(two_bodies().with_array(ball_alone()), package, grey_engine(), copies=True).measures
    (found,), (wanted,) = run.structures.values(), alone.structures.values()
    assert found["unlike_noisy"] == pytest.approx(wanted["unlike_noisy"], abs=0.002)
    assert found["unlike_blurred"] == pytest.approx(wanted["unlike_blurred"], abs=0.002)


def ball_alone() -> NDArray[np.float32]:
    return np.asarray(60.0 * inside(18.0), np.float32)
