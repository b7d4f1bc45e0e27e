"""One scan among the reference scans of its model: in the run, the report, the tables and the command."""

import csv
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from SUREUncertaintyLib.analysis.difficulty_reference import Reference, read_reference
from SUREUncertaintyLib.analysis.perception_scale import perception_scale
from SUREUncertaintyLib.arrays.heads import create_head
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.difficulty.case_scale import CaseScale
from SUREUncertaintyLib.difficulty.extractors.class_logits import ClassLogits
from SUREUncertaintyLib.difficulty.gate import DamageTest, Gate
from SUREUncertaintyLib.difficulty.table import DifficultyTable, reference_document
from SUREUncertaintyLib.inference import difficulty_assessor as inference_difficulty
from SUREUncertaintyLib.inference.estimation.averaged_engine import single_pass
from SUREUncertaintyLib.inference.segmenter import segment, with_difficulty
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import amend_package
from SUREUncertaintyLib.packages.package_fingerprint import package_fingerprint
from SUREUncertaintyLib.report.difficulty_section import strip
from SUREUncertaintyLib.report.result_folder import OutputOptions, write_results
from tiny import PointEngine, build_tiny, with_metadata
from two_blobs import two_blobs

GRID = Grid((20, 22, 24))
CALM = {"noise": 0.1, "sharpness": 1.0, "volume_ml": 1.0, "cut_share": 0.0}


def scan() -> Volume:
    labels = np.zeros(GRID.shape)
    labels[4:16, 5:17, 6:18], labels[7:13, 8:14, 9:15] = 1, 2
    return Volume((labels * 50 + np.random.default_rng(0).normal(0, 5, GRID.shape)).astype(np.float32), GRID, "scan")


def table(package: Package, scales: list[float], seen: int = 0) -> DifficultyTable:
    header = {"fingerprint": package_fingerprint(package).to_json(), "power": 2, "center": "none"}
    scans = tuple(
        CaseScale(f"s{n}", f"p{n}", scales={"core": scale}, measures=CALM, seen=n < seen)
        for n, scale in enumerate(scales)
    )
    return DifficultyTable(scans, header)


def referenced(package: Package, scales: list[float]) -> Package:
    raw = {**package.metadata.raw, "reference": reference_document(table(package, scales))}
    return with_metadata(package, {"raw": raw})


def reference(scales: list[float]) -> Reference:
    return Reference("x", 2, "none", tuple(scales), (CALM,) * len(scales))


def test_a_scan_gets_its_place_and_the_reasons_in_words() -> None:
    known = reference([n / 100 for n in range(1, 31)])
    found = known.place("scan", {"a": 0.02, "b": 0.03}, {**CALM, "noise": 0.5})
    assert (found.harder_than, found.count, found.outside) == (28, 30, False)
    assert found.sentence == (
        "For this model, it is harder than 28 of 30 scans that it was not trained on: it is noisier than 30 of 30."
    )
    assert 0.0 < found.auv < 1.0
    unexplained = known.place("scan", {"a": 0.001}, CALM)
    assert (unexplained.harder_than, unexplained.auv, unexplained.outside) == (30, 1.0, True)
    assert "cannot be said" in unexplained.sentence
    assert unexplained.summary == ""
    assert (unexplained.to_json()["harder_than"], unexplained.to_json()["auv"]) == (None, None)
    hard = reference([n / 100 for n in range(1, 31)]).place("scan", {"a": 0.0101}, CALM)
    assert "do not explain why" in hard.sentence


def test_every_measure_stands_beside_those_of_the_others() -> None:
    known = Reference("x", 2, "none", tuple(n / 10 for n in range(1, 11)), tuple({"noise": n / 10} for n in range(10)))
    found = known.place("scan", {"a": 0.15}, {"noise": 0.75, "sharpness": 1.0})
    (noise,) = found.measures
    assert (noise.better, noise.count, noise.median, noise.words) == (8, 10, pytest.approx(0.45), "")
    assert (found.others[0], found.summary) == (0.1, "harder than 9 of 10")


