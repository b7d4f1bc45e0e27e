"""The main job on phantoms whose right answer is known: geometry, regions, uncertainty, cancel, memory."""

import json
import tracemalloc
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from SUREUncertaintyLib.analysis.scan_notices import SELECTIVE
from SUREUncertaintyLib.core.errors import Cancelled, InputError, PackageError
from SUREUncertaintyLib.core.roi import Roi, roi_mask, roi_slices
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference import region_merging as canvas
from SUREUncertaintyLib.inference.network_regions import plan_regions
from SUREUncertaintyLib.inference.openvino_engine import OpenVinoEngine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.inference.session import LiveSession
from SUREUncertaintyLib.inference.torch_engine import TorchEngine
from SUREUncertaintyLib.packages.package import Package
from tiny import PATCH, PointEngine, turned_grid, with_metadata

POINTS = PointEngine(slopes=(-20.0, 0.0, 20.0), offsets=(5.0, 0.0, -15.0))
"""Background near 0, shell near 0.5, core near 1."""


@pytest.fixture
def threshold_package(tiny_package: Package) -> Package:
    """The tiny package with intensities 0..2 mapped to 0..1, so that ``POINTS`` finds 0, 1, 2."""
    return with_metadata(tiny_package, {"normalisation": {"kind": "range", "low": 0, "high": 2}})


def ras(grid: Grid) -> np.ndarray:
    """(3, k, j, i) RAS position of every voxel."""
    k, j, i = np.indices(grid.shape)
    return np.tensordot(grid.ijk_to_ras, np.stack([i, j, k, np.ones_like(i)]), 1)[:3]


def onion(
    grid: Grid, outer: float = 9.0, inner: float = 5.0, centre: tuple[float, float, float] = (2, -1, 1)
) -> Volume:
    """Shell of 1 around a core of 2, as float32, anywhere on any grid."""
    distance = np.linalg.norm(ras(grid) - np.reshape(centre, (3, 1, 1, 1)), axis=0)
    return Volume(((distance < outer).astype(np.float32) + (distance < inner)), grid, "onion")


def scan(shape: tuple[int, int, int] = (20, 26, 23), grid: Grid | None = None) -> Volume:
    """Smooth noise, int16, different in every direction."""
    rng = np.random.default_rng(11)
    from scipy.ndimage import gaussian_filter

    array = gaussian_filter(rng.standard_normal(shape), 2) * 3000 + 500
    return Volume(array.astype(np.int16), grid or Grid(shape), "scan")


def turned(volume: Volume, order: tuple[int, ...], flips: tuple[int, ...]) -> Volume:
    """The same voxels at the same places in the patient, stored along other axes."""
    array = np.flip(volume.array.transpose(order), [axis for axis in range(3) if flips[axis] < 0])
    matrix = volume.grid.ijk_to_lps
    columns, origin = [], matrix[:3, 3].copy()
    for new_axis in (2, 1, 0):
        column = matrix[:3, 2 - order[new_axis]]
        if flips[new_axis] < 0:
            origin += column * (array.shape[new_axis] - 1)
        columns.append(column * flips[new_axis])
    spacing = [float(np.linalg.norm(column)) for column in columns]
    direction = np.stack([c / s for c, s in zip(columns, spacing, strict=True)], axis=1)
    return Volume(
        np.ascontiguousarray(array), Grid(array.shape, tuple(spacing), tuple(origin), tuple(direction.ravel()))
    )


def unturned(array: np.ndarray, order: tuple[int, ...], flips: tuple[int, ...]) -> np.ndarray:
    return np.flip(array, [axis for axis in range(3) if flips[axis] < 0]).transpose(np.argsort(order))


def test_a_phantom_is_found_voxel_by_voxel_with_the_uncertainty_of_its_logits(threshold_package):
    volume = onion(Grid((24, 30, 26), origin=(-13, -15, -12)))
    result = segment(volume, threshold_package, POINTS)
    assert result.labels.array.dtype == np.uint8
    assert np.array_equal(result.labels.array, volume.array)
    for value, logits in {0: (5, 0, -15), 1: (-5, 0, -5), 2: (-15, 0, 5)}.items():
        alpha = np.logaddexp(0, np.array(logits, float)) + 1
        p = alpha / alpha.sum()
        where = volume.array == value
        assert result.uncertainty.array[where] == pytest.approx(3 / alpha.sum(), abs=1e-5)
        assert result.entropy.array[where] == pytest.approx(-(p * np.log(p)).sum() / np.log(3), abs=1e-5)
    assert [label.name for label in result.label_set] == ["shell", "core"]
    assert [row.voxels for row in result.structures] == [int((volume.array == v).sum()) for v in (1, 2)]
    assert result.labels.grid == result.uncertainty.grid == volume.grid


