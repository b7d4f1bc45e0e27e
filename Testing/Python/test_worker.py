"""The worker on real processes: its answers are those of this process, and the latest value wins."""

import math
import stat
import sys

import numpy as np
import pytest
from brains import turned_brain
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.openvino_engine import OpenVinoEngine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.worker.client import WorkerClient
from workers import LONG, Started, big_scan, failure_kind, scan


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
    assert np.array_equal(answer.uncertainty.array, here.uncertainty.array, equal_nan=True)
    with pytest.raises(InputError, match="shape"):
        client.resegment(noisy[1:])


def test_other_intensities_come_with_their_scan_when_its_own_request_was_dropped(tiny_package):
    volume = scan()
    with WorkerClient() as client:
        client.load(tiny_package.root, "openvino", threads=1)
        dropped = client.segment(volume)
        latest = client.resegment(volume.array + 1.0)
        assert latest.wait(LONG).labels.grid == volume.grid
        assert failure_kind(dropped) == "superseded"


def test_a_new_worker_gets_the_clean_scan_and_finds_the_boxes_there():
    brain = turned_brain(0.0)
    noise = np.random.default_rng(3).normal(100, 50, brain.array.shape).astype(np.float32)
    with WorkerClient() as client:
        client.load("hippocampus-t1", "openvino", threads=1).wait(LONG)
        clean = client.segment(brain).wait(LONG)
        assert [roi.name for roi in clean.rois] == ["Left", "Right"]
        client.kill()
        after = client.resegment(noise).wait(LONG)
        assert after.rois == clean.rois
        assert np.array_equal(after.image.array, noise)
        pid = client.pid
        assert client.resegment(noise, preview=True).wait(LONG).rois == clean.rois
        assert client.pid == pid


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


def test_a_loaded_model_s_pace_is_measured_and_none_without_a_model(client):
    assert 0.0 < client.pace().wait(LONG)["seconds_a_window"] < LONG
    with WorkerClient() as empty:
        assert failure_kind(empty.pace()) == "input"


def test_the_latest_value_wins(slow_client):
    started = Started()
    running = slow_client.segment(big_scan(), on_progress=started)
    started.wait()
    waiting = slow_client.resegment(big_scan().array + 1)
    latest = slow_client.segment(scan(3, (16, 16, 16)))
    assert failure_kind(running) == "superseded"
    assert failure_kind(waiting) == "superseded"
    assert latest.wait(LONG).labels.array.shape == (16, 16, 16)


def test_rows_without_voxels_keep_their_nan(client):
    tiny_scan = Volume(np.arange(18**3, dtype=np.int16).reshape(18, 18, 18), Grid((18, 18, 18)))
    for row in client.segment(tiny_scan).wait(LONG).structures:
        assert math.isnan(row.mean_uncertainty) == (row.voxels == 0)
