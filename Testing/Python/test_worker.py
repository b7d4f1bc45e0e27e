"""The worker on real processes: answers, latest value wins, cancel, kill, crash, orphans, leftovers."""

import json
import math
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import pytest
from SUREUncertaintyLib.core.errors import Cancelled
from SUREUncertaintyLib.core.errors import EngineError
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.inference.openvino_engine import OpenVinoEngine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.worker.client import WorkerClient
from SUREUncertaintyLib.worker.failures import ACTIONS
from SUREUncertaintyLib.worker.failures import failure_of
from SUREUncertaintyLib.worker.failures import failure_of_exit
from SUREUncertaintyLib.worker.inbox import Inbox
from SUREUncertaintyLib.worker.jobs import WorkerError
from SUREUncertaintyLib.worker.process import LIBRARY_ROOT
from SUREUncertaintyLib.worker.process import remove_stale_folders
from SUREUncertaintyLib.worker.protocol import Request
from SUREUncertaintyLib.worker.protocol import parse_request
from SUREUncertaintyLib.worker.result_files import read_array
from tiny import build_tiny

LONG = 120.0
"""Seconds after which a test gives up; nothing takes that long."""


@pytest.fixture(scope="module")
def slow_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The tiny package with windows so dense that a run lasts until somebody stops it."""
    return build_tiny(tmp_path_factory.mktemp("slow") / "slow", overlap=0.95)


@pytest.fixture(scope="module")
def client(tiny_package):
    with WorkerClient() as running:
        running.load(tiny_package.root, "openvino", threads=1).wait(LONG)
        yield running


@pytest.fixture
def slow_client(slow_package):
    with WorkerClient() as running:
        running.load(slow_package.root, "openvino", threads=1).wait(LONG)
        yield running


def scan(seed: int = 1, shape: tuple[int, int, int] = (20, 18, 22)) -> Volume:
    array = (np.random.default_rng(seed).standard_normal(shape) * 100).astype(np.int16)
    return Volume(array, Grid(shape, (1.0, 1.2, 0.9), (5, 6, 7)), "phantom")


def big_scan() -> Volume:
    return scan(2, (60, 60, 60))


class Started:
    """A progress callback that tells when the job runs."""

    def __init__(self) -> None:
        self.event = threading.Event()

    def __call__(self, fraction: float, text: str) -> None:
        self.event.set()

    def wait(self) -> None:
        assert self.event.wait(LONG)


def failure_kind(job) -> str:
    with pytest.raises(WorkerError) as caught:
        job.wait(LONG)
    assert caught.value.failure.action in str(caught.value)
    return caught.value.failure.kind


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def wait_until_gone(pid: int) -> None:
    try:
        psutil.Process(pid).wait(LONG)
    except psutil.NoSuchProcess:
        return


def hook(folder: Path, code: str) -> dict[str, str]:
    """Environment of a worker that runs ``code`` before anything else."""
    (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def test_the_answer_is_that_of_the_same_run_in_this_process(client, tiny_package):
    volume = scan()
    rois = (Roi("left", (-30, -40, 0), (-12, 0, 40)), Roi("right", (-11, -40, 0), (0, 0, 40)))
    told: list[float] = []
    job = client.segment(volume, rois, on_progress=lambda fraction, text: told.append(fraction))
    answer = job.wait(LONG)
    here = segment(volume, tiny_package, OpenVinoEngine(tiny_package, threads=1), rois)
    for name in ("labels", "uncertainty", "entropy"):
        assert np.array_equal(getattr(answer, name).array, getattr(here, name).array), name
        assert getattr(answer, name).grid == volume.grid
    assert answer.label_set == here.label_set
    assert answer.rois == here.rois
    assert answer.regions == here.regions
    assert answer.notices == here.notices
    assert repr(answer.structures) == repr(here.structures)
    assert answer.provenance["model"] == here.provenance["model"]
    assert answer.image is volume
    assert told[-1] == 1.0


def test_probabilities_travel_when_asked_for(client):
    answer = client.segment(scan(), keep_probabilities=True).wait(LONG)
    assert answer.probabilities.shape == (3, 20, 18, 22)
    assert client.segment(scan()).wait(LONG).probabilities is None


def test_other_intensities_on_the_same_grid(client, tiny_package):
    volume, roi = scan(), Roi("a", (-20, -20, 8), (-1, -1, 19))
    client.segment(volume, (roi,)).wait(LONG)
    noisy = volume.array + np.random.default_rng(5).normal(0, 50, volume.array.shape)
    answer = client.resegment(noisy).wait(LONG)
    here = segment(volume.with_array(noisy), tiny_package, OpenVinoEngine(tiny_package, threads=1), (roi,))
    assert np.array_equal(answer.uncertainty.array, here.uncertainty.array)
    with pytest.raises(InputError, match="shape"):
        client.resegment(noisy[1:])


def test_the_private_folder_is_private_and_empty_after_a_job(client):
    client.segment(scan()).wait(LONG)
    assert list(client.folder.iterdir()) == []
    if sys.platform != "win32":
        assert stat.S_IMODE(client.folder.stat().st_mode) == 0o700


def test_a_bad_scan_gets_its_sentence_and_the_worker_lives_on(client):
    pid = client.pid
    array = np.zeros((18, 18, 18), np.float32)
    array[2, 2, 2] = np.inf
    errors = []
    job = client.segment(Volume(array, Grid(array.shape)), on_error=errors.append)
    assert failure_kind(job) == "input"
    assert "NaN, infinite" in errors[0].text
    assert client.segment(scan()).wait(LONG).labels.array.shape == (20, 18, 22)
    assert client.pid == pid


def test_a_callback_that_fails_does_not_stop_the_client(tiny_package):
    logged = []

    def fail(*_: object) -> None:
        raise RuntimeError("callback broke")

    with WorkerClient(on_log=logged.append) as client:
        client.load(tiny_package.root, on_result=fail).wait(LONG)
        client.segment(scan(), on_progress=fail).wait(LONG)
    assert any("callback broke" in line for line in logged)


def test_the_latest_value_wins(slow_client):
    started = Started()
    running = slow_client.segment(big_scan(), on_progress=started)
    started.wait()
    waiting = slow_client.resegment(big_scan().array + 1)
    latest = slow_client.segment(scan(3, (16, 16, 16)))
    assert failure_kind(running) == "superseded"
    assert failure_kind(waiting) == "superseded"
    assert latest.wait(LONG).labels.array.shape == (16, 16, 16)


def test_cancel_ends_the_job_and_keeps_the_loaded_model(slow_client):
    pid, started = slow_client.pid, Started()
    job = slow_client.segment(big_scan(), on_progress=started)
    started.wait()
    slow_client.cancel()
    assert failure_kind(job) == "cancelled"
    assert slow_client.segment(scan(3, (16, 16, 16))).wait(LONG).labels is not None
    assert slow_client.pid == pid


def test_cancel_kills_a_worker_that_does_not_listen_and_the_next_job_gets_a_new_one(slow_client):
    pid, folder, started = slow_client.pid, slow_client.folder, Started()
    job = slow_client.segment(big_scan(), on_progress=started)
    started.wait()
    os.kill(pid, signal.SIGSTOP)
    slow_client.cancel()
    assert failure_kind(job) == "cancelled"
    assert is_gone(pid)
    assert not folder.exists()
    assert slow_client.segment(scan(3, (16, 16, 16))).wait(LONG).labels is not None
    assert slow_client.pid != pid


def test_a_job_that_comes_while_a_cancel_is_under_way_is_not_killed_with_it(slow_client):
    started = Started()
    job = slow_client.segment(big_scan(), on_progress=started)
    started.wait()
    os.kill(slow_client.pid, signal.SIGSTOP)
    slow_client.cancel()
    later = slow_client.segment(scan(3, (16, 16, 16)))
    assert later.wait(LONG).labels is not None
    assert failure_kind(job) == "cancelled"


def test_a_worker_killed_from_outside_is_said_and_leaves_nothing_behind(slow_client):
    pid, folder, started = slow_client.pid, slow_client.folder, Started()
    errors = []
    job = slow_client.segment(big_scan(), on_progress=started, on_error=errors.append)
    started.wait()
    assert list(folder.iterdir())
    os.kill(pid, signal.SIGKILL)
    assert failure_kind(job) == "killed"
    assert errors[0].action == ACTIONS["killed"]
    assert not folder.exists()
    assert slow_client.segment(scan(3, (16, 16, 16))).wait(LONG).labels is not None


def test_kill_takes_everything_that_the_worker_started(slow_package, tmp_path):
    note = tmp_path / "child.txt"
    code = f"""