@pytest.mark.parametrize("spacing", [None, (1.0, 1.0, 1.0)])
def test_all_48_axis_orders_and_flips_give_the_same_answer(tiny_package, spacing):
    package = with_metadata(tiny_package, {"spacing": spacing})
    engine = OpenVinoEngine(package)
    volume = scan((10, 15, 12), Grid((10, 15, 12), (1.1, 1.4, 1.9), (10, -20, 30)))
    reference = segment(volume, package, engine)
    assert np.unique(reference.labels.array).size == 3
    for order, flips in product(permutations(range(3)), product((1, -1), repeat=3)):
        result = segment(turned(volume, order, flips), package, engine)
        labels = unturned(result.labels.array, order, flips)
        uncertainty = unturned(result.uncertainty.array, order, flips)
        assert uncertainty == pytest.approx(reference.uncertainty.array, abs=1e-3)
        # a voxel on the very edge between two classes may fall to either side
        assert np.count_nonzero(labels != reference.labels.array) <= (0 if spacing is None else 2)


@pytest.mark.parametrize("left_handed", [False, True])
def test_oblique_anisotropic_scans_come_back_to_their_own_voxels(threshold_package, left_handed):
    grid = turned_grid((18, 34, 40), (0.8, 1.0, 1.9), left_handed)
    volume = onion(grid)
    result = segment(volume, threshold_package, POINTS)
    assert result.labels.grid == grid
    for value in (1, 2):
        found, true = result.labels.array >= value, volume.array >= value
        assert 2 * np.count_nonzero(found & true) / (found.sum() + true.sum()) > 0.93
        centre = ras(grid)[:, found].mean(axis=1)
        assert centre == pytest.approx((2, -1, 1), abs=0.15)


@pytest.mark.torch
def test_engines_agree_in_probability_on_an_oblique_anisotropic_scan(tiny_package):
    volume = scan((12, 30, 28), turned_grid((12, 30, 28), (0.9, 1.1, 2.5), left_handed=True))
    one = segment(volume, tiny_package, TorchEngine(tiny_package, "cpu"), keep_probabilities=True)
    other = segment(volume, tiny_package, OpenVinoEngine(tiny_package), keep_probabilities=True)
    assert one.probabilities is not None
    assert other.probabilities is not None
    assert one.probabilities.std() > 0.05
    assert np.abs(one.probabilities - other.probabilities).max() <= 1e-3
    assert np.abs(one.uncertainty.array - other.uncertainty.array).max() <= 1e-3


def test_kept_probabilities_are_those_of_the_maps(tiny_package):
    result = segment(scan(), tiny_package, OpenVinoEngine(tiny_package), keep_probabilities=True)
    p = result.probabilities
    assert p is not None
    assert p.sum(axis=0) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(p.argmax(axis=0), result.labels.array)
    entropy = -(p * np.log(p)).sum(axis=0) / np.log(3)
    assert result.entropy.array == pytest.approx(entropy, abs=1e-5)


def test_volume_ranges_are_counted_from_probabilities(tiny_package):
    result = segment(scan(), tiny_package, OpenVinoEngine(tiny_package), keep_probabilities=True)
    assert result.probabilities is not None
    for channel, row in enumerate(result.structures, start=1):
        p = result.probabilities[channel]
        assert row.volume_low_ml == pytest.approx(np.count_nonzero(p > 0.95) / 1000)
        assert row.volume_high_ml == pytest.approx(np.count_nonzero(p > 0.05) / 1000)
        assert row.volume_low_ml <= row.volume_ml <= row.volume_high_ml


