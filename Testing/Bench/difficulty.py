"""The perception scale: Gram eigenvalues against values-only SVD, 104 class maps in little memory, more workers."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np
from pairs import interleaved
from SUREUncertaintyLib.core.tasks import core_count
from SUREUncertaintyLib.core.tasks import run_tasks
from SUREUncertaintyLib.difficulty.scale import GramAccumulator
from SUREUncertaintyLib.difficulty.scale import perception_scale

SHAPE = (96, 9216)
VOLUME = (300, 512, 512)
CLASSES = 104
SLAB_ROWS = 8
WORKERS = (1, 2, 4, 8)
TASKS = 32
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
    start, values = time.perf_counter(), []
    noise = np.random.default_rng(0).standard_normal((shape[0], SLAB_ROWS * shape[2]), dtype=np.float32)
    for number in range(classes):
        gram = GramAccumulator(shape[0])
        for row in range(0, shape[1], SLAB_ROWS):
            # a new slab of this class, as a network would hand it over
            gram.add(np.roll(noise, 7 * row + number, axis=0) * np.float32(1 + number))
        values.append(gram.scale().value)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    seconds = time.perf_counter() - start
    voxels = float(np.prod(shape)) * classes
    return {
        "classes": classes,
        "shape": list(shape),
        "float32_gib": round(4 * voxels / 2**30, 1),
        "peak_gib": round(peak, 2),
        "seconds": round(seconds, 1),
        "mean_scale": float(np.mean(values)),
    }


def bench_workers() -> list[dict[str, Any]]:
    """Seconds for 32 cases with more and more workers: real work up to the cores, then simulated (waiting) work."""
    cores = core_count()
    rows = []
    for workers in WORKERS:
        kind = "computing" if workers <= cores else "simulated (waiting)"
        function = _compute if workers <= cores else _wait
        start = time.perf_counter()
        done = sum(not outcome.error for outcome in run_tasks(function, range(TASKS), workers))
        seconds = time.perf_counter() - start
        rows.append({"workers": workers, "work": kind, "tasks": done, "seconds": round(seconds, 2)})
    return rows


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
    """``python difficulty.py gram`` or ``streamed``: one part, as JSON."""
    parts = {"gram": bench_gram, "streamed": bench_streamed}
    print(json.dumps(parts[sys.argv[1]]()))


if __name__ == "__main__":
    main()
