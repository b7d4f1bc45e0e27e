"""Every frame of a scan over time by a real worker: the answer of this process, superseded, cancelled, killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from beating import GRID, beating_ball, grey_engine, heart_package
from full_result import comparable, leaves
from SUREUncertaintyLib.cine.cine_result import CineResult
from SUREUncertaintyLib.cine.segment_frames import segment_frames
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.core.volume_sequence import VolumeSequence
from SUREUncertaintyLib.inference.openvino_engine import OpenVinoEngine
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.worker.client import WorkerClient
from SUREUncertaintyLib.worker.jobs import WorkerError
from SUREUncertaintyLib.worker.protocol import plain
from SUREUncertaintyLib.worker.result_files import read_cine, write_cine
from workers import LONG, Started, big_scan, failure_kind, scan


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return heart_package(tmp_path_factory.mktemp("heart") / "heart")


@pytest.fixture(scope="module")
def heart(package: Package) -> Iterator[WorkerClient]:
    """A worker with the untrained heart loaded."""
    with WorkerClient() as running:
        running.load(package.root, "openvino", threads=1).wait(LONG)
        yield running


def long_scan() -> VolumeSequence:
    """Frames that keep the slow package busy until somebody stops it."""
    return VolumeSequence((big_scan(), big_scan()), "long")


def differences(here: CineResult, there: CineResult) -> list[str]:
    """Paths of what is not the same bit for bit, the provenance of the two runs aside."""
    sent, came = ({path: value for path, value in leaves(side) if "provenance" not in path} for side in (here, there))
    assert list(sent) == list(came)
    return [path for path in sent if comparable(sent[path]) != comparable(came[path])]


def test_every_field_comes_through_files_and_a_line_of_json_bit_for_bit(package: Package, tmp_path: Path) -> None:
    given = segment_frames(beating_ball(), package, grey_engine())
    assert given.ejection is not None
    given = replace(given, why_none="a sentence")
    line = json.dumps(plain({"id": 1, **write_cine(given, tmp_path, "1")}), allow_nan=False)
    found = read_cine(json.loads(line), tmp_path, given.sequence)
    assert found.sequence is given.sequence
    assert found.end_diastole.image is given.sequence.frames[0]
    assert found.end_systole.image is given.sequence.frames[3]
    assert differences(given, found) == []
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_does_not_fit_is_refused_with_a_sentence(package: Package, tmp_path: Path) -> None:
    given = segment_frames(beating_ball(), package, grey_engine())
    written = write_cine(given, tmp_path, "1")
    written["result"]["phases"] = [0, 99]
    with pytest.raises(InputError, match="The worker's answer cannot be read"):
        read_cine(written, tmp_path, given.sequence)


def test_the_answer_is_that_of_the_same_run_in_this_process(heart: WorkerClient, package: Package) -> None:
    sequence = beating_ball()
    told: list[str] = []
    found = heart.frames(sequence, on_progress=lambda fraction, text: told.append(text)).wait(LONG)
    here = segment_frames(sequence, package, OpenVinoEngine(package, threads=1))
    assert found.sequence is sequence
    assert differences(here, found) == []
    assert found.end_diastole.provenance["model"] == here.end_diastole.provenance["model"]
    assert any(text.startswith("frame 1 of 6: ") for text in told)
    assert told[-1] == "measured"
    assert heart.folder is not None
    assert list(heart.folder.glob("*.npy")) == []


def test_a_box_names_the_structure_and_two_are_refused(heart: WorkerClient) -> None:
    r, a, s = (GRID.ijk_to_ras @ (21.5, 19.5, 3.5, 1.0))[:3]
    box = Roi("mid", (r - 20, a - 20, s - 20), (r + 20, a + 20, s + 20))
    assert heart.frames(beating_ball(), (box,)).wait(LONG).structure.name == "mid cavity"
    with pytest.raises(WorkerError, match="measured in one region; 2 were given"):
        heart.frames(beating_ball(), (box, replace(box, name="b"))).wait(LONG)


def test_a_frame_that_cannot_be_segmented_is_named(heart: WorkerClient) -> None:
    sequence = beating_ball((20.0, 15.0))
    blank = sequence.frames[1].with_array(np.zeros(GRID.shape, np.float32))
    job = heart.frames(replace(sequence, frames=(sequence.frames[0], blank)))
    with pytest.raises(WorkerError, match="Frame 2 of 2: Every voxel"):
        job.wait(LONG)


def test_the_open_scan_stays_open(heart: WorkerClient) -> None:
    ball = beating_ball().frames[0]
    heart.segment(ball).wait(LONG)
    heart.frames(beating_ball()).wait(LONG)
    again: Any = heart.resegment(ball.array + 1.0).wait(LONG)
    assert again.labels.grid.matches(GRID)


def test_a_later_segmentation_takes_its_place_and_it_that_of_an_earlier_one(slow_client: WorkerClient) -> None:
    started = Started()
    first = slow_client.segment(big_scan(), on_progress=started)
    started.wait()
    begun = Started()
    frames = slow_client.frames(long_scan(), on_progress=begun)
    assert failure_kind(first) == "superseded"
    begun.wait()
    last = slow_client.segment(scan())
    assert failure_kind(frames) == "superseded"
    assert last.wait(LONG).labels.grid == scan().grid


def test_cancel_ends_it_and_the_next_run_works(slow_client: WorkerClient) -> None:
    started = Started()
    job = slow_client.frames(long_scan(), on_progress=started)
    started.wait()
    slow_client.cancel()
    assert failure_kind(job) == "cancelled"
    assert slow_client.segment(scan()).wait(LONG).labels.grid == scan().grid


def test_a_worker_that_is_killed_ends_it_with_a_reason(slow_client: WorkerClient) -> None:
    import psutil

    started = Started()
    job = slow_client.frames(long_scan(), on_progress=started)
    started.wait()
    files = list(job.files)
    assert files
    psutil.Process(slow_client.pid).kill()
    assert failure_kind(job) == "killed"
    assert not any(file.exists() for file in files)


def test_a_full_disk_is_a_sentence(heart: WorkerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("SUREUncertaintyLib.worker.jobs.write_array", full)
    with pytest.raises(WorkerError, match=r"cannot be handed to the worker: .*No space left"):
        heart.frames(VolumeSequence((Volume(scan().array, scan().grid),) * 2, "full")).wait(LONG)