def test_volume_ranges_count_no_voxel_beside_the_box_of_a_region(tiny_package):
    grid = turned_grid((24, 26, 22), (1.0, 1.0, 1.0))
    centre = (grid.ijk_to_ras @ (11, 13, 12, 1))[:3]
    box = Roi("box", tuple(centre - 7), tuple(centre + 7))  # turned against the voxels: its block holds more than it
    result = segment(
        scan(grid.shape, grid), tiny_package, OpenVinoEngine(tiny_package), (box,), keep_probabilities=True
    )
    assert result.probabilities is not None
    inside = roi_mask(grid, box)
    block = roi_slices(grid, box)
    assert not inside.all()
    for channel, row in enumerate(result.structures, start=1):
        p = result.probabilities[channel][block][inside]
        assert row.volume_low_ml == pytest.approx(np.count_nonzero(p > 0.95) / 1000)
        assert row.volume_high_ml == pytest.approx(np.count_nonzero(p > 0.05) / 1000)


def test_a_fitted_volume_probability_of_the_package_is_used(tiny_package):
    raw = {**tiny_package.metadata.raw, "uncertainty": {"volume_probability": 0.6}}
    package = with_metadata(tiny_package, {"raw": raw})
    result = segment(scan(), package, OpenVinoEngine(package), keep_probabilities=True)
    assert result.probabilities is not None
    assert result.structures[0].volume_low_ml == pytest.approx(np.count_nonzero(result.probabilities[1] > 0.6) / 1000)


def test_the_size_of_a_slab_changes_nothing(tiny_package, monkeypatch):
    volume = scan((12, 20, 18), turned_grid((12, 20, 18), (1.1, 0.9, 1.7)))
    engine = OpenVinoEngine(tiny_package)
    whole = segment(volume, tiny_package, engine)
    monkeypatch.setattr(canvas, "SLAB_VOXELS", 500)
    slabs = segment(volume, tiny_package, engine)
    assert np.array_equal(whole.labels.array, slabs.labels.array)
    assert slabs.uncertainty.array == pytest.approx(whole.uncertainty.array, abs=1e-6)
    assert slabs.structures == whole.structures


def test_notices_hear_of_the_grey_values_and_the_edges(threshold_package):
    grid = Grid((24, 30, 26), origin=(-13, -15, -12))
    calm = with_metadata(threshold_package, {"threshold": 0.9})
    assert segment(onion(grid), calm, POINTS).notices == ()
    # without known sizes: a model that is sure of a size is not hurt by other grey values
    strange = replace(calm.metadata.expected, contrast={SELECTIVE[0]: (-99.0, -98.0)}, volume_ml={})
    package = with_metadata(calm, {"expected": strange})
    cut = segment(onion(grid, centre=(12, 0, 0)), package, POINTS)
    assert [notice.code for notice in cut.notices][:2] == ["contrast-unlike-training", "cut-by-image"]


def test_two_regions_continue_label_values_and_leave_the_rest_empty(threshold_package):
    grid = Grid((24, 30, 60), origin=(-30, -15, -12))
    left, right = onion(grid, 8, 4, (-15, 0, 0)), onion(grid, 7, 3, (14, 1, 1))
    volume = left.with_array(left.array + right.array)
    rois = (Roi("left", (-24, -9, -9), (-6, 9, 9)), Roi("right", (6, -8, -8), (22, 10, 10)))
    result = segment(volume, threshold_package, POINTS, rois)
    assert [(label.value, label.name) for label in result.label_set] == [
        (1, "left shell"),
        (2, "left core"),
        (3, "right shell"),
        (4, "right core"),
    ]
    expected = left.array + np.where(right.array > 0, right.array + 2, 0)
    assert np.array_equal(result.labels.array, expected)
    position = ras(grid)
    outside = ~np.logical_or(*[_in_box(position, roi, 1.0) for roi in rois])
    assert outside.any()
    assert not result.labels.array[outside].any()
    assert np.isnan(result.uncertainty.array[outside]).all()
    assert np.isnan(result.entropy.array[outside]).all()
    inside = np.logical_or(*[_in_box(position, roi, 0.0) for roi in rois])
    assert result.uncertainty.array[inside].min() > 0
    assert result.rois == rois
    assert {row.name for row in result.structures} == {label.name for label in result.label_set}


def _in_box(position: np.ndarray, roi: Roi, margin: float) -> np.ndarray:
    low, high = (np.reshape(corner, (3, 1, 1, 1)) for corner in (roi.low, roi.high))
    return np.all((position >= low - margin) & (position <= high + margin), axis=0)


