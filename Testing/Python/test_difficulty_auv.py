"""AUV and filtering: order, quantiles, patients, classes, and the sentences when nothing is dropped."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from SUREUncertaintyLib.analysis.auv import ALL_EQUAL, NOTHING_DEFINED, auv_range, auv_values, mean_scale
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.difficulty.patient_filter import (
    Scored,
    filter_patients,
    keep_threshold,
    kept_count,
    random_drop,
)

NAN = float("nan")


def cohort(values: list[float]) -> list[Scored]:
    """One scan a patient."""
    return [Scored(f"s{n}", f"p{n}", {"mean": value}) for n, value in enumerate(values)]


def test_auv_runs_from_the_hardest_to_the_easiest_scan() -> None:
    np.testing.assert_allclose(auv_values([0.25, 0.5, 1.0]), [1.0, 0.5, 0.0], atol=1e-12)


def test_equal_scales_give_0_and_a_warning() -> None:
    assert auv_values([0.3, 0.3, 0.3]).tolist() == [0.0, 0.0, 0.0]
    assert auv_range([0.3, 0.3]).warning == ALL_EQUAL
    assert auv_range([NAN]).warning == NOTHING_DEFINED
    assert auv_range([0.2, 0.3]).warning == ""


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=20, unique=True), st.floats(0.01, 100.0))
def test_auv_reverses_the_order_and_ignores_a_common_factor(parts: list[int], factor: float) -> None:
    scales = [part / 10_000 for part in parts]  # floats next to each other have the same logarithm
    values = auv_values(scales)
    order = np.argsort(scales)
    assert (np.diff(values[order]) <= 0).all()
    assert (values.min(), values.max()) == (0.0, 1.0)
    np.testing.assert_allclose(auv_values([factor * scale for scale in scales]), values, atol=1e-9)


def test_an_undefined_scale_has_no_auv_and_does_not_change_the_others() -> None:
    values = auv_values([0.25, NAN, 1.0])
    assert math.isnan(values[1])
    assert values[[0, 2]].tolist() == [1.0, 0.0]
    assert mean_scale([0.2, NAN, 0.4]) == pytest.approx(0.3)
    assert math.isnan(mean_scale([NAN, NAN]))


def test_a_scale_of_0_counts_as_a_tiny_one() -> None:
    np.testing.assert_allclose(auv_values([0.0, 1e-4, 1.0]), [1.0, 0.5, 0.0], atol=1e-12)


def test_a_new_scan_is_clipped_and_flagged_when_it_lies_outside_the_cohort() -> None:
    span = auv_range([0.25, 0.5, 1.0])
    assert span.place(0.5) == (pytest.approx(0.5), False)
    assert span.place(0.1) == (1.0, True)
    assert span.place(2.0) == (0.0, True)


def test_the_auv_of_a_scan_depends_on_the_others_and_its_scale_does_not() -> None:
    assert auv_values([0.25, 0.5])[1] == 0.0
    assert auv_values([0.25, 0.5, 1.0])[1] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("share", "count", "expected"), [(0.95, 20, 19), (0.9, 20, 18), (0.95, 10, 10), (0.55, 100, 55), (0.95, 100, 95)]
)
def test_the_kept_count_follows_the_quantile_rule(share: float, count: int, expected: int) -> None:
    assert kept_count(share, count) == expected
    scans = cohort([(n + 1) / count for n in range(count)])
    assert len(filter_patients(scans, share).keep) == expected


def test_the_threshold_is_the_k_th_smallest_and_ties_with_it_stay() -> None:
    values = [(n + 1) / 20 for n in range(20)]
    assert keep_threshold(values, 0.95) == pytest.approx(0.95)
    values[-1] = values[-2]
    assert len(filter_patients(cohort(values), 0.95).keep) == 20


def test_patients_are_never_split() -> None:
    scans = [Scored(f"s{n}", f"p{n // 2}", {"mean": 0.0}) for n in range(38)]
    scans += [Scored("easy", "hard patient", {"mean": 0.0}), Scored("hard", "hard patient", {"mean": 1.0})]
    found = filter_patients(scans, 0.95)
    assert found.drop == ("easy", "hard")
    assert (found.patients, found.dropped_patients) == (20, 1)
    assert "1 of 20 patients (2 scans)" in found.sentence


def classes() -> list[Scored]:
    values = {"a": (0.1, 0.9), "b": (0.9, 0.1), "c": (0.9, 0.9), "d": (0.1, 0.1)}
    return [Scored(name, name, {"x": x, "y": y}) for name, (x, y) in values.items()]


def test_union_keeps_what_passes_in_any_class_and_intersection_in_every_class() -> None:
    assert filter_patients(classes(), 0.5, "union").keep == ("a", "b", "d")
    assert filter_patients(classes(), 0.5, "intersection").keep == ("d",)
    assert filter_patients(classes(), 0.5, "single", "x").keep == ("a", "d")


def test_a_class_that_a_patient_lacks_is_not_held_against_it() -> None:
    scans = [*classes(), Scored("e", "e", {"x": NAN, "y": 0.1}), Scored("f", "f", {"x": NAN, "y": NAN})]
    assert {"e", "f"} <= set(filter_patients(scans, 0.5, "intersection").keep)


def test_a_quantile_that_drops_nothing_says_so_and_how_many_it_would_take() -> None:
    found = filter_patients(cohort([n / 10 for n in range(10)]), 0.95)
    assert not found.drop
    assert "Nothing is dropped" in found.sentence
    assert "20 patients" in found.sentence


@pytest.mark.parametrize(
    ("share", "combine", "target", "words"),
    [
        (0.0, "scan", None, "share of scans to keep"),
        (1.5, "scan", None, "share of scans to keep"),
        (0.9, "single", "spleen", "No scan has the structure 'spleen'"),
        (0.9, "single", None, "none is named. Name one of"),
        (0.9, "both", None, "Unknown way to combine"),
    ],
)
def test_what_makes_no_sense_is_refused(share: float, combine: str, target: str | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        filter_patients(classes(), share, combine, target)  # type: ignore[arg-type]


def test_the_random_control_drops_as_many_patients_and_another_draw_others() -> None:
    scans = [Scored(f"s{n}", f"p{n // 2}", {"mean": float(n)}) for n in range(80)]
    kept = [random_drop(scans, 4, seed) for seed in range(3)]
    assert all(len(keep) == 72 for keep in kept)
    assert len(set(kept)) == 3
    assert random_drop(scans, 4, 0) == kept[0]
    assert random_drop(scans, 0, 0) == tuple(scan.id for scan in scans)
