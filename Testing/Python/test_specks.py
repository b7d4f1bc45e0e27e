"""The rule about specks in samples, case by case, and a run in which it counts."""

from __future__ import annotations

import numpy as np
import pytest
from SUREUncertaintyLib.analysis.in_samples import InSamples
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.inference.sampling.region_measure import RegionMeasure
from SUREUncertaintyLib.inference.sampling.specks import DrawnSamples, without_specks

SHAPE = (3, 9, 9)


def drawn(**pieces: list[tuple[int, int, int]]) -> np.ndarray:
    """Label channels with pieces by structure, such as ``one=[(0, 1, 1)]``."""
    channels = np.zeros(SHAPE, dtype=np.uint8)
    for name, voxels in pieces.items():
        for place in voxels:
            channels[place] = {"one": 1, "two": 2}[name]
    return channels


ANSWER = drawn(one=[(1, 4, 4), (1, 4, 5)])


def kept(least: int, **pieces: list[tuple[int, int, int]]) -> int:
    return int(np.count_nonzero(without_specks(drawn(**pieces), ANSWER, least)))


def test_a_piece_below_the_least_size_that_misses_the_mean_answer_goes() -> None:
    assert kept(3, one=[(1, 0, 0), (1, 0, 1)]) == 0
    assert kept(2, one=[(1, 0, 0), (1, 0, 1)]) == 2


def test_a_piece_that_lies_on_the_mean_answer_stays_however_small() -> None:
    assert kept(100, one=[(1, 4, 4)]) == 1


def test_a_piece_that_only_touches_the_mean_answer_goes() -> None:
    assert kept(5, one=[(1, 3, 4)]) == 0


@pytest.mark.parametrize("corner", [(1, 3, 3), (2, 5, 6), (0, 4, 4)])
def test_voxels_that_touch_by_a_corner_or_from_slice_to_slice_are_one_piece(corner: tuple[int, int, int]) -> None:
    assert kept(5, one=[(1, 4, 4), (1, 4, 5), corner]) == 3


def test_the_answer_of_another_structure_keeps_nothing() -> None:
    assert kept(2, two=[(1, 4, 4)]) == 0


def test_one_voxel_as_the_least_size_keeps_all() -> None:
    sample = drawn(one=[(0, 0, 0), (2, 8, 8)], two=[(1, 0, 0)])
    assert np.array_equal(without_specks(sample, ANSWER, 1), sample)


def test_the_sample_itself_is_not_changed() -> None:
    sample = drawn(one=[(0, 0, 0)])
    without_specks(sample, ANSWER, 5)
    assert sample[0, 0, 0] == 1


def test_samples_come_back_as_they_were_kept() -> None:
    rng = np.random.default_rng(0)
    samples = [rng.integers(0, 3, SHAPE).astype(np.uint8) for _ in range(3)]
    store = DrawnSamples(SHAPE)
    for sample in samples:
        store.add(sample)
    assert len(store) == 3
    assert all(np.array_equal(a, b) for a, b in zip(store, samples, strict=True))


def measured(lengths: bool = True, thickness: bool = True) -> RegionMeasure:
    """A hundred samples of one structure: n voxels in a row, n from 1 to 5, twenty times each."""
    measure = RegionMeasure(Grid(SHAPE, (0.5, 0.5, 2.0)), 2, lengths, thickness)
    for number in range(100):
        measure.add(drawn(one=[(1, 4, column) for column in range(1 + number % 5)]))
    return measure


def test_sizes_diameters_and_shares_of_samples_that_are_known() -> None:
    measure = measured()
    answer = drawn(one=[(1, 4, 0), (1, 4, 1), (1, 4, 2)])
    (size,) = measure.sizes((Label(7, "row", (1, 0, 0)),), answer, 1.0)
    assert (size.value, size.name, size.voxel_ml) == (7, "row", pytest.approx(0.0005))
    assert (size.interval.low, size.interval.median, size.interval.high) == (1.0, 3.0, 5.0)
    assert [drawn.voxels for drawn in size.drawn[:6]] == [1, 2, 3, 4, 5, 1]
    assert size.axial is not None
    assert size.longest is not None
    assert size.axial.answer == pytest.approx(1.5)
    assert (size.axial.interval.low, size.axial.interval.high) == (pytest.approx(0.5), pytest.approx(2.5))
    assert size.longest.answer == pytest.approx(5**0.5)  # from the top of the first voxel to the bottom of the third
    assert size.in_samples == InSamples(100, 100, (0.0, -2.0, 2.0), 100), "voxel (0, 4, 1) by LPS spacing 0.5, 0.5, 2"
    (share,) = measure.shares()
    assert share[1, 4, :6].tolist() == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2, 0.0])


def test_lengths_that_the_scan_does_not_tell_are_not_given() -> None:
    answer = drawn(one=[(1, 4, 0)])
    label = (Label(7, "row", (1, 0, 0)),)
    (size,) = measured(lengths=False, thickness=False).sizes(label, answer, 1.0)
    assert (size.axial, size.longest) == (None, None)
    assert np.isnan(size.drawn[0].axial_mm)
    (size,) = measured(thickness=False).sizes(label, answer, 1.0)
    assert size.axial is not None
    assert size.longest is None