def test_where_regions_overlap_the_more_probable_foreground_wins(tiny_package):
    volume = scan((20, 26, 40))
    engine = OpenVinoEngine(tiny_package)
    rois = (Roi("a", (-30, -26, 0), (-1, 0, 20)), Roi("b", (-39, -20, 0), (-12, 0, 15)))
    both = segment(volume, tiny_package, engine, rois)
    alone = [segment(volume, tiny_package, engine, (roi,), keep_probabilities=True) for roi in rois]
    blocks = [region.slices for region in plan_regions(volume.grid, tiny_package.metadata, rois)]
    masks = []
    for block in blocks:
        mask = np.zeros(volume.grid.shape, bool)
        mask[block] = True
        masks.append(mask)
    shared = masks[0] & masks[1]
    assert shared.sum() > 500
    scores = [np.max(r.probabilities[1:], axis=0) + (r.labels.array > 0) for r in alone]  # type: ignore[index]
    second = masks[1] & (~masks[0] | (scores[1] > scores[0]))
    labels = np.where(second, np.where(alone[1].labels.array > 0, alone[1].labels.array + 2, 0), alone[0].labels.array)
    assert np.array_equal(both.labels.array, labels)
    expected = np.where(second, alone[1].uncertainty.array, alone[0].uncertainty.array)
    assert np.array_equal(both.uncertainty.array, expected, equal_nan=True)
    assert np.unique(labels[shared]).size >= 4


def test_an_oblique_region_is_a_box_in_the_patient_not_in_the_array(threshold_package):
    grid = turned_grid((30, 40, 40), (1, 1, 1))
    roi = Roi("box", (-8, -8, -8), (8, 8, 8))
    result = segment(onion(grid), threshold_package, POINTS, (roi,))
    analysed = np.isfinite(result.uncertainty.array)
    assert analysed[_in_box(ras(grid), roi, 0.0)].all()
    assert not analysed[~_in_box(ras(grid), roi, 1.0)].any()


def test_an_image_smaller_than_the_patch_is_padded_and_comes_back_whole(threshold_package):
    volume = onion(Grid((9, 8, 11), origin=(-5, -4, -4)), 4, 2, (0, 0, 0))
    assert max(volume.grid.shape) < PATCH[0]
    assert np.array_equal(segment(volume, threshold_package, POINTS).labels.array, volume.array)


def test_a_slice_network_runs_slice_by_slice(tiny_planar_package):
    volume = scan((5, 26, 23))
    engine = OpenVinoEngine(tiny_planar_package)
    result = segment(volume, tiny_planar_package, engine)
    assert result.uncertainty_kind == "entropy"
    assert np.array_equal(result.uncertainty.array, result.entropy.array)
    # zscore with fixed numbers makes slices independent of one another
    fixed = with_metadata(tiny_planar_package, {"normalisation": {"kind": "range", "low": -3000, "high": 3000}})
    whole = segment(volume, fixed, engine)
    part = segment(Volume(volume.array[2:4], Grid((2, 26, 23))), fixed, engine)
    assert part.uncertainty.array == pytest.approx(whole.uncertainty.array[2:4], abs=1e-5)


def test_a_single_slice_is_refused_by_a_volume_network(tiny_package):
    with pytest.raises(InputError, match="single slice"):
        segment(scan((1, 20, 20)), tiny_package, POINTS)


def test_a_scan_with_nan_is_refused_before_the_network_runs(tiny_package):
    array = np.zeros((18, 18, 18), np.float32)
    array[3, 3, 3] = np.nan
    engine = PointEngine()
    with pytest.raises(InputError, match="NaN"):
        segment(Volume(array, Grid(array.shape)), tiny_package, engine)
    assert engine.calls == 0


def test_probabilities_of_two_regions_are_refused(tiny_package):
    rois = (Roi("a", (-9, -9, 1), (-1, -1, 9)), Roi("b", (-19, -9, 1), (-11, -1, 9)))
    with pytest.raises(InputError, match="one region"):
        segment(scan(), tiny_package, POINTS, rois, keep_probabilities=True)


def test_too_many_labels_for_one_label_map_are_refused(tiny_package):
    rois = tuple(Roi(str(n), (-9, -9, 1), (-1, -1, 9)) for n in range(128))
    with pytest.raises(InputError, match="255"):
        segment(scan(), tiny_package, POINTS, rois)


