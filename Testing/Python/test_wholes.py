"""Parts that make up one thing: its volume, its range, both sides and their asymmetry."""

from dataclasses import replace

import numpy as np
import pytest
from package_files import document_of
from SUREUncertaintyLib.analysis.rows import StructureRow
from SUREUncertaintyLib.analysis.volume_range import VoxelRange
from SUREUncertaintyLib.analysis.wholes import (
    Asymmetry,
    WholeCount,
    WholeRow,
    as_drawn,
    asymmetries,
    belonging_entropy,
    whole_rows,
    whole_sentences,
)
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.metadata_parsing import parse_metadata
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.whole import Whole
from tiny import PointEngine, with_metadata

NAN = float("nan")


def part(value: int, name: str, voxels: int) -> StructureRow:
    return StructureRow(value, name, voxels, voxels * 1.0, voxels / 1000, NAN, NAN, 0.1, 0.2, 0.3, 0.4, 0.05)


def two_sides(left: VoxelRange, right: VoxelRange) -> tuple[WholeRow, ...]:
    parts = [
        part(1, "Left front", 100),
        part(2, "Left back", 200),
        part(3, "Right front", 80),
        part(4, "Right back", 120),
    ]
    counts = {
        ("Left", "organ"): WholeCount((1, 2), left, 30.0, 300),
        ("Right", "organ"): WholeCount((3, 4), right, 50.0, 200),
    }
    return whole_rows(counts, parts, 1.0)


def test_a_whole_is_the_sum_of_its_parts_and_both_sides_are_the_sum_of_the_sides() -> None:
    left, right, both = two_sides(VoxelRange(250, 400), VoxelRange(150, 260))
    assert (left.name, left.parts, left.voxels) == ("Left organ", ("Left front", "Left back"), 300)
    assert (left.volume_ml, left.volume_low_ml, left.volume_high_ml) == pytest.approx((0.3, 0.25, 0.4))
    assert (left.mean_uncertainty, right.mean_uncertainty) == pytest.approx((0.1, 0.25))
    assert (both.name, both.voxels, both.volume_ml) == ("Left and right organ", 500, pytest.approx(0.5))
    assert (both.volume_low_ml, both.volume_high_ml) == pytest.approx((0.4, 0.66))
    assert both.mean_uncertainty == pytest.approx((300 * 0.1 + 200 * 0.25) / 500)


def test_the_asymmetry_has_the_sign_of_the_larger_side_and_the_range_of_independent_sides() -> None:
    rows = two_sides(VoxelRange(250, 400), VoxelRange(150, 260))
    (found,) = asymmetries(rows, ["organ"])
    assert found.index == pytest.approx(2 * (0.3 - 0.2) / 0.5)
    assert found.low == pytest.approx((0.1 - np.hypot(0.05, 0.06)) / 0.25)
    assert found.high == pytest.approx((0.1 + np.hypot(0.1, 0.05)) / 0.25)
    assert asymmetries(rows[:1], ["organ"]) == ()


def test_a_range_always_holds_the_volume_that_is_drawn() -> None:
    left = two_sides(VoxelRange(310, 320), VoxelRange(0, 0))[0]
    assert (left.volume_low_ml, left.volume_high_ml) == pytest.approx((0.3, 0.32))


def test_sentences_name_volume_range_and_the_larger_side() -> None:
    rows = two_sides(VoxelRange(250, 400), VoxelRange(150, 260))
    sentences = whole_sentences(rows, asymmetries(rows, ["organ"]))
    assert sentences[0] == "Left organ: 0.30 (0.25 - 0.40) ml"
    assert sentences[3] == "Asymmetry of the organ: +40 % (between +9 and +85 %), the left side is the larger one"
    unknown = Asymmetry("organ", -0.1, NAN, NAN)
    assert whole_sentences((), (unknown,)) == ("Asymmetry of the organ: -10 %, the right side is the larger one",)


def test_edited_parts_change_the_volume_and_take_the_range_away() -> None:
    left = two_sides(VoxelRange(250, 400), VoxelRange(150, 260))[0]
    parts = [part(1, "Left front", 100), part(2, "Left back", 200)]
    assert as_drawn((left,), parts) == (left,)
    (edited,) = as_drawn((left,), [parts[0], part(2, "Left back", 150)])
    assert (edited.voxels, edited.volume_ml) == (250, pytest.approx(0.25))
    assert np.isnan([edited.volume_low_ml, edited.volume_high_ml, edited.mean_uncertainty]).all()


def test_belonging_is_most_uncertain_at_one_half() -> None:
    values = belonging_entropy(np.array([0.0, 0.11, 0.5, 1.0], np.float32))
    assert values == pytest.approx([0.0, 0.49992, 1.0, 0.0], abs=1e-4)


