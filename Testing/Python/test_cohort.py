"""``sure cohort``: every scan once whatever is killed, and a list that says what to look at first."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.cohort.case_list import read_cohort
from SUREUncertaintyLib.cohort.case_row import CaseRow
from SUREUncertaintyLib.cohort.review_curve import review_curve
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import amend_package

GRID = Grid((16, 16, 16))


def write_scan(path: Path, seed: int, label: Path | None = None) -> None:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[4:10, 4:12, 4:12] = 1
    labels[6:9, 6:9, 6:9] = 2
    image = 100 * labels + np.random.default_rng(seed).normal(0, 10, GRID.shape)
    write_volume(Volume(image.astype(np.float32), GRID), path)
    if label is not None:
        write_volume(Volume(labels, GRID), label)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Six labelled scans, one missing and one that is no scan."""
    folder = tmp_path / "scans"
    folder.mkdir()
    rows = ["image,label,id,group"]
    for number in range(6):
        write_scan(folder / f"s{number}.nrrd", number, folder / f"l{number}.nrrd")
        rows.append(f"s{number}.nrrd,l{number}.nrrd,s{number},p{number // 2}")
    (folder / "broken.nrrd").write_bytes(b"no scan")
    rows += ["gone.nrrd,,gone,", "broken.nrrd,,broken,"]
    (folder / "CASES.csv").write_text("\n".join(rows) + "\n")
    return folder / "CASES.csv"


def arguments(cases: Path, package: Package, output: Path, *more: str) -> list[str]:
    fixed = ["cohort", str(cases), "--model", str(package.root), "--output", str(output), "--engine", "openvino"]
    return [*fixed, "--no-pictures", *(more or ("--workers", "1"))]


