"""Runs every journey in a real 3D Slicer and fails on a log line that an empty session does not have.

    python Testing/Slicer/run_journeys.py --slicer /path/to/Slicer

Headless: put ``xvfb-run`` before it. OpenVINO and scikit-image must be in Slicer's Python first, because nothing is
installed under ``--testing``: PythonSlicer -m pip install -r SUREUncertainty/Resources/requirements.txt
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULE = HERE.parents[1] / "SUREUncertainty"
LIMIT_SECONDS = 900
EMPTY_SESSION = "import slicer.testing; slicer.testing.exitSuccess()"
VARYING = re.compile(r"0x[0-9a-f]+|\d+")
ORDINARY = re.compile(r'Switch to module:|saved +"|".*" Reader has successfully read|journey (skipped|note): ')
"""What Slicer itself says when a module is opened and a file is written or read, and what a journey says of itself."""


def main() -> int:
    """Exit code 0 when every journey passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--slicer", type=Path, required=True, help="the Slicer executable")
    parser.add_argument("journeys", nargs="*", type=Path, help="all when left out")
    options = parser.parse_args()
    journeys = options.journeys or sorted(HERE.glob("journey_*.py"))
    with tempfile.TemporaryDirectory(prefix="sure-journeys-") as folder:
        quiet = shapes(
            run(options.slicer, ["--python-code", "import slicer.testing; slicer.testing.exitSuccess()"], folder).stdout
        )
        failed = [path.stem for path in journeys if not passes(options.slicer, path, folder, quiet)]
    print(f"{len(journeys) - len(failed)} of {len(journeys)} journeys passed", *failed)
    return 1 if failed else 0


def passes(slicer: Path, path: Path, folder: str, quiet: set[str]) -> bool:
    """Run one journey and judge exit code and log."""
    done = run(slicer, ["--python-script", str(path)], folder)
    lines = (line for line in done.stdout.splitlines() if shape(line) and not ORDINARY.match(line))
    new = sorted(line for line in lines if shape(line) not in quiet)
    said = [line for line in done.stdout.splitlines() if line.startswith("journey ")]
    print(f"{path.stem}: exit code {done.returncode}", *said, *new, sep="\n    ", flush=True)
    return done.returncode == 0 and not new


def run(slicer: Path, arguments: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    """Slicer with the module, its output and errors together.

    On Linux Slicer lowers its own priority as far as it goes; a busy machine would then not let it finish in time.
    """
    command = [str(slicer), "--testing", "--no-splash", "--additional-module-paths", str(MODULE), *arguments]
    environment = {**os.environ, "SURE_JOURNEY_FOLDER": folder, "SLICER_BACKGROUND_THREAD_PRIORITY": "0"}
    return subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=LIMIT_SECONDS,
        check=False,
    )


def shapes(output: str) -> set[str]:
    """The lines of an output without what varies."""
    return {shape(line) for line in output.splitlines()}


def shape(line: str) -> str:
    """A line without numbers and addresses."""
    return VARYING.sub("#", line).strip()


if __name__ == "__main__":
    sys.exit(main())
