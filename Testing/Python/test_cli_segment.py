"""`sure segment` as a person and as a script use it."""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from phantoms import asymmetric_volume, tilted_grid
from SUREUncertaintyLib import __version__
from SUREUncertaintyLib.cli import app
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.errors import EngineError
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.report import segment_to_folder as report_run
from SUREUncertaintyLib.worker import scene_process

LIBRARY = Path(__file__).resolve().parents[2] / "SUREUncertainty"
Capture = pytest.CaptureFixture[str]
LEAN = ("--no-scene", "--no-pictures", "--no-report")


@dataclass(frozen=True)
class Job:
    """One scan, one model and a folder of their own."""

    scan: Path
    package: Package
    folder: Path

    @property
    def output(self) -> Path:
        return self.folder / "out"

    def arguments(self, *more: str) -> list[str]:
        return ["segment", str(self.scan), "--model", str(self.package.root), "--output", str(self.output), *more]

    def document(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.output / "report.json").read_text(encoding="utf-8"))
        return content


@pytest.fixture
def job(tiny_package: Package, tmp_path: Path) -> Job:
    path = tmp_path / "scan été.nrrd"
    write_volume(asymmetric_volume(tilted_grid((14, 18, 20), (1.0, 1.1, 1.4))), path)
    return Job(path, tiny_package, tmp_path)


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_run_writes_everything_and_tells_where(job: Job, capsys: Capture) -> None:
    before = job.scan.read_bytes()
    output = job.output
    assert run(job.arguments("--no-scene")) == 0
    printed = capsys.readouterr()
    assert {"segmentation.seg.nrrd", "uncertainty.nrrd", "entropy.nrrd", "structures.csv", "regions.csv"} <= names_in(
        output
    )
    assert {"report.html", "report.json", "pictures/structures.png"} <= names_in(output)
    for words in ("shell", "core", str(output / "report.html"), str(output / "pictures")):
        assert words in printed.out
    assert printed.err == "", "no progress bar where there is no terminal"
    assert job.scan.read_bytes() == before
    assert read_volume(output / "uncertainty.nrrd").grid.matches(read_volume(job.scan).grid)


def test_json_prints_the_report_and_nothing_else(job: Job, capsys: Capture) -> None:
    assert run(job.arguments("--json", *LEAN)) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == job.document()
    assert document["model"]["fingerprint"] == job.package.fingerprint
    assert document["engine"] in ("openvino", "torch")
    assert document["versions"]["sure-uncertainty"] == __version__
    assert document["timings_s"]["total"] > 0
    assert document["geometry"]["input"]["spacing_mm"] == pytest.approx([1.0, 1.1, 1.4])
    assert not {"scene.mrb", "report.html"} & set(document["files"])


def test_regions_become_prefixed_structures(job: Job, capsys: Capture) -> None:
    low, high = box_inside(read_volume(job.scan))
    half = (low + high) / 2
    first = ",".join(f"{a:.2f},{b:.2f}" for a, b in zip(low, half, strict=True))
    second = ",".join(f"{a:.2f},{b:.2f}" for a, b in zip(half, high, strict=True))
    more = ("--roi", f"one={first}", "--roi", f"two={second}", "--json", *LEAN)
    assert run(job.arguments(*more)) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in document["structures"]] == ["one shell", "one core", "two shell", "two core"]
    assert [roi["name"] for roi in document["rois"]] == ["one", "two"]


