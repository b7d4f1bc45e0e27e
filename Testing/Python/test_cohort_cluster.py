"""``sure cohort`` on a Dask cluster of real processes: a worker or the scheduler is killed, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from SUREUncertaintyLib.cohort.case_list import read_cohort
from SUREUncertaintyLib.cohort.run import Cohort, run_cohort
from SUREUncertaintyLib.core.errors import SureError
from SUREUncertaintyLib.core.progress import Progress, silent
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.estimation.model_options import ModelOptions
from SUREUncertaintyLib.packages.package import Package

COUNT, WORKERS = 8, 2
GRID = Grid((16, 16, 16))
LIMIT_SECONDS = 240.0


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(COUNT):
        image = np.random.default_rng(number).normal(100, 10, GRID.shape)
        write_volume(Volume(image.astype(np.float32), GRID), folder / f"s{number}.nrrd")
    return folder


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A scheduler and two workers, each a process of its own, as a person starts them."""
    from distributed import Client

    told = tmp_path / "scheduler.json"
    running: list[subprocess.Popen[bytes]] = []

    def start(what: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli." + what, "--scheduler-file", str(told), *arguments]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": str(tmp_path)}
        running.append(subprocess.Popen(command, start_new_session=True, **quiet))  # type: ignore[call-overload]
        return running[-1]

    scheduler = start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    wait_until(lambda: told.is_file() and told.stat().st_size > 0)
    workers = [start("dask_worker", "--nthreads", "1", "--no-dashboard", "--no-nanny") for _ in range(WORKERS)]
    with Client(scheduler_file=str(told)) as client:
        client.wait_for_workers(WORKERS, timeout=LIMIT_SECONDS)
        address = client.scheduler.address
    yield SimpleNamespace(address=address, scheduler=scheduler, workers=workers)
    for process in running:
        process.kill()
        process.wait()


def wait_until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_SECONDS
    while not reached():
        assert time.monotonic() < end, "it did not happen in time"
        os.sched_yield()


def killing(process: subprocess.Popen[bytes]) -> Progress:
    """A progress that kills a process when the first case is finished."""

    def tell(fraction: float, text: str) -> None:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    return tell


def cohort(listed: Path, package: Package, output: Path, address: str | None, progress: Progress = silent) -> Cohort:
    model = ModelOptions(str(package.root), engine="openvino", fingerprint=package.fingerprint)
    return run_cohort(read_cohort(listed), package, model, output, 1, address, pictures=False, progress=progress)


def stamps(output: Path) -> dict[str, int]:
    return {file.parent.name: file.stat().st_mtime_ns for file in output.glob("cases/*/report.json")}


@pytest.mark.slow
def test_a_killed_worker_of_the_cluster_loses_nothing(
    listed: Path, tiny_package: Package, tmp_path: Path, cluster: SimpleNamespace
) -> None:
    output = tmp_path / "out"
    spread = cohort(listed, tiny_package, output, cluster.address, killing(cluster.workers[0]))
    assert cluster.workers[0].poll() == -signal.SIGKILL
    assert spread.n_failed == 0
    assert set(stamps(output)) == {f"s{number}" for number in range(COUNT)}
    assert not list((output / "cases").glob(".*"))
    here = cohort(listed, tiny_package, tmp_path / "here", None)
    assert [row.id for row in spread.rows] == [row.id for row in here.rows]


@pytest.mark.slow
def test_a_killed_scheduler_is_said_and_the_same_command_goes_on_without_it(
    listed: Path, tiny_package: Package, tmp_path: Path, cluster: SimpleNamespace
) -> None:
    output = tmp_path / "out"
    with pytest.raises(SureError, match=r"scheduler .* ended.*same command goes on"):
        cohort(listed, tiny_package, output, cluster.address, killing(cluster.scheduler))
    assert cluster.scheduler.poll() == -signal.SIGKILL
    for worker in cluster.workers:
        worker.kill()
        worker.wait()
    kept = stamps(output)
    assert kept
    whole = cohort(listed, tiny_package, output, None)
    assert whole.n_failed == 0
    assert {name: stamps(output)[name] for name in kept} == kept
    assert set(stamps(output)) == {f"s{number}" for number in range(COUNT)}
