"""The worklist at size: a cohort of 200 scans, killed on the way and gone on with; memory, time, a second worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from pairs import interleaved
from SUREUncertaintyLib.analysis.noise_series import KINDS, damaged
from SUREUncertaintyLib.files.writing import write_volume
from template_crop import template_crop

SCANS, KILLED_AT, FEW, PAIRS = 200, 60, 16, 3
STRENGTHS = (0.1, 0.2, 0.3, 0.4)
LOOK_S = 0.1
RUN = "import sys; from SUREUncertaintyLib.cli.app import main; sys.exit(main())"


def bench_cohort(model: str) -> dict[str, Any]:
    """``sure cohort`` on damaged copies of one hippocampus, each of another damage, without pictures.

    ``memory``: MiB of all processes of the command at their most, in the first and in the last quarter of the cases
    after the kill. ``over_network``: seconds of the command without its start, over those of the network alone.
    ``workers``: two against one on a part of the scans, one thread each. ``load``: processes that wanted the cores when
    it began, besides these.
    """
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_scans(folder / "scans", SCANS)
        write_scans(folder / "few", FEW)
        output = folder / "out"
        killed = Watched(cohort(model, folder / "scans", output, 1))
        killed.run(lambda done: done >= KILLED_AT, output)
        kept = stamps(output)
        rest = Watched(cohort(model, folder / "scans", output, 1))
        rest.run(lambda done: False, output)
        after = stamps(output)
        times = [timings(output / "cases" / name / "report.json") for name in after if name not in kept]
        workers = interleaved(partial(again, model, folder, 2), partial(again, model, folder, 1), PAIRS)
    quarter = (len(after) - len(kept)) / 4
    first, last = (
        max(look.mib for look in rest.looks if low <= look.done - len(kept) <= high)
        for low, high in ((1, quarter), (3 * quarter, 4 * quarter))
    )
    start = next(look.seconds for look in rest.looks if look.done > len(kept)) - times[0]["total"]
    seconds, network = rest.looks[-1].seconds, sum(one["network"] for one in times)
    return {
        "load": round(load, 1),
        "scans": SCANS,
        "killed_at": len(kept),
        "finished": len(after),
        "run_twice": sum(after[name] != stamp for name, stamp in kept.items()),
        "memory": {"first_quarter_mib": round(first), "last_quarter_mib": round(last), "ratio": round(last / first, 3)},
        "seconds": round(seconds, 1),
        "start_s": round(start, 1),
        "over_network": round((seconds - start) / network, 3),
        "few": FEW,
        "workers": workers.document(),
    }


def write_scans(folder: Path, count: int) -> None:
    """The crop under every kind of damage in four strengths, with other noise each."""
    folder.mkdir()
    crop = template_crop()
    for number in range(count):
        kind, strength = KINDS[number % len(KINDS)], STRENGTHS[number // len(KINDS) % len(STRENGTHS)]
        write_volume(crop.with_array(damaged(crop, kind, strength, number)), folder / f"scan{number:03d}.nrrd")


def cohort(model: str, scans: Path, output: Path, workers: int) -> list[str]:
    """The command as a person types it."""
    asked = ["cohort", str(scans), "--model", model, "--output", str(output), "--no-pictures", "--workers"]
    return [sys.executable, "-c", RUN, *asked, str(workers)]


def again(model: str, folder: Path, workers: int) -> None:
    """The few scans into a new folder."""
    with tempfile.TemporaryDirectory(dir=folder) as output:
        command = cohort(model, folder / "few", Path(output) / "out", workers)
        subprocess.run(command, check=True, capture_output=True, env=one_thread())


def one_thread() -> dict[str, str]:
    """The environment of a command whose networks have one thread each."""
    return {**os.environ, "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Look:
    """A moment of a run: seconds since its start, finished cases, MiB of all its processes."""

    seconds: float
    done: int
    mib: float


class Watched:
    """A command whose memory is looked at while it runs."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self.looks: list[Look] = []

    def run(self, kill: Callable[[int], bool], output: Path) -> None:
        """To its end, or until ``kill`` says so of the number of finished cases."""
        began = time.perf_counter()
        process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=one_thread()
        )
        while process.poll() is None:
            done = len(stamps(output))
            self.looks.append(Look(time.perf_counter() - began, done, resident(process.pid)))
            if kill(done):
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                return
            time.sleep(LOOK_S)
        if process.returncode:
            raise SystemExit(f"sure cohort ended with {process.returncode}")


def resident(pid: int) -> float:
    """MiB of a process and all below it."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.Error:  # one ended meanwhile
        pass
    return total / 2**20


def stamps(output: Path) -> dict[str, int]:
    """When each finished case was written."""
    return {path.parent.name: path.stat().st_mtime_ns for path in output.glob("cases/*/report.json")}


def timings(report: Path) -> dict[str, float]:
    """Seconds of a single case by stage, as its report has them."""
    found: dict[str, float] = json.loads(report.read_text(encoding="utf-8"))["timings_s"]
    return found