def box_inside(volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    k, j, i = volume.grid.shape
    middle = (volume.grid.ijk_to_ras @ (i / 2, j / 2, k / 2, 1))[:3]
    return middle - 6, middle + 6


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("--model", "no-such-model"), 2, "no-such-model"),
        (("--roi", "left=1,2,3"), 2, "six numbers"),
        (("--roi", "far=900,950,900,950,900,950"), 2, "outside the image"),
        (("--engine", "quantum"), 2, "quantum"),
        (("--no-such-option",), 2, "--no-such-option"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(
    job: Job, capsys: Capture, change: tuple[str, ...], code: int, words: str
) -> None:
    assert run(job.arguments(*LEAN, *change)) == code
    printed = capsys.readouterr()
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert not job.output.exists()


def test_a_scan_that_does_not_exist_and_a_missing_option(job: Job, capsys: Capture) -> None:
    assert run(replace(job, scan=job.folder / "nothing.nrrd").arguments()) == 2
    assert "does not exist" in capsys.readouterr().err
    assert run(["segment"]) == 2
    assert "Missing" in capsys.readouterr().err


def test_earlier_results_stay_unless_overwrite_is_given(job: Job, capsys: Capture) -> None:
    output = job.output
    command = job.arguments(*LEAN)
    assert run(command) == 0
    first = (output / "report.json").read_bytes()
    capsys.readouterr()
    assert run(command) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (output / "report.json").read_bytes() == first
    assert run([*command, "--overwrite"]) == 0
    assert (output / "report.json").read_bytes() != first


def test_a_used_folder_is_refused_before_anything_is_computed(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.output.mkdir()
    (job.output / "letter.txt").write_text("mine")
    monkeypatch.setattr(report_run, "segment", lambda *args, **options: pytest.fail("it was computed"))
    assert run(job.arguments("--overwrite", *LEAN)) == 1
    assert (job.output / "letter.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (EngineError("The device is gone. Choose another."), 1, "The device is gone"),
        (MemoryError(), 1, "memory"),
        (KeyboardInterrupt(), 130, "cancelled; nothing was written"),
        (OSError(28, "No space left on device"), 1, "disk is full"),
    ],
)
def test_failures_leave_nothing_behind(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: Capture, error: BaseException, code: int, words: str
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(report_run, "write_results", fail)
    before = set(job.folder.iterdir())
    assert run(job.arguments(*LEAN)) == code
    assert words in capsys.readouterr().err
    assert set(job.folder.iterdir()) == before


def test_an_unexpected_error_is_one_line_and_a_log(job: Job, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(app.tempfile, "tempdir", str(job.folder))
    monkeypatch.setattr(report_run, "write_results", lambda *args: 1 / 0)
    assert run(job.arguments(*LEAN)) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    log = Path(message.strip().rsplit(" ", 1)[1])
    assert log.parent == job.folder
    assert "ZeroDivisionError: division by zero" in log.read_text(encoding="utf-8")


def test_without_slicer_core_the_scene_is_a_notice(job: Job, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(scene_process, "can_write_scenes", lambda: False)
    assert run(job.arguments("--no-pictures", "--json")) == 0
    document = json.loads(capsys.readouterr().out)
    assert [notice["code"] for notice in document["notices"]].count("no-scene") == 1
    assert "scene.mrb" not in document["files"]


def test_the_scene_is_written_with_the_results(job: Job, capsys: Capture) -> None:
    assert run(job.arguments("--no-pictures", "--no-report", "--json")) == 0
    document = json.loads(capsys.readouterr().out)
    assert "scene.mrb" in document["files"]


def test_square_brackets_in_a_name_are_shown_as_they_are(job: Job, capsys: Capture) -> None:
    assert run([*job.arguments("--roi", "[/x] [bold]=-500,500,-500,500,-500,500", *LEAN)]) == 0
    assert "[/x] [bold] " in capsys.readouterr().out


def test_a_console_that_cannot_show_a_name_still_gets_its_table_and_json(job: Job) -> None:
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    code = "import sys; from SUREUncertaintyLib.cli.app import main; main(sys.argv[1:])"
    roi = ("--roi", "héros=-500,500,-500,500,-500,500")
    for more in ((), ("--json", "--overwrite")):
        command = [sys.executable, "-X", "utf8=0", "-c", code, *job.arguments(*roi, *LEAN, *more)]
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rois"][0]["name"] == "héros"


def test_version_and_help_need_no_heavy_package() -> None:
    code = (
        "import sys\n"
        "from SUREUncertaintyLib.cli.app import run\n"
        "assert run(['--version']) == 0\n"
        "assert run(['--help']) == 0\n"
        "assert run(['segment', '--help']) == 0\n"
        "heavy = {'torch', 'monai', 'openvino', 'matplotlib', 'slicer', 'vtk', 'nilearn'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "NO_COLOR": "1", "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"sure {__version__}" in done.stdout
    for command in ("segment", "evaluate", "train", "models", "demo", "--roi", "--overwrite"):
        assert command in done.stdout


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_or_a_scheduler_ends_a_real_process_with_130_and_nothing_is_left(
    job: Job, ending: signal.Signals
) -> None:
    code = (
        "import signal, sys\n"
        # a shell that started the tests in the background has Ctrl-C ignored, and children inherit that
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # nor a closed terminal under nohup
        "from SUREUncertaintyLib.cli.app import main\n"
        "from SUREUncertaintyLib.report import segment_to_folder as run\n"
        "real = run.segment\n"
        "def slow(*args, **options):\n"
        "    print('running', flush=True)\n"
        "    for _ in range(2000):\n"  # an end, should the signal never come
        "        real(*args, **options)\n"
        "run.segment = slow\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", code, *job.arguments(*LEAN)]
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    before = set(job.folder.iterdir())
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(ending)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "cancelled; nothing was written" in errors
    assert set(job.folder.iterdir()) == before


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_matter(job: Job, closed: str) -> None:
    code = "import sys; from SUREUncertaintyLib.cli.app import main; main(sys.argv[1:])"
    command = shlex.join([sys.executable, "-c", code, *job.arguments("--no-pictures", "--no-scene")])
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    done = subprocess.run(["sh", "-c", f"exec {command} {closed}"], env=environment, check=False, timeout=120)
    assert done.returncode == 0
    document = json.loads((job.output / "report.json").read_text(encoding="utf-8"))
    assert document["status"] in ("usable", "check", "do_not_use")


def test_a_full_standard_output_is_named_and_loses_no_result(job: Job) -> None:
    if not Path("/dev/full").exists():
        return  # a device of Linux
    command = shlex.join([sys.executable, "-m", "SUREUncertaintyLib.cli.app", *job.arguments(*LEAN)])
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    script = f"exec {command} > /dev/full"
    done = subprocess.run(["sh", "-c", script], env=environment, check=False, timeout=120, capture_output=True)
    assert done.returncode == app.FAILED
    assert b"A disk is full" in done.stderr
    assert job.document()["structures"]


def test_under_nohup_a_closed_terminal_does_not_cancel() -> None:
    code = (
        "import signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from SUREUncertaintyLib.cli.app import _cancel_on_signals\n"
        "_cancel_on_signals()\n"
        "assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@pytest.mark.parametrize("output", [".", ".."])
def test_the_working_folder_is_not_exchanged_under_the_shell(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: Capture, output: str
) -> None:
    inner = job.folder / "empty" / "inner"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    arguments = job.arguments("--overwrite", *LEAN)
    arguments[arguments.index("--output") + 1] = output
    assert run(arguments) == 1
    assert "the folder that this command was started in" in capsys.readouterr().err
    assert list(inner.iterdir()) == []


def test_a_full_temporary_folder_is_named_and_the_result_stays_without_its_scene(
    job: Job, small_disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    pytest.importorskip("slicer")
    full = small_disk / "filled"
    with full.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(bytes(4096)):
            pass
    monkeypatch.setattr(app.tempfile, "tempdir", str(small_disk))
    assert run(job.arguments("--no-pictures", "--json")) == 0
    document = json.loads(capsys.readouterr().out)
    (notice,) = (one for one in document["notices"] if one["code"] == "no-scene")
    assert str(small_disk) in notice["text"]
    assert "everything else is complete" in notice["text"]
    assert "scene.mrb" not in document["files"]
    assert "segmentation.seg.nrrd" in document["files"]
