"""``make bench``: measures, writes results/bench.json beside this file and renews docs/benchmarks.md from it."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from browser import bench_browser
from cohort_runs import bench_cohort
from engines import bench_engines, bench_uncertainty
from frozen_head import bench_frozen_head
from live import bench_live
from measured_commit import ROOT, commit
from memory import bench_memory
from previews import bench_previews
from ranks import bench_ranks
from samples import bench_samples
from scale_speed import bench_difficulty
from tables import benchmarks_page
from training_cost import bench_training
from whole_runs import bench_runs

RESULTS = ROOT / "Testing" / "Bench" / "results" / "bench.json"
PAGE = ROOT / "docs" / "benchmarks.md"
MODEL = "hippocampus-t1"
LATENT_MODEL = "lung-nodule-ct"


def machine() -> dict[str, Any]:
    """What the absolute numbers depend on."""
    names = [line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": len(names),
        "python": platform.python_version(),
    }


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


PARTS: dict[str, Callable[[], Any]] = {
    "engines": lambda: bench_engines(MODEL),
    "uncertainty": lambda: bench_uncertainty(MODEL),
    "frozen_head": bench_frozen_head,
    "ranks": bench_ranks,
    "training": lambda: bench_training(MODEL),
    "difficulty": bench_difficulty,
    "live": lambda: bench_live(MODEL),
    "previews": lambda: bench_previews(MODEL),
    "samples": lambda: {"model": LATENT_MODEL, **bench_samples(LATENT_MODEL)},
    "memory": lambda: bench_memory(MODEL),
    "browser": bench_browser,
    "runs": lambda: bench_runs(MODEL),
    "cohort": lambda: bench_cohort(MODEL),
}


def main() -> None:
    """Measure everything, or with ``--only PART`` one part, the others staying as they were measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be given again")
    chosen = parser.parse_args().only or list(PARTS)
    document = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    document |= {"machine": machine(), "model": MODEL}
    commits = document.get("commits", dict.fromkeys(set(PARTS) & set(document), document.pop("commit", "")))
    for name in chosen:
        document[name] = PARTS[name]()
        document["commits"] = commits = {**commits, name: commit()}
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(benchmarks_page(document), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
