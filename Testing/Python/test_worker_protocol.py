"""The protocol of the worker by hand: requests, failures, inbox and arrays."""

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from SUREUncertaintyLib.core.errors import Cancelled, EngineError, InputError, PackageError
from SUREUncertaintyLib.worker.failures import ACTIONS, failure_of, failure_of_exit
from SUREUncertaintyLib.worker.inbox import Inbox
from SUREUncertaintyLib.worker.process import LIBRARY_ROOT
from SUREUncertaintyLib.worker.protocol import Request, parse_request
from SUREUncertaintyLib.worker.result_files import read_array
from workers import LONG


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
