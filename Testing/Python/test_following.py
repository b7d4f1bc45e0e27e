"""The box follows the structure: seven placements give one answer, and what stays open widens map and range."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from SUREUncertaintyLib.arrays.heads import Belief, create_head
from SUREUncertaintyLib.core.roi import Roi, roi_grid, roi_slices
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.disagreement import widened
from SUREUncertaintyLib.inference.following import Placement
from SUREUncertaintyLib.inference.network_regions import plan_regions
from SUREUncertaintyLib.inference.region_merging import Canvas
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.inference.session import LiveSession
from SUREUncertaintyLib.packages.locator import Judgement, Locator
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.report.boxes import box_sentences
from tiny import PointEngine, with_metadata

SIDE = 16.0
MOVES = [(0, 0, 0), (6, 0, 0), (-6, 0, 0), (0, 6, 0), (0, -6, 0), (0, 0, 6), (0, 0, -6)]
BALL_RAS = np.array([-30.0, -26.0, 30.0])


@pytest.fixture
def package(tiny_package: Package) -> Package:
    """The tiny package with a window of 16 mm."""
    box = Roi("Ball", (0.0, 0.0, 0.0), (SIDE, SIDE, SIDE))
    return with_metadata(tiny_package, {"locator": Locator("none", "a ball", (box,), Judgement(0.0, (), 0.5))})


@pytest.fixture(scope="module")
def scan() -> Volume:
    """A ball of 5 mm in air, off the middle, and a small piece of the same kind elsewhere."""
    grid = Grid((56, 60, 64))
    k, j, i = np.ogrid[:56, :60, :64]
    array = 100.0 * ((i - 30) ** 2 + (j - 26) ** 2 + (k - 30) ** 2 <= 25)
    array[36, 33, 37] = 100.0
    return Volume(array.astype(np.float32), grid)


def around(middle: Sequence[float], move: Sequence[float] = (0, 0, 0)) -> Roi:
    low, high = np.asarray(middle) + move - SIDE / 2, np.asarray(middle) + move + SIDE / 2
    return Roi("Ball", tuple(low.tolist()), tuple(high.tolist()))


def run(scan: Volume, package: Package, roi: Roi, follow: bool = True) -> SegmentationResult:
    engine = PointEngine((-8.0, 8.0, 0.0), (4.0, 0.0, -20.0))
    return segment(scan, package, engine, (roi,), follow=follow)  # type: ignore[arg-type]


def test_seven_placements_come_to_rest_on_the_ball_and_give_one_answer(scan: Volume, package: Package) -> None:
    results = [run(scan, package, around(BALL_RAS, move)) for move in MOVES]
    for result in results:
        middle = (np.array(result.rois[0].low) + result.rois[0].high) / 2
        assert middle == pytest.approx(BALL_RAS, abs=0.5)
        assert np.array_equal(result.labels.array, results[0].labels.array)
        found, first = result.structures[0], results[0].structures[0]
        assert (found.volume_ml, found.volume_low_ml) == (first.volume_ml, first.volume_low_ml)
    without = [run(scan, package, around(BALL_RAS, move), follow=False) for move in MOVES]
    assert len({int(np.count_nonzero(result.labels.array)) for result in without}) > 1


def test_the_record_tells_the_box_as_drawn_and_as_used(scan: Volume, package: Package) -> None:
    drawn = around(BALL_RAS, (6, 0, 0))
    (box,) = run(scan, package, drawn).provenance["boxes"]
    assert box["drawn"]["low_ras_mm"] == list(drawn.low)
    assert box["moved_mm"] == pytest.approx(6.0, abs=0.5)
    assert box["runs"] >= 2
    assert box["rests"]
    (sentence,) = box_sentences({"boxes": [box]})
    assert "'Ball' followed the structure by 6.0 mm" in sentence
    assert box_sentences({"boxes": [box | {"moved_mm": 0.0}]}) == []


def test_a_box_with_nothing_in_it_stays(scan: Volume, package: Package) -> None:
    empty = around((-50.0, -50.0, 12.0))
    result = run(scan, package, empty)
    assert result.rois == (empty,)
    assert result.provenance["boxes"][0]["runs"] == 1


def test_a_package_without_a_locator_leaves_boxes_where_they_are(scan: Volume, tiny_package: Package) -> None:
    drawn = around(BALL_RAS, (6, 0, 0))
    result = run(scan, tiny_package, drawn)
    assert result.rois == (drawn,)
    assert "boxes" not in result.provenance


def test_disagreement_is_the_total_variation_where_both_looked() -> None:
    one = Belief(np.array([[0.9, 0.9, 0.9]], np.float32), np.full(3, 0.2, np.float32), np.zeros(3, np.float32))
    one = replace(one, probability=np.array([[0.9, 0.9, 0.5], [0.1, 0.1, 0.5]], np.float32))
    two = replace(
        one,
        probability=np.array([[0.2, 0.2, 0.5], [0.8, 0.8, 0.5]], np.float32),
        uncertainty=np.array([0.1, 0.1, 0.6], np.float32),
    )
    both = widened(one, two, np.array([True, False, True]))
    assert both.uncertainty == pytest.approx([0.7, 0.2, 0.6])
    assert np.array_equal(both.probability, one.probability)


def test_another_placement_widens_the_range_and_the_map_but_not_the_outline(scan: Volume, package: Package) -> None:
    (region,) = plan_regions(scan.grid, package.metadata, (around(BALL_RAS),))
    (aside,) = plan_regions(scan.grid, package.metadata, (around(BALL_RAS, (2, 0, 0)),))
    head = create_head("evidential")
    sure = np.zeros((3, *region.model_grid.shape), np.float32)
    sure[0] = 400.0
    sure[:, 6:10, 6:10, 6:10] = np.array([0.0, 400.0, 0.0], np.float32)[:, None, None, None]
    nothing = np.zeros((3, *aside.model_grid.shape), np.float32)
    nothing[0] = 400.0
    alone, disputed = (Canvas(scan.grid.shape, 3) for _ in range(2))
    alone.paint(region, sure, head)
    disputed.paint(region, sure, head, Placement(aside, nothing, {}))
    value = region.label_set[0].value
    assert np.array_equal(alone.labels, disputed.labels)
    assert (alone.ranges[value].low, alone.ranges[value].high) == (64, 64)
    assert (disputed.ranges[value].low, disputed.ranges[value].high) == (0, 64)
    assert float(disputed.uncertainty[alone.labels == value].min()) > 0.9
    assert float(np.nanmax(disputed.uncertainty[alone.labels == 0])) < 0.1


def turned_about_s(degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def test_on_an_oblique_scan_the_window_lies_in_the_patients_axes_and_the_answer_on_the_scans_grid(
    scan: Volume, package: Package
) -> None:
    turn = turned_about_s(25.0)
    oblique = replace(scan, grid=replace(scan.grid, direction=tuple(turn.ravel().tolist())))
    centre = (oblique.grid.ijk_to_ras @ (30, 26, 30, 1))[:3]
    result = run(oblique, package, around(centre, (3, -2, 0)))
    window = result.provenance["geometry"]["regions"][0]["model_grid"]
    assert np.abs(window["direction_lps"]) == pytest.approx(np.eye(3).ravel(), abs=1e-12)
    assert (np.array(result.rois[0].low) + result.rois[0].high) / 2 == pytest.approx(centre, abs=1.0)
    ball = scan.array > 0
    ball[36, 33, 37] = False
    found = result.labels.array == 1
    assert found[ball].all()
    assert np.argwhere(found).mean(axis=0) == pytest.approx(np.argwhere(ball).mean(axis=0), abs=0.3)


def test_the_pose_of_a_head_turns_the_window_and_small_turns_do_not(scan: Volume, package: Package) -> None:
    (askew,) = plan_regions(scan.grid, package.metadata, (around(BALL_RAS),), turned_about_s(20.0))
    flip = np.diag([-1.0, -1.0, 1.0])
    columns = flip @ np.reshape(askew.model_grid.direction, (3, 3))
    assert columns == pytest.approx(turned_about_s(20.0), abs=1e-12)
    middle = askew.model_grid.ijk_to_ras @ (7.5, 7.5, 7.5, 1.0)
    assert middle[:3] == pytest.approx(BALL_RAS)
    (straight,) = plan_regions(scan.grid, package.metadata, (around(BALL_RAS),), turned_about_s(5.0))
    (plain,) = plan_regions(scan.grid, package.metadata, (around(BALL_RAS),))
    assert straight.model_grid.matches(plain.model_grid)
    assert straight.slices == plain.slices


@pytest.mark.parametrize("is_preview", [False, True], ids=["full", "preview"])
def test_other_intensities_that_come_first_are_analysed_where_the_scan_itself_puts_the_box(
    is_preview: bool, scan: Volume, package: Package
) -> None:
    session = LiveSession(package, "openvino", threads=1)
    session.engine = session._quick = PointEngine((-8.0, 8.0, 0.0), (4.0, 0.0, -20.0))
    drawn = around(BALL_RAS, (6, 0, 0))
    session.open(scan, (drawn,))
    other = np.roll(scan.array, 4, axis=0)
    result = session.preview(other) if is_preview else session.segment(other)
    assert result.rois != (drawn,)
    assert result.rois == run(scan, package, drawn).rois
    assert result.rois != run(scan.with_array(other), package, drawn).rois, "else this tests nothing"


def test_a_part_that_was_cut_out_with_its_box_stays_although_its_structure_is_off_the_middle(
    scan: Volume, package: Package
) -> None:
    """Around it lies nothing that a moved window could see."""
    off = around(BALL_RAS, (4, 0, 0))
    part = Volume(scan.array[roi_slices(scan.grid, off)].copy(), roi_grid(scan.grid, off), "part")
    result = run(part, package, off)
    assert result.rois == (off,)
    assert result.provenance["boxes"][0]["runs"] == 1
    assert np.array_equal(
        result.labels.array, run(scan, package, off, follow=False).labels.array[roi_slices(scan.grid, off)]
    )


def test_a_box_that_is_larger_than_the_window_is_followed_even_where_it_holds_the_scan(
    scan: Volume, package: Package
) -> None:
    low, high = (np.array([-63.4, -59.4, 0.0]) - 0.5).tolist(), [0.4, 0.4, 55.4]
    result = run(scan, package, Roi("Ball", (low[0], low[1], low[2]), (high[0], high[1], high[2])))
    middle = (np.array(result.rois[0].low) + result.rois[0].high) / 2
    assert middle == pytest.approx(BALL_RAS, abs=0.5)