@pytest.fixture
def halves(tiny_package: Package) -> Package:
    """Shell and core make up one ball."""
    whole = Whole("ball", tuple(label.name for label in tiny_package.metadata.foreground))
    changes = {"normalisation": {"kind": "range", "low": 0, "high": 2}, "wholes": (whole,)}
    return with_metadata(tiny_package, changes)


def test_doubt_between_the_parts_does_not_widen_the_whole(halves: Package) -> None:
    """Where the network cannot tell shell from core, both parts are wide and the ball is not."""
    torn = PointEngine(slopes=(-90.0, 70.0, 70.0), offsets=(80.0, -5.0, -5.0))
    array = np.zeros((20, 24, 22), np.float32)
    array[6:14, 8:16, 6:16] = 2.0
    result = segment(Volume(array, Grid(array.shape)), halves, torn)
    (ball,) = result.wholes
    shell, core = result.structures
    assert ball.name == "Ball"
    assert ball.voxels == shell.voxels + core.voxels == int((array > 0).sum())
    assert ball.volume_low_ml > 0.8 * ball.volume_ml
    assert shell.volume_low_ml < 0.1 * ball.volume_ml
    assert core.volume_high_ml > 0.8 * ball.volume_ml
    assert ball.mean_uncertainty < 0.3


def test_both_sides_of_a_scan_are_counted_apart(halves: Package) -> None:
    engine = PointEngine(slopes=(-20.0, 0.0, 20.0), offsets=(5.0, 0.0, -15.0))
    array = np.zeros((16, 16, 40), np.float32)
    array[4:12, 4:12, 4:12] = 2.0
    array[4:12, 4:12, 26:36] = 2.0
    grid = Grid(array.shape)
    volume = Volume(array, grid)
    ends = np.array([(grid.ijk_to_ras @ [i, 0, 0, 1.0])[0] for i in (0, 17, 21, 39)])
    low, high = (grid.ijk_to_ras @ [0, 15, 0, 1.0])[1], (grid.ijk_to_ras @ [0, 0, 15, 1.0])[1:3]
    sides = [sorted(ends[:2]), sorted(ends[2:])]
    rois = [
        Roi(name, (side[0] - 0.4, low - 0.4, -0.4), (side[1] + 0.4, high[0] + 0.4, high[1] + 0.4))
        for name, side in zip(("Right", "Left"), sides if sides[0][0] > sides[1][0] else sides[::-1], strict=True)
    ]
    result = segment(volume, halves, engine, rois)
    by_name = {row.name: row for row in result.wholes}
    assert set(by_name) == {"Left ball", "Right ball", "Left and right ball"}
    assert sorted((by_name["Left ball"].voxels, by_name["Right ball"].voxels)) == [512, 640]
    (asymmetry,) = result.asymmetries
    assert abs(asymmetry.index) == pytest.approx(2 * 128 / 1152)


@pytest.mark.parametrize("parts", [["shell"], "shell", ["shell", "nothing"], [], None])
def test_a_whole_of_unknown_or_too_few_parts_is_refused_by_name(tiny_package: Package, parts: object) -> None:
    document = document_of(tiny_package) | {"wholes": [{"name": "ball", "parts": parts}]}
    with pytest.raises(PackageError, match=r"wholes\[0\]\.parts"):
        parse_metadata(document)


def test_a_scan_outside_of_what_the_model_knows_has_no_range(halves: Package) -> None:
    from SUREUncertaintyLib.inference import segmenter

    row = WholeRow("Ball", ("a", "b"), 10, 1.0, 0.5, 1.5, 0.1)
    engine = PointEngine(slopes=(-20.0, 0.0, 20.0), offsets=(5.0, 0.0, -15.0))
    array = np.zeros((16, 16, 16), np.float32)
    array[4:12, 4:12, 4:12] = 2.0
    result = segment(Volume(array, Grid(array.shape)), halves, engine)
    outside = replace(result, wholes=(row,), asymmetries=(Asymmetry("ball", 0.1, 0.0, 0.2),), notices=_outside())
    kept = segmenter.without_promises(outside)
    assert np.isnan([kept.wholes[0].volume_low_ml, kept.asymmetries[0].high]).all()
    assert (kept.wholes[0].volume_ml, kept.asymmetries[0].index) == (1.0, 0.1)


def _outside() -> tuple:
    from SUREUncertaintyLib.analysis.rows import Notice
    from SUREUncertaintyLib.analysis.verdict import OUTSIDE

    return (Notice(sorted(OUTSIDE)[0], "unlike"),)
