"""World coordinates survive every change of grid, and nothing is copied or interpolated that need not be."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from numpy.testing import assert_allclose
from phantoms import all_turns, asymmetric_volume, ramp, tilted_grid
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.geometry import grid_corners, index_map, orientation_code
from SUREUncertaintyLib.core.resampling import from_itk, model_grid, resample, resample_slab, to_itk
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.writing import write_volume

TURNS = list(all_turns())
GRIDS = {
    "straight": Grid((14, 17, 12), (1.0, 1.3, 2.0), (5.0, -8.0, 3.0)),
    "oblique": tilted_grid((14, 17, 12)),
    "left-handed": tilted_grid((14, 17, 12), left_handed=True),
}


def segment_like_a_model(volume: Volume, spacing: tuple[float, float, float] | None) -> np.ndarray:
    """A model that only knows its own grid: a threshold plus an index-dependent cut that a wrong turn would show."""
    grid = model_grid(volume.grid, "RAS", spacing)
    seen = resample(volume, grid).array
    k, j, i = np.indices(seen.shape)
    chosen = (seen > 300) & (2 * i + j < seen.shape[2] + seen.shape[1]) & (k > 1)
    probability = Volume(chosen.astype(np.float32), grid)
    return resample(probability, volume.grid).array > 0.37


@pytest.mark.parametrize("spacing", [None, (1.15, 0.9, 1.6)], ids=["own-spacing", "model-spacing"])
@pytest.mark.parametrize("kind", GRIDS)
def test_all_48_turns_and_flips_give_the_same_mask_in_the_patient(kind, spacing):
    volume = asymmetric_volume(GRIDS[kind])
    expected = segment_like_a_model(volume, spacing)
    assert 0.05 < expected.mean() < 0.6
    for turn in TURNS:
        turned = turn.apply(volume)
        found = segment_like_a_model(turned, spacing)
        assert np.array_equal(turn.undo(found), expected), turn


@pytest.mark.parametrize("kind", GRIDS)
def test_all_48_turns_agree_where_a_voxel_lies_halfway_between_two_others(kind):
    volume = asymmetric_volume(GRIDS[kind])
    half = tuple(s / 2 for s in volume.grid.spacing)
    for turn in TURNS:
        turned = turn.apply(volume)
        grid = model_grid(turned.grid, "RAS", tuple(np.asarray(turned.grid.spacing)[_order(turned.grid)] / 2))
        assert sorted(grid.spacing) == pytest.approx(sorted(half))
        labels = Volume(np.random.default_rng(8).integers(0, 9, grid.shape, np.uint8), grid)
        found = turn.undo(resample(labels, turned.grid, "nearest").array)
        expected = resample(labels, volume.grid, "nearest").array
        assert np.array_equal(found, expected), turn


def _order(grid: Grid) -> list[int]:
    axes = ["RAS"["RLAPSI".index(letter) // 2] for letter in orientation_code(grid)]
    return [axes.index(letter) for letter in "RAS"]


def test_the_phantom_differs_from_each_of_its_other_47_turns():
    volume = asymmetric_volume(Grid((12, 12, 12)))
    turned = [turn.apply(volume).array for turn in TURNS]
    same = sum(np.array_equal(a, turned[0]) for a in turned)
    assert same == 1


@settings(max_examples=25, deadline=None)
@example(  # a direction cosine next to 0
    angles=(0.0, 2.3e-309, 0.0), spacing=(1.0, 1.0, 0.875), wanted=(1.0, 1.0, 1.0), left_handed=False, code="RAS"
)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    spacing=st.tuples(*[st.floats(0.4, 3.0)] * 3),
    wanted=st.tuples(*[st.floats(0.5, 3.0)] * 3),
    left_handed=st.booleans(),
    code=st.sampled_from(["RAS", "LPS", "PIR", "SLA"]),
)
def test_values_linear_in_the_patient_stay_so_on_any_model_grid(angles, spacing, wanted, left_handed, code):
    grid = tilted_grid((12, 14, 16), spacing, angles, left_handed)
    target = model_grid(grid, code, wanted)
    assert orientation_code(target) == code
    found = resample(Volume(ramp(grid), grid), target).array
    # at the border the interpolation clamps and the anti-alias filter reflects, so compare the inside
    step = np.linalg.norm(index_map(target, grid)[:3, :3], axis=1)
    margin = np.ceil(step * (2 + 4 * np.maximum(0, 1 / step - 1) / 2)).astype(int)[::-1]
    if (2 * margin < target.shape).all():
        inside = tuple(slice(m, n - m) for m, n in zip(margin, target.shape, strict=True))
        assert_allclose(found[inside], ramp(target)[inside], atol=2e-3)


def test_a_direction_cosine_next_to_zero_turns_nothing_in_the_scan_or_where_it_goes() -> None:
    straight, odd = (tilted_grid((12, 14, 16), (1.0, 1.0, 0.875), (0.0, angle, 0.0)) for angle in (0.0, 2.3e-309))
    there, back = resample(Volume(ramp(odd), odd), straight), resample(Volume(ramp(straight), straight), odd)
    assert_allclose(there.array, ramp(straight), atol=2e-3)
    assert_allclose(back.array, ramp(odd), atol=2e-3)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".nii.gz"])
@pytest.mark.parametrize("left_handed", [False, True])
def test_geometry_holds_to_1e_5_mm_through_file_model_and_back(tmp_path, suffix, left_handed):
    volume = asymmetric_volume(tilted_grid(left_handed=left_handed))
    write_volume(volume, tmp_path / f"scan{suffix}")
    read = read_volume(tmp_path / f"scan{suffix}")
    assert np.array_equal(read.array, volume.array)
    assert read.array.dtype == np.int16
    back = resample(resample(read, model_grid(read.grid, "RAS", (1.0, 1.0, 1.0))), read.grid)
    assert back.grid == read.grid
    corners = grid_corners(volume.grid.shape[::-1])
    assert_allclose(back.grid.ijk_to_ras @ corners, volume.grid.ijk_to_ras @ corners, atol=1e-5)


def test_a_scan_that_already_fits_the_model_is_used_as_it_is():
    volume = asymmetric_volume(Grid((10, 11, 12), (1.0004, 1.0, 0.9996), direction=(-1, 0, 0, 0, -1, 0, 0, 0, 1)))
    target = model_grid(volume.grid, "RAS", (1.0, 1.0, 1.0))
    assert target == volume.grid
    assert np.shares_memory(resample(volume, target).array, volume.array)


def test_turning_without_new_spacing_copies_nothing_and_keeps_the_dtype():
    volume = asymmetric_volume(GRIDS["left-handed"])
    turned = resample(volume, model_grid(volume.grid, "SRP"))
    assert np.shares_memory(turned.array, volume.array)
    assert turned.array.dtype == np.int16
    assert not turned.array.flags.writeable
    assert np.array_equal(resample(turned, volume.grid).array, volume.array)


def test_an_axis_within_a_thousandth_of_the_wanted_spacing_keeps_its_voxels():
    grid = model_grid(Grid((10, 20, 30), (1.0005, 2.0, 1.0)), "LPS", (1.0, 1.0, 1.0))
    assert grid.spacing == (1.0005, 1.0, 1.0)
    assert grid.shape == (10, 40, 30)


def test_a_model_spacing_of_zero_keeps_the_scans_own():
    grid = model_grid(Grid((10, 20, 30), (1.0, 1.0, 7.0)), "LPS", (2.0, 2.0, 0.0))
    assert grid.spacing == (2.0, 2.0, 7.0)
    assert grid.shape == (10, 10, 15)


@pytest.mark.parametrize("wanted", [(1.0, 1.0, 1.0), (0.7, 2.9, 5.0), (4.0, 4.0, 4.0)])
def test_the_model_grid_covers_the_scan_around_the_same_centre(wanted):
    grid = tilted_grid((9, 30, 41))
    target = model_grid(grid, orientation_code(grid), wanted)
    corners = index_map(grid, target) @ grid_corners(target.shape[::-1])
    low, high = corners[:3].min(axis=1), corners[:3].max(axis=1)
    size = np.array(grid.shape[::-1])
    assert (low <= -0.5 + 1e-3).all()
    assert (high >= size - 0.5 - 1e-3).all()
    assert_allclose((low + high) / 2, (size - 1) / 2, atol=1e-9)
    assert (np.array(target.extent_mm) - np.array(grid.extent_mm) < np.array(target.spacing)).all()


def test_a_region_crops_the_same_lattice():
    grid = Grid((20, 20, 20), (1.0, 1.0, 1.0), direction=(-1, 0, 0, 0, -1, 0, 0, 0, 1))
    roi = Roi("box", (2.6, 3.6, 4.6), (8.4, 9.4, 10.4))
    whole, part = model_grid(grid, "RAS", (0.7, 0.7, 0.7)), model_grid(grid, "RAS", (0.7, 0.7, 0.7), roi)
    offset = index_map(whole, part)[:3, 3]
    assert_allclose(offset, np.rint(offset), atol=1e-9)
    near, far = (part.ijk_to_ras @ grid_corners(part.shape[::-1])[:, [0, -1]])[:3].T
    assert (near <= roi.low).all()
    assert (near > np.array(roi.low) - 0.7).all()
    assert (far >= roi.high).all()
    assert (far < np.array(roi.high) + 0.7).all()
    assert model_grid(grid, "RAS", (1.0, 1.0, 1.0), roi).shape == (6, 6, 6)


@pytest.mark.parametrize("order", ["linear", "nearest"])
@pytest.mark.parametrize("code", ["RAS", "SAR"])
@pytest.mark.parametrize("wanted", [(0.6, 0.9, 1.1), (2.5, 3.0, 4.5)])
def test_slabs_equal_the_same_slices_of_the_whole(order, code, wanted):
    grid = tilted_grid((12, 14, 16))
    array = np.random.default_rng(3).normal(size=grid.shape).astype(np.float32)
    target = model_grid(grid, code, wanted)
    whole = resample(Volume(array, grid), target, order).array
    cuts = [0, 1, target.shape[0] // 2, target.shape[0]]
    slabs = [resample_slab(array, grid, target, a, b, order) for a, b in pairwise(cuts)]
    assert_allclose(np.concatenate(slabs), whole, atol=1e-5)


def test_channels_are_resampled_one_by_one():
    grid, target = Grid((6, 7, 8)), Grid((5, 9, 11), (0.7, 0.7, 0.9), (0.3, 0.2, 0.6))
    array = np.random.default_rng(4).random((3, 6, 7, 8)).astype(np.float32)
    found = resample_slab(array, grid, target, 1, 4)
    assert found.shape == (3, 3, 9, 11)
    assert np.array_equal(found[2], resample_slab(array[2], grid, target, 1, 4))


def test_images_are_smoothed_before_coarse_sampling_and_labels_are_not():
    stripes = np.indices((12, 12, 60))[2] % 2 * np.float32(100)
    grid = Grid((12, 12, 60))
    coarse = model_grid(grid, "LPS", (3.0, 1.0, 1.0))
    image = resample(Volume(stripes, grid), coarse).array[:, :, 3:-3]
    labels = resample(Volume(stripes.astype(np.uint8), grid), coarse, "nearest").array
    assert np.abs(image - 50).max() < 2
    assert set(np.unique(labels)) == {0, 100}
    fine = resample(Volume(stripes, grid), model_grid(grid, "LPS", (1.4, 1.0, 1.0))).array
    assert fine.max() - fine.min() > 70


def test_smoothing_keeps_a_constant_and_the_mean():
    grid = Grid((10, 12, 40))
    coarse = model_grid(grid, "LPS", (4.0, 1.0, 1.0))
    assert_allclose(resample(Volume(np.full(grid.shape, 7, np.int16), grid), coarse).array, 7, rtol=1e-6)
    noise = np.random.default_rng(5).normal(50, 10, grid.shape)
    assert resample(Volume(noise, grid), coarse).array.mean() == pytest.approx(noise.mean(), abs=0.5)


@pytest.mark.parametrize("target", [Grid((6, 7, 8), origin=(-2.0, 0.0, 1.0)), Grid((6, 7, 8), origin=(-2.3, 0.1, 1.2))])
def test_outside_the_scan_the_default_is_given(target):
    volume = Volume(np.full((4, 7, 8), 9, np.int16), Grid((4, 7, 8)))
    found = resample(volume, target, "nearest", -5).array
    assert found.dtype == np.int16
    assert (found[:, :, :2] == -5).all()
    assert (found[3:] == -5).all()
    assert (found[:2, :6, 3:] == 9).all()


def test_a_grid_beside_the_scan_holds_only_the_default():
    volume = Volume(np.ones((4, 4, 4), np.float32), Grid((4, 4, 4)))
    assert (resample(volume, Grid((3, 3, 3), origin=(50.0, 0.0, 0.0)), default=-1).array == -1).all()
    assert (resample(volume, Grid((3, 3, 3), (0.7, 1, 1), origin=(50.0, 0.0, 0.0)), default=-1).array == -1).all()


def test_nearest_keeps_the_values_and_dtype_of_labels():
    labels = np.random.default_rng(6).choice([0, 5, 7, 300], (8, 9, 10)).astype(np.uint16)
    found = resample(Volume(labels, Grid((8, 9, 10))), tilted_grid(), "nearest").array
    assert found.dtype == np.uint16
    assert set(np.unique(found)) <= {0, 5, 7, 300}


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "int64", "float16", "float64"])
def test_every_dtype_can_be_resampled(dtype):
    array = np.zeros((6, 7, 8), dtype)
    array[2:4, 2:5, 3:6] = 1
    found = resample(Volume(array, Grid((6, 7, 8))), Grid((6, 7, 8), (0.9, 0.9, 0.9)))
    assert found.array.dtype == np.float32
    assert found.array.max() == 1


def test_itk_images_round_trip_with_their_geometry():
    volume = asymmetric_volume(GRIDS["left-handed"])
    back = from_itk(to_itk(volume), "again")
    assert back.name == "again"
    assert np.array_equal(back.array, volume.array)
    assert_allclose(back.grid.ijk_to_lps, volume.grid.ijk_to_lps, atol=1e-12)


@pytest.mark.parametrize("code", ["RAX", "RA", "RRS", "", "RASL"])
def test_an_unknown_orientation_is_named(code):
    with pytest.raises(InputError, match=r"orientation .* is not known.*'RAS'"):
        model_grid(Grid((3, 3, 3)), code)


def test_orientation_is_found_at_45_degrees_without_using_an_axis_twice():
    for angles in ((45.0, 0.0, 0.0), (45.0, 45.0, 0.0), (45.0, 35.264, 45.0)):
        code = orientation_code(tilted_grid(angles=angles))
        assert {frozenset("RL") & set(code), frozenset("AP") & set(code), frozenset("SI") & set(code)}
        assert sorted("RAS"["RLAPSI".index(c) // 2] for c in code) == ["A", "R", "S"]