import subprocess, sys
if "--folder" in sys.argv or "-m" in sys.orig_argv:
    child = subprocess.Popen([sys.executable, "-S", "-c", "import signal; signal.pause()"], start_new_session=True)
    open({str(note)!r}, "w").write(str(child.pid))
"""
    client = WorkerClient(environment=hook(tmp_path, code))
    client.load(slow_package.root).wait(LONG)
    started = Started()
    job = client.segment(big_scan(), on_progress=started)
    started.wait()
    worker, child, folder = client.pid, int(note.read_text(encoding="utf-8")), client.folder
    assert psutil.pid_exists(child)
    client.kill()
    assert failure_kind(job) == "cancelled"
    wait_until_gone(child)
    assert is_gone(worker)
    assert is_gone(child)
    assert not folder.exists()


def test_close_ends_the_process_and_cancels_what_runs(slow_package):
    client = WorkerClient()
    client.load(slow_package.root).wait(LONG)
    started = Started()
    job = client.segment(big_scan(), on_progress=started)
    started.wait()
    pid, folder = client.pid, client.folder
    client.close()
    assert failure_kind(job) == "cancelled"
    assert is_gone(pid)
    assert not folder.exists()


def test_stray_output_of_libraries_does_not_disturb_the_protocol(tiny_package, tmp_path):
    code = """
