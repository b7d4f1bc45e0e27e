"""The table of structures against hand-computed values and a plain re-computation."""

from dataclasses import astuple

import numpy as np
import pytest
from ball import CUBE, LABELS, ball_result
from SUREUncertaintyLib.analysis import structures
from SUREUncertaintyLib.analysis.rows import StructureRow
from SUREUncertaintyLib.analysis.structures import structure_table
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.volume import Grid, Volume


def cube_in_cube() -> tuple[Volume, Volume]:
    """A 3 x 3 x 3 cube of label 1 with uncertainty 0.1 at its centre and 0.7 around it; voxels of 2 x 1 x 0.5 mm."""
    grid = Grid((5, 5, 5), (2.0, 1.0, 0.5))
    labels, uncertainty = np.zeros(grid.shape, np.uint8), np.full(grid.shape, 0.9, np.float32)
    labels[1:4, 1:4, 1:4] = 1
    uncertainty[1:4, 1:4, 1:4] = 0.7
    uncertainty[2, 2, 2] = 0.1
    return Volume(labels, grid), Volume(uncertainty, grid)


def test_a_cube_has_the_values_that_one_counts_by_hand() -> None:
    (row,) = structure_table(*cube_in_cube(), [Label(1, "cube")], threshold=0.5)
    assert (row.value, row.name, row.voxels) == (1, "cube", 27)
    assert row.volume_mm3 == pytest.approx(27.0)
    assert row.volume_ml == pytest.approx(0.027)
    assert row.interior_uncertainty == pytest.approx(0.1)
    assert row.boundary_uncertainty == pytest.approx(0.7)
    assert row.mean_uncertainty == pytest.approx((26 * 0.7 + 0.1) / 27)
    assert row.share_over_threshold == pytest.approx(26 / 27)
    assert row.p95_uncertainty == pytest.approx(0.7, abs=2e-4)


def test_values_agree_with_a_plain_computation_whatever_the_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, (9, 8, 7)).astype(np.uint8)
    labels[2:7, 2:7, 2:6] = 3
    uncertainty = rng.random(labels.shape, dtype=np.float32)
    label_set = [Label(value, str(value)) for value in (1, 2, 3)]
    grid = Grid(labels.shape)
    whole = structure_table(Volume(labels, grid), Volume(uncertainty, grid), label_set, 0.6)
    monkeypatch.setattr(structures, "SLAB_VOXELS", 56)
    slabs = structure_table(Volume(labels, grid), Volume(uncertainty, grid), label_set, 0.6)
    for row, other in zip(whole, slabs, strict=True):
        assert numbers(other) == pytest.approx(numbers(row), nan_ok=True)
        values = uncertainty[labels == row.value]
        assert row.voxels == values.size
        assert row.mean_uncertainty == pytest.approx(values.mean(), rel=1e-6)
        assert row.p95_uncertainty == pytest.approx(np.percentile(values, 95), abs=0.02)
        boundary = plain_boundary(labels, row.value)
        assert row.boundary_uncertainty == pytest.approx(uncertainty[boundary].mean(), rel=1e-6)
        inside = (labels == row.value) & ~boundary
        if inside.any():
            assert row.interior_uncertainty == pytest.approx(uncertainty[inside].mean(), rel=1e-6)


def numbers(row: StructureRow) -> list[float]:
    return [value for value in astuple(row) if not isinstance(value, str)]


def plain_boundary(labels: np.ndarray, value: int) -> np.ndarray:
    """Voxels with a 6-neighbour of another label, by looking at each; outside the image there is no neighbour."""
    boundary = np.zeros(labels.shape, bool)
    for index in np.argwhere(labels == value):
        for axis in range(3):
            for step in (-1, 1):
                beside = index.copy()
                beside[axis] += step
                if 0 <= beside[axis] < labels.shape[axis] and labels[tuple(beside)] != value:
                    boundary[tuple(index)] = True
    return boundary


def test_p95_is_the_exact_percentile_to_the_width_of_a_bin() -> None:
    uncertainty = np.linspace(0, 1, 40**3, dtype=np.float32).reshape(CUBE.shape)
    labels = np.ones(CUBE.shape, np.uint8)
    (row,) = structure_table(Volume(labels, CUBE), Volume(uncertainty, CUBE), [Label(1, "all")], 0.5)
    assert row.p95_uncertainty == pytest.approx(0.95, abs=2e-4)
    assert np.isnan(row.boundary_uncertainty)


def test_a_structure_that_was_not_found_has_a_row_without_numbers() -> None:
    row = structure_table(*cube_in_cube(), [Label(7, "absent")], 0.5)[0]
    assert (row.voxels, row.volume_ml) == (0, 0.0)
    assert np.isnan([row.mean_uncertainty, row.p95_uncertainty, row.share_over_threshold]).all()


def test_labels_beyond_the_label_set_are_ignored() -> None:
    labels = np.full(CUBE.shape, 200, np.uint8)
    labels[:20] = 1
    (row,) = structure_table(Volume(labels, CUBE), Volume(np.zeros(CUBE.shape, np.float32), CUBE), [Label(1, "a")], 0.5)
    assert row.voxels == 20 * 40 * 40


def test_the_halves_of_a_ball_have_half_its_volume() -> None:
    rows = ball_result().structures
    assert [row.name for row in rows] == [label.name for label in LABELS]
    for row in rows:
        assert row.volume_mm3 == pytest.approx(2 / 3 * np.pi * 1000, rel=0.1)
        assert row.boundary_uncertainty > row.interior_uncertainty
