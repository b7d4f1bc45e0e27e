"""Ejection fractions whose right answer is known, and what their intervals have to hold."""

import math

import numpy as np
import pytest
from SUREUncertaintyLib.analysis.ejection_fraction import (
    CavityVolume,
    cavity_slices,
    ejection,
    end_slices,
    find_phases,
    outline_factor,
)


def test_volumes_and_fraction_of_two_frames():
    found = ejection(CavityVolume(120.0, 110.0, 130.0), CavityVolume(48.0, 44.0, 54.0), 1.0)
    assert found.stroke_volume == pytest.approx(72.0)
    assert found.fraction == pytest.approx(0.6)
    ed, es = math.log(130 / 110) / 2, math.log(54 / 44) / 2
    spread = math.hypot(es - ed, 0.1 * ed, 0.1 * es)
    assert found.low == pytest.approx(1 - 0.4 * math.exp(spread))
    assert found.high == pytest.approx(1 - 0.4 * math.exp(-spread))


def test_outlines_that_err_alike_hardly_change_the_fraction():
    alike = ejection(CavityVolume(120.0, 100.0, 144.0), CavityVolume(60.0, 50.0, 72.0), 1.0)
    apart = ejection(CavityVolume(120.0, 119.0, 121.0), CavityVolume(60.0, 50.0, 72.0), 1.0)
    assert alike.high - alike.low < 0.2 * (apart.high - apart.low)


def test_the_factor_scales_the_outlines_and_not_the_end_slices():
    ed, es = CavityVolume(120.0, 110.0, 130.0, (12.0, 3.0)), CavityVolume(48.0, 44.0, 54.0, (6.0, 1.0))
    ends = math.hypot(math.hypot(12, 3) / 120, math.hypot(6, 1) / 48)
    certain = ejection(ed, es, 0.0)
    assert certain.high == pytest.approx(1 - 0.4 * math.exp(-ends))
    widths = [ejection(ed, es, factor).high - ejection(ed, es, factor).low for factor in (0.0, 0.5, 2.0)]
    assert widths == sorted(widths)
    assert ejection(CavityVolume(120.0, 110.0, 130.0), CavityVolume(48.0, 44.0, 54.0), 0.0).low == pytest.approx(0.6)


def test_the_interval_never_reaches_beyond_a_cavity_that_empties():
    found = ejection(CavityVolume(100.0, 40.0, 160.0, (20.0, 9.0)), CavityVolume(5.0, 1.0, 40.0, (4.0, 2.0)), 3.0)
    assert found.high < 1.0
    assert found.low < found.fraction < found.high


def test_the_range_of_a_volume_holds_an_end_slice_and_never_falls_below_nothing():
    low, high = CavityVolume(100.0, 95.0, 108.0, (12.0, 0.0)).whole_range
    assert low == pytest.approx(100 - 13)
    assert high == pytest.approx(100 + math.hypot(8, 12))
    assert CavityVolume(5.0, 1.0, 9.0, (5.0, 5.0)).whole_range[0] == 0.0


def test_the_fitted_factor_holds_its_share_of_new_patients():
    random = np.random.default_rng(3)
    held = []
    for _ in range(400):
        spreads = random.uniform(0.05, 0.2, 20)
        errors = random.normal(0, 0.4, 20) * spreads
        factor = outline_factor(errors, spreads)
        new = random.normal(0, 0.4, 200)
        held.append(np.mean(np.abs(new) <= factor))
    assert 0.88 < np.mean(held) < 0.94


def test_few_tuning_patients_take_the_largest_factor():
    assert outline_factor([0.01, -0.05, 0.02], [0.1, 0.1, 0.1]) == pytest.approx(0.5)


def test_planes_and_ends_are_counted_across_any_axis():
    labels = np.zeros((5, 4, 6), np.uint8)
    labels[1:4, 1:3, 2:5] = 1
    labels[2, 0, 0] = 2
    assert cavity_slices(labels, 1, 0).tolist() == [0, 6, 6, 6, 0]
    assert cavity_slices(labels, 1, 2).tolist() == [0, 0, 6, 6, 6, 0]
    assert end_slices(cavity_slices(labels, 1, 0)) == (6, 6)
    assert end_slices(np.array([0, 7, 0])) == (7, 0)
    assert end_slices(np.array([9])) == end_slices(np.zeros(4, int)) == (0, 0)


def test_one_frame_out_of_line_is_not_taken_for_a_phase():
    volumes = [100, 98, 80, 60, 45, 40, 42, 60, 85, 97]
    assert find_phases(volumes) == (0, 5)
    volumes[2] = 190  # a frame that failed
    volumes[8] = 3
    assert find_phases(volumes) == (1, 5)
    assert find_phases([50, 90]) == (1, 0)
