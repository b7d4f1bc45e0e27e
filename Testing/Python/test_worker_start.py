"""Workers that cannot start or run: each gets its sentence."""

import threading

import pytest
from SUREUncertaintyLib.core.errors import EngineError
from SUREUncertaintyLib.worker.client import WorkerClient
from SUREUncertaintyLib.worker.jobs import WorkerError
from workers import LONG, failure_kind, hook, scan


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