def test_a_spacing_that_makes_the_scan_as_large_as_a_house_is_refused_before_memory_runs_out(tiny_package):
    huge = replace(scan(), grid=replace(scan().grid, spacing=(1000.0, 1000.0, 1000.0)))
    with pytest.raises(
        InputError, match=r"The scan covers .* metres \(voxels of 1000 x 1000 x 1000 mm\).*voxel spacing"
    ):
        segment(huge, tiny_package, POINTS)
    corner = huge.grid.ijk_to_ras[:3, 3]
    roi = Roi("spot", tuple(corner - 1.0), tuple(corner + 1.0))
    assert plan_regions(huge.grid, tiny_package.metadata, (roi,))[0].model_grid.shape == (1000, 1000, 1000)


def test_a_model_for_several_images_at_once_is_refused(tiny_package):
    raw = {"network_data_format": {"inputs": {"image": {"num_channels": 4}}}}
    with pytest.raises(PackageError, match="4 images"):
        segment(scan(), with_metadata(tiny_package, {"raw": raw}), POINTS)


def test_cancel_is_heard_at_every_question(tiny_package):
    volume = scan((20, 20, 20))
    questions = []
    segment(volume, tiny_package, PointEngine(), is_cancelled=lambda: bool(questions.append(0)))
    assert len(questions) > 8
    for stop in range(len(questions)):
        answers = iter([False] * stop + [True])
        with pytest.raises(Cancelled):
            segment(volume, tiny_package, PointEngine(), is_cancelled=lambda answers=answers: next(answers))


def test_progress_only_grows_and_ends_at_one(tiny_package):
    told: list[float] = []
    rois = (Roi("a", (-20, -20, 1), (-1, -1, 19)), Roi("b", (-19, -19, 1), (-11, -1, 9)))
    segment(scan(), tiny_package, POINTS, rois, progress=lambda fraction, text: told.append(fraction))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)


def test_two_runs_are_bit_identical_and_the_input_is_untouched(tiny_package):
    volume = scan()
    before = volume.array.tobytes()
    first, second = (segment(volume, tiny_package, OpenVinoEngine(tiny_package)) for _ in range(2))
    assert first.uncertainty.array.tobytes() == second.uncertainty.array.tobytes()
    assert first.labels.array.tobytes() == second.labels.array.tobytes()
    assert volume.array.tobytes() == before
    assert first.regions == second.regions


def test_the_record_is_json_and_names_what_ran(tiny_package):
    engine = OpenVinoEngine(tiny_package, threads=1)
    record = json.loads(json.dumps(segment(scan(), tiny_package, engine).provenance, allow_nan=False))
    assert record["model"]["fingerprint"] == tiny_package.fingerprint
    assert (record["engine"], record["device"], record["threads"]) == ("openvino", "cpu", 1)
    assert record["versions"]["openvino"] == engine.version
    assert set(record["timings_s"]) >= {"prepare", "network", "maps", "tables", "total"}
    assert record["geometry"]["input"]["shape_kji"] == [20, 26, 23]
    assert record["options"]["overlap"] == 0.5


def test_no_array_larger_than_the_evidence_is_made(tiny_package):
    """Evidence is 12 bytes a voxel; image 4, labels 1, two maps 8; slabs and windows are small beside them."""
    volume = scan((96, 96, 96))
    segment(scan((16, 16, 16)), tiny_package, POINTS)  # imports
    tracemalloc.start()
    segment(volume, tiny_package, POINTS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    slab = canvas.SLAB_VOXELS if volume.array.size > canvas.SLAB_VOXELS else volume.array.size
    assert peak < (12 + 4 + 9) * volume.array.size + 64 * slab


def test_a_live_session_keeps_the_scan_and_takes_other_intensities(tiny_package):
    session = LiveSession(tiny_package, "openvino")
    with pytest.raises(InputError, match="No scan is open"):
        session.segment()
    volume = scan()
    roi = Roi("a", (-20, -20, 1), (-1, -1, 19))
    session.open(volume, (roi,))
    noisy = volume.array + np.random.default_rng(0).normal(0, 200, volume.array.shape)
    plain, other, again = session.segment(), session.segment(noisy), session.segment()
    assert np.array_equal(plain.uncertainty.array, again.uncertainty.array, equal_nan=True)
    assert np.nanmax(np.abs(plain.uncertainty.array - other.uncertainty.array)) > 0.01
    assert other.rois == (roi,)
    expected = segment(volume.with_array(noisy), tiny_package, session.engine, (roi,))
    assert np.array_equal(expected.uncertainty.array, other.uncertainty.array, equal_nan=True)
    with pytest.raises(InputError, match="shape"):
        session.segment(noisy[1:])