import os, sys, threading
def speak():
    print("stray print")
    os.write(1, b"stray bytes\\n")
def watch():
    while "SUREUncertaintyLib.inference.openvino_engine" not in sys.modules or sys.stdout is not sys.stderr:
        threading.Event().wait(0.02)
    speak()
if "-m" in sys.orig_argv:
    print("early print", flush=True)
    threading.Thread(target=watch, daemon=True).start()
"""
    logged: list[str] = []
    heard = threading.Event()

    def log(line: str) -> None:
        logged.append(line)
        if "stray bytes" in line:
            heard.set()

    with WorkerClient(on_log=log, environment=hook(tmp_path, code)) as client:
        client.load(tiny_package.root, "openvino").wait(LONG)
        assert client.segment(scan()).wait(LONG).labels is not None
        assert heard.wait(LONG)
    assert {"early print", "stray print", "stray bytes"} <= set(logged)


def test_a_model_that_cannot_be_loaded_says_so_again_at_every_job(tmp_path):
    with WorkerClient() as client:
        assert failure_kind(client.segment(scan())) == "input"
        assert failure_kind(client.load("no-such-model")) == "bad_weights"
        with pytest.raises(WorkerError, match="no-such-model"):
            client.segment(scan()).wait(LONG)


def test_without_torch_the_torch_engine_says_what_to_do(tiny_package, tmp_path):
    code = "import sys\nif '-m' in sys.orig_argv:\n    sys.modules['torch'] = None\n"
    with WorkerClient(environment=hook(tmp_path, code)) as client:
        job = client.load(tiny_package.root, "torch")
        assert failure_kind(job) == "torch_missing"
        with pytest.raises(WorkerError, match="OpenVINO"):
            job.wait()
        assert client.load(tiny_package.root, "openvino").wait(LONG)["engine"] == "openvino"


def test_a_python_that_does_not_exist_is_said():
    with pytest.raises(EngineError, match="cannot be started"):
        WorkerClient(python="/nowhere/python").load("any")


def test_a_worker_that_dies_at_once_fails_its_jobs(tmp_path):
    with WorkerClient(
        environment=hook(tmp_path, "import os, sys\nif '-m' in sys.orig_argv:\n    os._exit(3)\n")
    ) as client:
        job = client.load("any")
        assert failure_kind(job) in ("unknown", "killed")


def start_raw(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "SUREUncertaintyLib.worker", "--folder", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(LIBRARY_ROOT)},
    )


def test_the_protocol_by_hand_and_the_end_of_input(tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    process = start_raw(folder)
    assert process.stdin is not None
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert (ready["event"], ready["pid"]) == ("ready", process.pid)
    for line in ("not json", '{"id": 1}', '{"id": 2, "command": "segment"}', '{"id": 3, "command": "cancel"}'):
        process.stdin.write(line + "\n")
    process.stdin.flush()
    lines = (json.loads(line) for line in process.stdout)
    events = list(islice((event for event in lines if event["event"] != "log"), 4))
    assert sorted(str(event["id"]) for event in events) == ["2", "3", "None", "None"]
    assert {event["event"] for event in events if event["id"] != 3} == {"error"}
    process.stdin.close()
    assert process.wait(LONG) == 0
    assert not folder.exists()
    process.stdout.close()


def test_a_worker_ends_with_the_client_and_takes_the_folder_along(slow_package):
    code = f"""