def test_the_gates_finding_travels_with_the_reference_in_words(tiny_package: Package) -> None:
    plain = table(tiny_package, [n / 100 for n in range(1, 21)])
    tests = tuple(
        DamageTest(kind, False, 8, 40, *numbers)
        for kind, numbers in {"blur": (0.9, 0.8, 1.0), "noise": (0.1, 0.0, 0.2), "motion": (0.6, 0.4, 0.8)}.items()
    )
    tested = replace(plain, header={**plain.header, "gate": Gate(tests).to_json()})
    found = read_reference(reference_document(tested))
    assert found is not None
    assert "finds blur (0.90); it does not reliably find motion (0.60)" in found.caution
    assert "points the wrong way for noise (0.10)" in found.caution
    untested = read_reference(reference_document(plain))
    assert untested is not None
    assert "Nobody has tested" in untested.place("scan", {"a": 0.1}, CALM).caution


def test_the_region_without_a_place_is_named_where_another_has_one() -> None:
    known = reference([n / 100 for n in range(1, 31)])
    placed, lost = known.place("Right", {"left blob": 0.02}, CALM), known.place("Left", {"left blob": 0.001}, CALM)
    result = two_blobs()
    (one,) = with_difficulty(replace(result, notices=()), (lost, placed)).notices
    assert one.text.startswith("The network's maps of this scan in the region Left are unlike")
    (both,) = with_difficulty(replace(result, notices=()), (lost, lost)).notices
    assert both.text.startswith("The network's maps of this scan are unlike")
    assert with_difficulty(replace(result, notices=()), (placed, placed)).notices == ()


def test_the_strip_marks_the_scan_between_easy_and_hard_also_outside_the_range() -> None:
    known = reference([0.1, 0.2, 0.4])

    def mark(scale: float) -> float:
        drawn = strip(known.place("scan", {"a": scale}, CALM).to_json())
        assert drawn.count("<circle") == 3
        return float(re.findall(r'class="own" x="([\d.]+)"', drawn)[0])

    assert mark(0.2) == pytest.approx(360.0, abs=0.1)
    assert mark(0.4) < mark(0.2) < mark(0.1) < mark(0.001) < 720
    assert strip(reference([0.2, 0.2]).place("scan", {"a": 0.2}, CALM).to_json()) == ""


def test_an_undefined_scale_says_so_and_is_no_number_in_json() -> None:
    found = reference([0.1, 0.2]).place("scan", {"a": math.nan}, CALM)
    assert "could not be measured" in found.sentence
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert (document["scale"], document["scales"]) == (None, {"a": None})


def test_the_reference_holds_only_scans_that_the_network_was_not_trained_on(tiny_package: Package) -> None:
    document = reference_document(table(tiny_package, [n / 100 for n in range(1, 21)], seen=8))
    assert len(document["scans"]) == 12
    assert read_reference(document) is not None
    with pytest.raises(InputError, match="10 or more scans"):
        reference_document(table(tiny_package, [n / 100 for n in range(1, 21)], seen=15))
    for broken in (None, {"schema": "other"}, {**document, "scans": [{}]}):
        assert read_reference(broken) is None


def test_the_run_measures_the_same_scale_as_the_extractor_and_changes_nothing_else(tiny_package: Package) -> None:
    package = referenced(tiny_package, [n / 100 for n in range(1, 21)])
    plain, placed = segment(scan(), tiny_package, PointEngine()), segment(scan(), package, PointEngine())
    (found,) = placed.difficulty
    extracted = {m.name: perception_scale(m.matrix).value for m in ClassLogits(package, PointEngine()).extract(scan())}  # type: ignore[arg-type]
    assert found.scales == pytest.approx(extracted)
    assert [row.perception_scale for row in placed.structures] == pytest.approx(list(extracted.values()))
    assert plain.difficulty == ()
    np.testing.assert_array_equal(plain.labels.array, placed.labels.array)
    np.testing.assert_array_equal(plain.uncertainty.array, placed.uncertainty.array)
    assert math.isnan(plain.structures[0].perception_scale)


