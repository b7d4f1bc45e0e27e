"""A cohort from files: table, gate, lists, page; resumed, broken, tiny and mixed ones."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from SUREUncertaintyLib.analysis.image_measures import measure_scan, reasons
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.errors import Cancelled, InputError, OutputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.difficulty import cohort
from SUREUncertaintyLib.difficulty.case_scale import CaseScale, Job, ScaleOptions, run_job
from SUREUncertaintyLib.difficulty.cohort import CohortOptions
from SUREUncertaintyLib.difficulty.cohort_folder import FilterOptions, assess_cohort
from SUREUncertaintyLib.difficulty.damage import damage_image, damage_labels
from SUREUncertaintyLib.difficulty.extractors.registry import ExtractorOptions
from SUREUncertaintyLib.difficulty.table import DifficultyTable, join_tables, read_table
from SUREUncertaintyLib.evaluation.cases import Case, read_cases
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import amend_package
from tiny import build_tiny

GRID = Grid((14, 16, 18))
KNOWN = {1: "shell", 2: "core", 3: "absent"}


def write_scans(folder: Path, count: int, seed: int = 0) -> Path:
    """Scans s0, s1, ... of a box whose size grows with the number; two scans a patient."""
    rows = ["image,label,id,group"]
    for number in range(count):
        labels = np.zeros(GRID.shape, np.uint8)
        labels[3:11, 3 : 6 + number % 9, 3:14] = 1
        labels[5:8, 4:6, 5:9] = 2
        noise = np.random.default_rng([seed, number]).normal(0, 5, GRID.shape)
        write_volume(Volume((100 + 50 * labels + noise).astype(np.float32), GRID), folder / f"s{number}.nrrd")
        write_volume(Volume(labels, GRID), folder / f"l{number}.nrrd")
        rows.append(f"s{number}.nrrd,l{number}.nrrd,s{number},p{number // 2}")
    (folder / "CASES.csv").write_text("\n".join(rows) + "\n")
    return folder / "CASES.csv"


def options(name: str = "control-volume", **changes: object) -> CohortOptions:
    return replace(CohortOptions(ExtractorOptions(name, known=KNOWN), gate=False, workers=1), **changes)  # type: ignore[arg-type]


@pytest.fixture
def cases(tmp_path: Path) -> tuple[Case, ...]:
    return read_cases(write_scans(tmp_path, 6))


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_cohort_is_scored_ranked_and_listed(cases: tuple[Case, ...], tmp_path: Path) -> None:
    output = tmp_path / "out"
    found = assess_cohort(cases, output, options(), FilterOptions((0.6,), "single", "shell"))
    assert found.kept[0].drop == ("s0", "s1")
    rows = {(row["id"], row["structure"]): row for row in read_rows(output / "auv.csv")}
    assert rows["s0", "absent"]["valid"] == "no"
    assert rows["s0", "absent"]["reason"] == "the structure is absent"
    assert float(rows["s5", "shell"]["S"]) == pytest.approx(math.log1p(8 * 8 * 11 - 24))
    assert {name: rows[name, "mean"]["kept_0.6"] for name in ("s0", "s1", "s2")} == {
        "s0": "no",
        "s1": "no",
        "s2": "yes",
    }
    assert (float(rows["s0", "mean"]["auv"]), float(rows["s5", "mean"]["auv"])) == (1.0, 0.0)
    assert [row["id"] for row in read_rows(output / "ranking.csv")] == ["s0", "s1", "s2", "s3", "s4", "s5"]
    assert [row["id"] for row in read_rows(output / "drop_0.6.csv")] == ["s0", "s1"]
    assert [case.id for case in read_cases(output / "keep_0.6.csv")] == ["s2", "s3", "s4", "s5"]
    assert all(len(read_rows(output / f"keep_0.6_random_{seed}.csv")) == 4 for seed in range(3))
    page = (output / "difficulty.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 6
    assert "the structure is smaller than in 5 of 5" in page
    assert "No scan has the structure &#x27;absent&#x27;" in page
    assert "<script" not in page


def test_a_table_is_read_back_as_it_was(cases: tuple[Case, ...], tmp_path: Path) -> None:
    found = assess_cohort(cases, tmp_path / "out", options(), FilterOptions())
    table = read_table(tmp_path / "out")
    assert table.header["fingerprint"]["name"] == "control-volume"
    assert table.header["gate"] is None
    np.testing.assert_equal(table.scans[2].to_json(), found.scored.table.scans[2].to_json())
    assert table.scored()[0].auv["shell"] == 1.0
    with pytest.raises(InputError, match="no difficulty table"):
        read_table(tmp_path)


def test_tables_of_different_extractors_are_never_mixed(tmp_path: Path) -> None:
    def table(name: str, scan: str, power: int = 2) -> DifficultyTable:
        header = {"fingerprint": {"name": name, "digest": name}, "power": power, "center": "none"}
        return DifficultyTable((CaseScale(scan, scan, scales={"x": 0.5}),), header)

    assert [scan.id for scan in join_tables([table("a", "1"), table("a", "2")]).scans] == ["1", "2"]
    for other in (table("b", "2"), table("a", "2", power=1)):
        with pytest.raises(InputError, match="different networks"):
            join_tables([table("a", "1"), other])
    with pytest.raises(InputError, match="more than one"):
        join_tables([table("a", "1"), table("a", "1")])


def test_one_broken_scan_never_stops_the_rest(cases: tuple[Case, ...], tmp_path: Path) -> None:
    cases[1].image.write_bytes(b"no scan")
    cases[3].label.unlink()  # type: ignore[union-attr]
    found = assess_cohort(cases, tmp_path / "out", options(workers=2), FilterOptions((0.6,)))
    assert found.scored.n_failed == 2
    broken = {scan.id: scan.error for scan in found.scored.table.scans if scan.error}
    assert set(broken) == {"s1", "s3"}
    assert "does not exist" in broken["s3"]
    assert broken["s3"].split(".")[0] in (tmp_path / "out" / "difficulty.html").read_text(encoding="utf-8")
    assert {"s0", "s2"} <= {row["id"] for row in read_rows(tmp_path / "out" / "ranking.csv")}


def test_a_stopped_cohort_goes_on_where_it_was(
    cases: tuple[Case, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, scored = tmp_path / "out", []

    def counted(job: Job) -> CaseScale:
        scored.append(job.case.id)
        return run_job(job)

    monkeypatch.setattr(cohort, "run_job", counted)
    with pytest.raises(Cancelled, match="goes on from there"):
        assess_cohort(cases, output, options(), FilterOptions(), is_cancelled=lambda: len(scored) == 4)
    assert not output.exists()
    assess_cohort(cases, output, options(), FilterOptions())
    assert scored == ["s0", "s1", "s2", "s3", "s4", "s5"]
    assert len(read_rows(output / "ranking.csv")) == 6
    assert not list(tmp_path.glob(".out*"))


def test_a_folder_in_use_is_found_out_before_anything_is_scored(cases: tuple[Case, ...], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(OutputError):
        assess_cohort(cases, tmp_path / "out", options("no such extractor"), FilterOptions())


def test_a_list_that_asks_to_search_is_refused_by_name(cases: tuple[Case, ...], tmp_path: Path) -> None:
    listed = (cases[0], replace(cases[1], roi=" Auto "))
    with pytest.raises(InputError, match=f"roi of the case {cases[1].id} says auto.*searches for no region"):
        assess_cohort(listed, tmp_path / "out", options(), FilterOptions())
    assert not (tmp_path / "out").exists()


def test_the_gate_damages_images_and_for_label_readers_labels_too(cases: tuple[Case, ...], tmp_path: Path) -> None:
    dice = {f"s{number}": 0.5 + number / 20 for number in range(6)}
    found = assess_cohort(cases, tmp_path / "out", options(gate=True, dice=dice), FilterOptions())
    gate = found.scored.gate
    assert gate is not None
    assert [test.kind for test in gate.damage] == ["blur", "noise", "motion", "boundary-shift", "missing-part"]
    assert [test.of_labels for test in gate.damage] == [False, False, False, True, True]
    assert gate.volume_correlation == pytest.approx(-1.0)
    assert gate.dice_correlation == pytest.approx(1.0)
    header = json.loads((tmp_path / "out" / "auv.json").read_text(encoding="utf-8"))
    assert header["gate"]["status"] in ("valid", "inverted", "uninformative")
    assert "mostly drops small structures" in (tmp_path / "out" / "validity.txt").read_text(encoding="utf-8")


def test_a_label_free_extractor_says_that_it_cannot_see_damaged_labels(cases: tuple[Case, ...], tmp_path: Path) -> None:
    found = assess_cohort(cases, tmp_path / "out", options("control-random", gate=True), FilterOptions())
    assert found.scored.gate is not None
    assert [test.kind for test in found.scored.gate.damage] == ["blur", "noise", "motion"]
    assert any("cannot see damaged ones" in sentence for sentence in found.sentences)


def test_the_scale_of_a_scan_does_not_depend_on_the_cohort(
    cases: tuple[Case, ...], tmp_path: Path, tiny_package: Package
) -> None:
    wanted = options(str(tiny_package.root))
    both = [
        assess_cohort(part, tmp_path / name, wanted, FilterOptions()).scored.table.scans[0]
        for name, part in (("all", cases), ("two", cases[:2]))
    ]
    assert both[0] == both[1]
    assert set(both[0].scales) == set(both[0].volumes_ml) == {"shell", "core"}


def test_the_command_writes_the_folder_and_says_what_happened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = write_scans(tmp_path, 6)
    fixed = ["difficulty", "--cases", str(cases), "--output", str(tmp_path / "out"), "--workers", "1"]
    assert run([*fixed, "--extractor", "control-volume", "--keep", "0.9"]) == 0
    printed = capsys.readouterr().out
    assert "Nothing is dropped: 90% of 3 patients" in printed
    assert "At this share the first patient is dropped from 10 patients on." in printed
    assert run([*fixed, "--extractor", "control-volume", "--overwrite", "--combine", "both"]) == 2
    assert run([*fixed, "--extractor", "timm", "--checkpoint", "gone.pt", "--overwrite"]) == 2
    assert "gone.pt" in capsys.readouterr().err
    (tmp_path / "s1.nrrd").unlink()
    assert run([*fixed, "--extractor", "control-volume", "--overwrite", "--no-gate"]) == 3
    assert "failed: s1:" in capsys.readouterr().out


def test_a_one_slice_scan_is_left_out_with_its_reason(tmp_path: Path) -> None:
    image = np.random.default_rng(0).normal(size=(1, 16, 18)).astype(np.float32)
    write_volume(Volume(image, Grid(image.shape)), tmp_path / "flat.nrrd")
    write_volume(Volume((image > 0).astype(np.uint8), Grid(image.shape)), tmp_path / "label.nrrd")
    case = Case(tmp_path / "flat.nrrd", tmp_path / "label.nrrd", "flat", "flat")
    found = run_job(Job(case, ExtractorOptions("control-intensity"), ScaleOptions()))
    assert found.reasons == {"label 1": "the map has a single slice (r = 1)"}
    assert math.isnan(found.scale)
    assert not found.error


@pytest.mark.parametrize("kind", ["blur", "noise", "motion"])
def test_image_damage_changes_the_scan_the_same_way_every_time(kind: str) -> None:
    scan = Volume(np.random.default_rng(0).normal(100, 20, GRID.shape), GRID)
    first, second = damage_image(scan, kind, "case", 1), damage_image(scan, kind, "case", 1)
    np.testing.assert_array_equal(first.array, second.array)
    assert not np.allclose(first.array, scan.array)
    with pytest.raises(InputError, match="no image damage"):
        damage_image(scan, "scratch", "case")


def test_label_damage_shifts_the_boundary_by_two_voxels_or_takes_a_part_away() -> None:
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[6:14, 6:14, 6:10], labels[6:14, 6:14, 10:14] = 1, 2
    volume = Volume(labels, Grid(labels.shape))
    sizes = {int((damage_labels(volume, "boundary-shift", f"c{n}").array > 0).sum()) for n in range(12)}
    assert min(sizes) == 4**3
    assert len(sizes) == 2
    assert max(sizes) > 8**3
    fat = next(d for n in range(12) if (d := damage_labels(volume, "boundary-shift", f"c{n}").array)[4, 9, 9])
    assert (fat[4, 9, 9], fat[4, 9, 10]) == (1, 2)
    lost = [(damage_labels(volume, "missing-part", f"c{n}").array > 0).sum() / 8**3 for n in range(6)]
    assert all(0.5 < share < 0.8 for share in lost)


def test_measures_follow_noise_blur_size_and_cut(cases: tuple[Case, ...]) -> None:
    rng = np.random.default_rng(0)
    distance = np.linalg.norm(np.indices((24, 24, 24)) - 11.5, axis=0)
    image, labels = 100.0 * (distance < 6) + rng.normal(0, 1, distance.shape), (distance < 6).astype(np.uint8)
    plain = measure_scan(image, labels, 2.0)
    assert plain["volume_ml"] == pytest.approx(labels.sum() * 2.0 / 1000)
    assert plain["cut_share"] == 0.0
    noisy = measure_scan(image + rng.normal(0, 20, image.shape), labels, 2.0)
    assert noisy["noise"] > 5 * plain["noise"]
    cut = measure_scan(image[8:], labels[8:], 2.0)
    assert cut["cut_share"] == pytest.approx(labels[8].sum() / labels[8:].sum())
    others = [{**plain, "sharpness": sharpness} for sharpness in np.linspace(1.0, 3.0, 10)]
    assert reasons(noisy, others) == ("it is noisier than 10 of 10",)
    blurred = measure_scan(ndimage.gaussian_filter(image, 2.0), labels, 2.0)
    assert blurred["sharpness"] < 0.75 * plain["sharpness"]
    assert reasons(plain, [plain] * 10) == ()


def test_the_release_stores_a_reference_by_which_the_next_scan_is_placed(tmp_path: Path) -> None:
    from reference import reference_of

    package = build_tiny(tmp_path / "tiny")
    cases = read_cases(write_scans(tmp_path, 12))
    document, gate = reference_of(package, cases, {case.id: 0.5 + n / 100 for n, case in enumerate(cases)})
    amended = amend_package(package, {"reference": document})
    (found,) = segment(read_volume(cases[0].image), amended, create_engine(amended)).difficulty
    assert (found.count, document["center"]) == (12, "row")
    scales = [scan["scale"] for scan in document["scans"]]
    assert min(abs(found.scale - scale) for scale in scales) < 1e-4
    assert found.harder_than == sum(found.scale < scale for scale in scales)
    assert gate["dice_scans"] == 12
    assert "damaged on purpose" in found.caution