import sys, threading
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_worker import Started, big_scan
from SUREUncertaintyLib.worker.client import WorkerClient
client = WorkerClient()
client.load({str(slow_package.root)!r}, "openvino", threads=1).wait()
started = Started()
client.segment(big_scan(), on_progress=started)
started.wait()
print(client.pid, client.folder, flush=True)
threading.Event().wait()
"""
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY_ROOT)}
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, encoding="utf-8", env=environment)
    assert parent.stdout is not None
    pid, folder = parent.stdout.readline().split()
    assert psutil.pid_exists(int(pid))
    parent.kill()
    parent.wait()
    wait_until_gone(int(pid))
    assert is_gone(int(pid))
    assert not Path(folder).exists()
    parent.stdout.close()


def test_folders_whose_client_is_dead_are_removed_and_others_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = subprocess.Popen([sys.executable, "-S", "-c", ""])
    dead.wait()
    names = [f"sure-worker-{dead.pid}-a", f"sure-worker-{os.getpid()}-b", "sure-worker-x", "other"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "1-image.npy").write_bytes(b"x")
    (tmp_path / f"sure-worker-{dead.pid}-link").symlink_to(tmp_path / "other")
    remove_stale_folders()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*names[1:], f"sure-worker-{dead.pid}-link"}
    assert (tmp_path / "other" / "1-image.npy").exists()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Cancelled(), "cancelled"),
        (MemoryError("std::bad_alloc"), "out_of_memory"),
        (EngineError("The device 'xpu' is not available here."), "engine"),
        (PackageError("tampered"), "bad_weights"),
        (InputError("NaN"), "input"),
        (ZeroDivisionError("0"), "unknown"),
    ],
)
def test_every_exception_has_a_class_a_sentence_and_an_action(error, kind):
    why = failure_of(error, "traceback")
    assert why.kind == kind
    assert why.text.endswith((".", "0", "tampered", "NaN"))
    assert why.action == ACTIONS[kind]


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        (-9, [], "killed"),
        (137, [], "killed"),
        (1, ["terminate called after throwing an instance of 'std::bad_alloc'"], "out_of_memory"),
        (1, ["ModuleNotFoundError: No module named 'torch'"], "torch_missing"),
        (-11, [], "unknown"),
        (3, ["last words"], "unknown"),
    ],
)
def test_every_exit_has_a_class(code, words, kind):
    why = failure_of_exit(code, words)
    assert why.kind == kind
    assert f"exit code {code}" in why.details
    assert all(word in why.details for word in words)


def test_the_inbox_drops_older_segmentations_only():
    dropped = []
    inbox = Inbox(lambda job: dropped.append((job.request.id, job.reason)))
    for number, command in enumerate(["load", "segment", "segment", "load"], start=1):
        inbox.put(Request(number, command))
    assert dropped == [(2, "superseded")]
    first, second = inbox.take(), inbox.take()
    assert (first.request.id, second.request.id) == (1, 3)
    inbox.put(Request(5, "segment"))
    assert second.is_stopped()
    assert second.reason == "superseded"
    assert inbox.cancel() == 3
    assert second.reason == "superseded"
    assert dropped == [(2, "superseded"), (5, "cancelled")]
    inbox.close()
    assert inbox.take() is None


@pytest.mark.parametrize(
    "line", ["[]", '{"command": "load"}', '{"id": "1", "command": "load"}', '{"id": 1, "command": "x"}']
)
def test_requests_that_are_none_are_refused(line):
    with pytest.raises(ValueError, match=r"request|command"):
        parse_request(line)


@pytest.mark.parametrize("name", ["../secret.npy", "/etc/passwd", "sub/x.npy", "x.txt", "absent.npy"])
def test_arrays_come_from_the_private_folder_only(tmp_path, name):
    with pytest.raises(InputError):
        read_array(tmp_path, name)


def test_pickled_arrays_are_refused(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        read_array(tmp_path, "evil.npy")


def test_rows_without_voxels_keep_their_nan(client):
    tiny_scan = Volume(np.arange(18**3, dtype=np.int16).reshape(18, 18, 18), Grid((18, 18, 18)))
    for row in client.segment(tiny_scan).wait(LONG).structures:
        assert math.isnan(row.mean_uncertainty) == (row.voxels == 0)
