"""A label map that has the voxels of its scan in another order is the label map of that scan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from phantoms import all_turns, asymmetric_volume, tilted_grid
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.geometry import crop_grid
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.resampling import on_voxels_of
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.difficulty.case_scale import read_case
from SUREUncertaintyLib.evaluation.cases import single_case
from SUREUncertaintyLib.evaluation.reference_label import read_reference
from SUREUncertaintyLib.files.writing import write_volume

SCAN = asymmetric_volume(tilted_grid((7, 9, 11)))
MASK = SCAN.with_array((SCAN.array > 500).astype(np.uint8))


@pytest.mark.parametrize("turn", all_turns(), ids=str)
def test_every_order_of_the_same_voxels_fits(turn):
    turned = on_voxels_of(turn.apply(MASK), SCAN.grid)
    assert turned is not None
    assert np.array_equal(turned.array, MASK.array)


@pytest.mark.parametrize("change", [{"spacing": (0.8, 1.3, 2.8)}, {"origin": (0.0, 0.0, 0.0)}])
def test_other_voxels_do_not(change):
    assert on_voxels_of(replace(MASK, grid=replace(MASK.grid, **change)), SCAN.grid) is None
    part = crop_grid(MASK.grid, (0, 0, 0), (11, 9, 6))
    assert on_voxels_of(replace(MASK, array=MASK.array[:6], grid=part), SCAN.grid) is None


def test_evaluation_and_difficulty_take_a_flipped_label_map(tmp_path: Path) -> None:
    flip = next(turn for turn in all_turns() if turn.axes == (0, 1, 2) and turn.flips == (-1, 1, -1))
    write_volume(SCAN, tmp_path / "scan.nrrd")
    write_volume(flip.apply(MASK), tmp_path / "label.nrrd")
    case = single_case(tmp_path / "scan.nrrd", tmp_path / "label.nrrd")
    classes = (Label(0, "background", (0, 0, 0)), Label(1, "body", (1, 0, 0)))
    assert np.array_equal(read_reference(case, SCAN, classes), MASK.array)
    assert np.array_equal(read_case(case)[1].array, MASK.array)
    write_volume(replace(MASK, grid=Grid(MASK.grid.shape)), tmp_path / "label.nrrd")
    for read in (lambda: read_reference(case, SCAN, classes), lambda: read_case(case)):
        with pytest.raises(InputError, match="does not lie on the voxels"):
            read()