def test_every_region_is_judged_on_its_own(tiny_package: Package) -> None:
    package = referenced(tiny_package, [n / 100 for n in range(1, 21)])
    rois = [Roi("left", (-20.0, -20.0, 1.0), (-1.0, -1.0, 18.0)), Roi("right", (-23.0, -21.0, 0.0), (-2.0, 0.0, 15.0))]
    found = segment(scan(), package, PointEngine(), rois).difficulty
    assert [case.region for case in found] == ["left", "right"]
    assert set(found[0].scales) == {"left shell", "left core"}
    assert found[0].scale != found[1].scale


def test_a_region_whose_logits_are_too_large_to_keep_is_segmented_all_the_same(
    tiny_package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = referenced(tiny_package, [n / 100 for n in range(1, 21)])
    needed = 4 * int(np.prod(GRID.shape)) * 2  # float32 logits of two structures
    found = {}
    for limit in (needed, needed - 1):
        monkeypatch.setattr(inference_difficulty, "MEMORY_BYTES", limit)
        found[limit] = segment(scan(), package, PointEngine())
    fits, too_large = found[needed], found[needed - 1]
    assert set(fits.difficulty[0].scales) == {"shell", "core"}
    assert too_large.difficulty == ()
    np.testing.assert_array_equal(fits.labels.array, too_large.labels.array)
    np.testing.assert_array_equal(fits.uncertainty.array, too_large.uncertainty.array)
    assert math.isnan(too_large.structures[0].perception_scale)


def test_a_table_of_other_weights_or_settings_is_not_used(tiny_package: Package) -> None:
    package = referenced(tiny_package, [n / 100 for n in range(1, 21)])
    other = with_metadata(package, {"overlap": 0.25})
    assert segment(scan(), other, PointEngine()).difficulty == ()


def test_an_estimator_gives_no_difficulty_since_its_logits_are_not_the_networks(tiny_package: Package) -> None:
    package = referenced(tiny_package, [n / 100 for n in range(1, 21)])
    softmax = single_pass(PointEngine(), create_head(package.metadata.head))
    assert softmax.passes == 1
    assert segment(scan(), package, softmax).difficulty == ()
    assert len(segment(scan(), package, PointEngine()).difficulty) == 1


def test_a_package_keeps_its_fingerprint_of_difficulty_when_the_table_is_stored_in_it(tmp_path: Path) -> None:
    package = build_tiny(tmp_path / "tiny")
    amended = amend_package(package, {"reference": reference_document(table(package, [n / 100 for n in range(1, 21)]))})
    assert amended.fingerprint != package.fingerprint
    assert package_fingerprint(amended) == package_fingerprint(package)
    assert len(segment(scan(), amended, PointEngine()).difficulty) == 1


def test_report_and_tables_show_the_place(tiny_package: Package, tmp_path: Path) -> None:
    package = referenced(tiny_package, [n / 40 for n in range(1, 21)])
    result = segment(scan(), package, PointEngine())
    for name in ("out", "bare"):
        (tmp_path / name).mkdir()
    document = write_results(result, tmp_path / "out", package, OutputOptions(pictures=False))
    assert document["difficulty"][0]["sentence"] == result.difficulty[0].sentence
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "How hard is this scan for the model?" in page
    assert f"{result.difficulty[0].scale:.3f}" in page
    with (tmp_path / "out" / "structures.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0]["difficulty"] == result.difficulty[0].summary != ""
    assert 'class="strip"' in page
    assert "What can make a scan hard" in page
    assert float(rows[0]["perception_scale"]) == pytest.approx(result.structures[0].perception_scale, rel=1e-6)
    bare = replace(result, difficulty=())
    write_results(bare, tmp_path / "bare", package, OutputOptions(pictures=False))
    assert "How hard is this scan" not in (tmp_path / "bare" / "report.html").read_text(encoding="utf-8")
