"""A scan over time from frames to its folder, on a ball whose volumes are known."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from beating import GRID, RADII_MM, beating_ball, grey_engine, heart_package, inside, true_ml
from SUREUncertaintyLib.analysis.verdict import CHECK, DO_NOT_USE, Verdict
from SUREUncertaintyLib.cine.cine_folder import LABELS, write_cine
from SUREUncertaintyLib.cine.cine_record import describe_cine
from SUREUncertaintyLib.cine.cine_sentences import fraction_sentence, frame_sentences, phases_status, short_sentences
from SUREUncertaintyLib.cine.segment_frames import segment_frames
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.files.sequence_reading import read_sequence
from SUREUncertaintyLib.report.result_folder import OutputOptions


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return heart_package(tmp_path_factory.mktemp("heart") / "heart")


@pytest.fixture(scope="module")
def result(package):
    return segment_frames(beating_ball(), package, grey_engine())


def test_every_frame_has_the_balls_volume_and_the_phases_are_found(result):
    assert result.volumes == pytest.approx([true_ml(radius) for radius in RADII_MM])
    assert result.phases == (0, 3)
    assert result.structure.name == "cavity"
    assert np.array_equal(result.labels[3], inside(RADII_MM[3]))
    assert [frame.time_ms for frame in result.frames] == [0, 60, 120, 180, 240, 300]
    assert np.isfinite(result.uncertainty).all()


def test_the_fraction_is_that_of_the_balls_and_lies_in_its_interval(result):
    true = 1 - true_ml(RADII_MM[3]) / true_ml(RADII_MM[0])
    assert result.ejection.fraction == pytest.approx(true)
    assert result.ejection.low < true < result.ejection.high


def test_base_and_apex_enter_the_interval(result):
    first, last = result.ejection.end_diastolic.ends
    counts = inside(RADII_MM[0]).sum(axis=(1, 2))
    shown = counts[counts > 0]
    voxel_ml = GRID.voxel_volume_mm3 / 1000
    assert (first, last) == pytest.approx((shown[0] * voxel_ml, shown[-1] * voxel_ml))
    low, high = result.frames[0].volume.whole_range
    assert high - result.volumes[0] > 0.99 * np.hypot(first, last)
    assert low < result.volumes[0] - 0.99 * np.hypot(first, last)


def test_phases_that_a_person_knows_are_taken(package):
    found = segment_frames(beating_ball(), package, grey_engine(), phases=(1, 2))
    assert found.phases == (1, 2)
    assert found.ejection.fraction == pytest.approx(1 - true_ml(RADII_MM[2]) / true_ml(RADII_MM[1]))
    with pytest.raises(InputError, match="no frame 9"):
        segment_frames(beating_ball(), package, grey_engine(), phases=(0, 8))


def test_no_fraction_where_a_frame_shows_nothing_or_nothing_was_calibrated(package, tmp_path):
    empty = segment_frames(beating_ball((20.0, 0.0)), package, grey_engine())
    assert empty.ejection is None
    assert empty.why_none == "No ejection fraction is given: frame 2 shows no cavity."
    plain = heart_package(tmp_path / "plain", {"value": 1})
    assert "calibrated" in segment_frames(beating_ball((20.0, 12.0)), plain, grey_engine()).why_none


def test_no_fraction_where_the_two_phases_lie_in_different_places(package):
    sequence = beating_ball((20.0, 14.0))
    moved = np.roll(sequence.frames[1].array, 14, axis=2)
    found = segment_frames(
        replace(sequence, frames=(sequence.frames[0], sequence.frames[1].with_array(moved))), package, grey_engine()
    )
    assert found.ejection is None
    assert "frame 1 and that of frame 2 do not lie in the same place" in found.why_none


def test_a_frame_that_cannot_be_segmented_is_named(package):
    sequence = beating_ball((20.0, 15.0))
    blank = sequence.frames[1].with_array(np.zeros(GRID.shape, np.float32))
    with pytest.raises(InputError, match="Frame 2 of 2: Every voxel"):
        segment_frames(replace(sequence, frames=(sequence.frames[0], blank)), package, grey_engine())


def test_the_folder_holds_curve_frames_and_both_phases(result, package, tmp_path):
    document = write_cine(result, tmp_path, package)
    assert json.loads((tmp_path / "cine.json").read_text(encoding="utf-8")) == document
    with (tmp_path / "curve.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["volume_ml"]) for row in rows] == pytest.approx(result.volumes, abs=1e-3)
    assert all(float(row["volume_low_ml"]) < float(row["volume_ml"]) < float(row["volume_high_ml"]) for row in rows)
    written = read_sequence(tmp_path / LABELS)
    assert np.array_equal([frame.array for frame in written.frames], result.labels)
    assert written.grid.matches(GRID)
    assert written.times_ms == pytest.approx(result.sequence.times_ms, rel=1e-3)
    for phase in ("end-diastole", "end-systole"):
        assert (tmp_path / phase / "report.json").is_file()
    assert {"curve.png", "phases.png"} <= {path.name for path in tmp_path.glob("*.png")}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert fraction_sentence(document) in page
    assert page.count("data:image/png") == 2


def test_without_pictures_the_numbers_are_complete(result, package, tmp_path):
    write_cine(result, tmp_path, package, OutputOptions(pictures=False))
    assert not list(tmp_path.glob("*.png"))
    assert "data:image" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_frames_below_usable_are_named_with_their_numbers(result):
    frames = list(result.frames)
    frames[1] = replace(frames[1], verdict=Verdict(CHECK, ("The structure is cut.",)))
    frames[4] = replace(frames[4], verdict=Verdict(CHECK, ("The structure is cut.",)))
    frames[5] = replace(frames[5], verdict=Verdict(DO_NOT_USE, ("Nothing was found.",)))
    document = describe_cine(replace(result, frames=tuple(frames)))
    assert document["below_usable"] == [2, 5, 6]
    assert frame_sentences(document) == [
        "Check (2 frames: 2, 5): The structure is cut.",
        "Do not use (frame 6): Nothing was found.",
    ]


def test_a_model_of_no_cavity_gets_a_curve_and_no_fraction(tmp_path):
    package = heart_package(tmp_path / "liver")
    package = replace(package, metadata=replace(package.metadata, cavity=None))
    found = segment_frames(beating_ball(), package, grey_engine())
    assert found.ejection is None
    assert found.why_none == ""
    assert fraction_sentence(describe_cine(found)) == ""


def test_the_worse_of_the_two_phases_is_the_verdict_and_volumes_stand_in_one_sentence(result):
    frames = list(result.frames)
    frames[1] = replace(frames[1], verdict=Verdict(DO_NOT_USE, ("Nothing was found.",)))
    document = describe_cine(replace(result, frames=tuple(frames)))
    assert phases_status(document) == document["frames"][0]["status"], "frame 2 is no phase"
    frames[3] = replace(frames[3], verdict=Verdict(DO_NOT_USE, ("Nothing was found.",)))
    assert phases_status(describe_cine(replace(result, frames=tuple(frames)))) == DO_NOT_USE
    fraction, volumes, phases = short_sentences(describe_cine(result))
    assert fraction.startswith("Ejection fraction ")
    assert fraction.endswith("%).")
    assert volumes.startswith(f"End-diastolic volume {result.volumes[0]:.0f} ml (")
    assert f"end-systolic volume {result.volumes[3]:.0f} ml (" in volumes
    assert phases == "End-diastole is frame 1, end-systole frame 4 of 6."
