"""Scans and waiting for tests of the worker."""

import threading
from pathlib import Path

import numpy as np
import psutil
import pytest
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.worker.jobs import WorkerError

LONG = 120.0
"""Seconds after which a test gives up; nothing takes that long."""


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
