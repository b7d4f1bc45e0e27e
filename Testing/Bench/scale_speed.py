"""The perception scale: Gram eigenvalues against values-only SVD, 104 class maps in little memory, more workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from distributed import LocalCluster
from pairs import interleaved
from SUREUncertaintyLib.analysis.perception_scale import GramAccumulator, perception_scale
from SUREUncertaintyLib.core.tasks import core_count, run_tasks

SHAPE = (96, 9216)
VOLUME = (300, 512, 512)
CLASSES = 104
SLAB_ROWS = 8
WORKERS = (1, 2, 4, 8, 16)
TASKS = 64
TASK_S = 0.5


def bench_difficulty() -> dict[str, Any]:
    """All of it, each part in a process of its own with one numerical thread."""
    return {"gram": _alone("gram"), "streamed": _alone("streamed"), "workers": bench_workers()}


def bench_gram() -> dict[str, Any]:
    """S of a 96 x 9216 float32 matrix: tiled Gram in float64 against ``numpy.linalg.svd`` without vectors."""
    matrix = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)

    def by_svd() -> float:
        squared = np.linalg.svd(matrix, compute_uv=False).astype(np.float64) ** 2
        share = squared / squared.sum()
        return float(-(share * np.log(share)).sum() / np.log(len(share)))

    difference = abs(perception_scale(matrix).value - by_svd())
    result = interleaved(lambda: perception_scale(matrix), by_svd).document()
    return {"shape": list(SHAPE), "difference": difference, **result}


def bench_streamed(classes: int = CLASSES, shape: tuple[int, int, int] = VOLUME) -> dict[str, Any]:
    """S of every class of a logit volume that arrives in slabs of rows and is never held as a whole."""
    start, values, peaks = time.perf_counter(), list[float](), list[float]()
    noise = np.random.default_rng(0).standard_normal((shape[0], SLAB_ROWS * shape[2]), dtype=np.float32)
    for number in range(classes):
        gram = GramAccumulator(shape[0])
        for row in range(0, shape[1], SLAB_ROWS):
            # a new slab of this class, as a network would hand it over
            gram.add(np.roll(noise, 7 * row + number, axis=0) * np.float32(1 + number))
        values.append(gram.scale().value)
        peaks.append(_peak_gib())
    return {
        "classes": classes,
        "shape": list(shape),
        "float32_gib": round(4 * float(np.prod(shape)) * classes / 2**30, 1),
        "peak_gib": round(peaks[-1], 3),
        "peak_first_gib": round(peaks[0], 3),
        "seconds": round(time.perf_counter() - start, 1),
        "mean_scale": float(np.mean(values)),
    }


def bench_workers() -> list[dict[str, Any]]:
    """Seconds for 64 cases on a Dask cluster that is up already: work up to the cores, waiting in its place beyond.

    ``efficiency`` is the share of the ideal speed, that of one worker times their number.
    """
    cores, rows = core_count(), list[dict[str, Any]]()
    for workers in WORKERS:
        with LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster:
            for work, function in (("computing", _compute), ("waiting", _wait)):
                if work == "waiting" or workers <= cores:
                    seconds = _spread(function, cluster.scheduler_address)
                    rows.append({"work": work, "workers": workers, "tasks": TASKS, "seconds": round(seconds, 2)})
    alone = {row["work"]: row["seconds"] for row in rows if row["workers"] == 1}
    return [{**row, "efficiency": round(alone[row["work"]] / row["seconds"] / row["workers"], 3)} for row in rows]


def _spread(function: Callable[[Any], Any], address: str) -> float:
    """Every worker has loaded what it needs before the clock starts."""
    list(run_tasks(function, range(2 * max(WORKERS)), scheduler=address))
    start = time.perf_counter()
    outcomes = list(run_tasks(function, range(TASKS), scheduler=address))
    seconds = time.perf_counter() - start
    if any(outcome.error for outcome in outcomes):
        raise SystemExit(f"a task failed: {next(outcome.error for outcome in outcomes if outcome.error)}")
    return seconds


def _peak_gib() -> float:
    """Largest resident memory of this process; Linux's own figure, because ``getrusage`` counts the parent's too."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(row for row in status.read_text(encoding="utf-8").splitlines() if row.startswith("VmHWM"))
        return float(line.split()[1]) / 2**20
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _compute(seed: int) -> float:
    """About half a second of linear algebra on one core."""
    end, value = time.process_time() + TASK_S, 0.0
    matrix = np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)
    while time.process_time() < end:
        value += perception_scale(matrix).value
    return value


def _wait(seed: int) -> int:
    time.sleep(TASK_S)
    return seed


def _alone(part: str) -> dict[str, Any]:
    """Run one part in a fresh process with one thread and read its result."""
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, __file__, part]
    done = subprocess.run(command, env={**os.environ, **single}, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main() -> None:
    """``python scale_speed.py gram`` or ``streamed``: one part, as JSON."""
    parts = {"gram": bench_gram, "streamed": bench_streamed}
    print(json.dumps(parts[sys.argv[1]]()))


if __name__ == "__main__":
    main()
