"""The end of workers: cancel, kill, close, orphans and what they leave behind."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from SUREUncertaintyLib.worker.client import WorkerClient
from SUREUncertaintyLib.worker.failures import ACTIONS
from SUREUncertaintyLib.worker.process import LIBRARY_ROOT, remove_stale_folders
from workers import LONG, Started, big_scan, failure_kind, hook, is_gone, scan, wait_until_gone


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


def test_a_worker_ends_with_the_client_and_takes_the_folder_along(slow_package):
    code = f"""
import sys, threading
sys.path.insert(0, {str(Path(__file__).parent)!r})
from workers import Started, big_scan
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