def worklist(output: Path) -> list[dict[str, str]]:
    with (output / "worklist.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def stamps(output: Path) -> dict[str, int]:
    return {file.parent.name: file.stat().st_mtime_ns for file in output.glob("cases/*/report.json")}


def test_every_scan_has_a_result_and_failed_ones_stop_no_other(
    listed: Path, tiny_package: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert run(arguments(listed, tiny_package, output)) == 3
    told = capsys.readouterr().out
    assert "failed: gone: " in told
    assert "failed: broken: " in told
    rows = worklist(output)
    assert [row["status"] for row in rows[:2]] == ["failed", "failed"]
    assert {row["id"] for row in rows} == {*(f"s{n}" for n in range(6)), "gone", "broken"}
    assert all((output / "cases" / row["folder"] / "report.html").is_file() for row in rows[2:])
    with (output / "structures.csv").open(encoding="utf-8", newline="") as stream:
        structures = list(csv.DictReader(stream))
    assert len(structures) == 12
    assert {"predicted_dice", "predicted_dice_low", "predicted_dice_high", "dice"} <= set(structures[0])
    assert all(0.0 <= float(row["dice"]) <= 1.0 for row in structures)
    page = (output / "worklist.html").read_text(encoding="utf-8")
    assert page.count('class="case ') == 8
    assert "What reviewing buys" in page
    assert sorted(path.name for path in output.iterdir()) == [
        "cases",
        "cohort.json",
        "structures.csv",
        "worklist.csv",
        "worklist.html",
    ]


def test_the_same_command_runs_only_what_is_not_there_or_has_changed(
    listed: Path, tiny_package: Package, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    run(arguments(listed, tiny_package, output))
    first = stamps(output)
    shutil.rmtree(output / "cases" / "s2")
    write_scan(listed.parent / "s4.nrrd", 77)
    write_scan(listed.parent / "gone.nrrd", 5)
    assert run(arguments(listed, tiny_package, output)) == 3
    second = stamps(output)
    assert {name for name in second if second[name] != first.get(name)} == {"s2", "s4", "gone"}


@pytest.mark.slow
def test_a_killed_command_goes_on_where_it_was_and_loses_and_repeats_nothing(
    listed: Path, tiny_package: Package, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    command = [sys.executable, "-m", "SUREUncertaintyLib.cli.app"]
    command += arguments(listed, tiny_package, output, "--workers", "2")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    wait_until(lambda: len(stamps(output)) >= 2)
    import psutil

    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []  # workers end with the command that started them
    kept = stamps(output)
    assert run(arguments(listed, tiny_package, output)) == 3
    after = stamps(output)
    assert {name: after[name] for name in kept} == kept
    assert set(after) == {f"s{number}" for number in range(6)}
    assert not list((output / "cases").glob(".*"))
    assert not (output / ".running").exists()


@pytest.mark.slow
def test_a_killed_worker_costs_only_its_own_try(listed: Path, tiny_package: Package, tmp_path: Path) -> None:
    output = tmp_path / "out"
    command = [sys.executable, "-m", "SUREUncertaintyLib.cli.app"]
    command += arguments(listed, tiny_package, output, "--workers", "2")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    import psutil

    wait_until(lambda: len(stamps(output)) >= 1)
    workers = [p for p in psutil.Process(process.pid).children() if "spawn_main" in " ".join(p.cmdline())]
    os.kill(workers[0].pid, signal.SIGKILL)
    assert process.wait(timeout=300) == 3
    assert set(stamps(output)) == {f"s{number}" for number in range(6)}
    assert not list((output / "cases").glob(".*"))
    assert len(worklist(output)) == 8


def wait_until(reached: Any, seconds: float = 240.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "nothing was finished in time"
        time.sleep(0.02)


def test_results_of_a_model_that_was_updated_in_between_are_told_and_not_mixed(
    listed: Path, package: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    run(arguments(listed, package, output))
    before = stamps(output)
    newer = amend_package(package, {"version": "9.0.0"})
    assert run(arguments(listed, newer, output)) == 2
    said = capsys.readouterr().err
    assert "holds 6 results" in said
    assert "9.0.0 (it was updated in between)" in said
    assert stamps(output) == before


def test_a_second_command_in_the_same_folder_is_refused_while_the_first_one_lives(
    listed: Path, tiny_package: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    import platform

    (output / ".running").write_text(f"{platform.node()} {os.getppid()}", encoding="utf-8")
    assert run(arguments(listed, tiny_package, output)) == 1
    assert "Another command is working" in capsys.readouterr().err
    (output / ".running").write_text(f"{platform.node()} 999999999", encoding="utf-8")
    assert run(arguments(listed, tiny_package, output)) == 3


def test_a_folder_that_is_no_cohort_is_left_alone(
    listed: Path, tiny_package: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    assert run(arguments(listed, tiny_package, tmp_path / "out")) == 2
    assert "thesis.txt" in capsys.readouterr().err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_a_folder_of_files_is_a_list_and_one_file_twice_runs_once(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    (folder / "deep").mkdir(parents=True)
    (folder / "series").mkdir()
    for name in ("a.nii.gz", "deep/a.nrrd", "series/1.dcm", "series/2.dcm", ".hidden.nrrd", "x.seg.nrrd", "readme.txt"):
        (folder / name).write_bytes(b"")
    assert [case.id for case in read_cohort(folder).cases] == ["a", "deep/a", "series"]
    (tmp_path / "CASES.csv").write_text("image,id\nscans/a.nii.gz,one\nscans/../scans/a.nii.gz,two\n")
    found = read_cohort(tmp_path / "CASES.csv")
    assert [case.id for case in found.cases] == ["one"]
    assert found.told == ("'two' is the file and region of 'one' again; it is segmented once, as 'one'.",)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no scan"):
        read_cohort(tmp_path / "empty")


def test_one_scan_under_two_names_and_results_that_vanished_from_the_list_are_told(
    listed: Path, tiny_package: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    shutil.copy(listed.parent / "s0.nrrd", listed.parent / "again.nrrd")
    (listed.parent / "A.csv").write_text("image\ns0.nrrd\nagain.nrrd\ns1.nrrd\n")
    (listed.parent / "B.csv").write_text("image\ns0.nrrd\n")
    assert run(arguments(listed.parent / "A.csv", tiny_package, output)) == 0
    assert "s0, again hold the same voxels" in capsys.readouterr().out.replace("again, s0", "s0, again")
    assert run(arguments(listed.parent / "B.csv", tiny_package, output)) == 0
    assert "2 results belong to no scan of the list any more" in capsys.readouterr().out
    assert [row["id"] for row in worklist(output)] == ["s0"]


def row(name: str, status: str, at_least: float = float("nan"), dice: float = float("nan")) -> CaseRow:
    return CaseRow(name, name, "", name, status, predicted_dice_at_least=at_least, dice=dice)


def test_what_needs_a_person_comes_first() -> None:
    rows = [
        row("good", "usable", 0.9),
        row("fair", "usable", 0.8),
        row("silent", "check"),
        row("unsure", "check", 0.7),
        row("bad", "do_not_use", 0.3),
        row("lost", "failed"),
    ]
    assert [one.id for one in sorted(rows, key=lambda one: one.need)] == [
        "lost",
        "bad",
        "silent",
        "unsure",
        "fair",
        "good",
    ]


def test_the_curve_of_a_perfect_and_of_a_useless_order() -> None:
    dice = [0.3, 0.5, 0.8, 0.8, 0.8, 0.8, 0.9, 0.9, 0.9, 0.9]
    perfect = review_curve([row(f"c{n}", "usable", dice=value) for n, value in enumerate(dice)])
    assert perfect is not None
    assert (perfect.cases, perfect.failures) == (10, 2)
    ten, twenty, half = perfect.points
    assert (ten.found, twenty.found, half.found) == (0.5, 1.0, 1.0)
    assert twenty.left == pytest.approx(twenty.left_at_best) == pytest.approx(0.85)
    assert twenty.left_at_random == pytest.approx(0.76)
    reverse = review_curve([row(f"c{n}", "usable", dice=value) for n, value in enumerate(dice[::-1])])
    assert reverse is not None
    assert reverse.points[2].found == 0.0
    assert review_curve([row("one", "usable", dice=0.5)]) is None


def test_names_that_people_gave_do_nothing_on_the_page(tiny_package: Package, tmp_path: Path) -> None:
    write_scan(tmp_path / "a.nrrd", 0)
    (tmp_path / "CASES.csv").write_text('image,id\na.nrrd,"<script>alert(1)</script>"\n')
    assert run(arguments(tmp_path / "CASES.csv", tiny_package, tmp_path / "out")) == 0
    page = (tmp_path / "out" / "worklist.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert json.loads((tmp_path / "out" / "cohort.json").read_text(encoding="utf-8"))["model"] == "tiny"
