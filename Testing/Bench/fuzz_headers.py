"""Reads many changed headers of every format: no crash, no hang, no library's text, no scan silently misplaced.

Inputs are numbered and come from a seed, so that each can be made again: ``--start NUMBER --count 1 --keep FOLDER``.
They are read in processes of their own, since a library may end the process that it runs in. With TMPDIR on a disk in
memory it takes half the time.
"""

from __future__ import annotations

import argparse
import faulthandler
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Testing" / "Bench"), str(ROOT / "SUREUncertainty")]

CHUNK = 1000
HANG_S, SLEEP_S = 10, 300
"""Seconds of the processor that an input may take, and of the clock: a busy machine is no hang, a wait for ever is."""
RESULT = ROOT / "Testing" / "Bench" / "results" / "fuzz.json"


def fuzz(count: int, seed: int, start: int = 0, chunk: int = CHUNK) -> dict[str, Any]:
    """Read ``count`` inputs from number ``start`` on; what came of them, with every failure."""
    from measured_commit import commit

    outcomes: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    number, end = start, start + count
    while number < end:
        done, failed = _run_child(number, min(chunk, end - number), seed)
        outcomes.update(done)
        failures += failed
        number += sum(done.values())
    return {
        "seed": seed,
        "start": start,
        "count": count,
        "commits": [commit()],
        "outcomes": dict(sorted(outcomes.items())),
        "failures": failures,
    }


def added(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Runs over ranges that follow one another, as one run.

    Raises:
        ValueError: another seed, or a gap or an overlap between two ranges.
    """
    parts = sorted(parts, key=lambda part: int(part["start"]))
    for one, other in itertools.pairwise(parts):
        if one["seed"] != other["seed"] or one["start"] + one["count"] != other["start"]:
            raise ValueError(f"the run from {other['start']} on does not follow the one from {one['start']} on")
    outcomes = sum((Counter(part["outcomes"]) for part in parts), Counter())
    return {
        "seed": parts[0]["seed"],
        "start": parts[0]["start"],
        "count": sum(part["count"] for part in parts),
        "commits": sorted({name for part in parts for name in part["commits"]}),
        "outcomes": dict(sorted(outcomes.items())),
        "failures": [failure for part in parts for failure in part["failures"]],
    }


def _run_child(start: int, count: int, seed: int) -> tuple[Counter[str], list[dict[str, Any]]]:
    """A part of the inputs in a process of its own; where that ends early, its last input is the failure."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        command = [sys.executable, __file__, "--child", str(log), "--start", str(start), "--count", str(count)]
        subprocess.run([*command, "--seed", str(seed)], check=False, capture_output=True)
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    outcomes = Counter(line["outcome"] for line in lines)
    failures = [line for line in lines if line["outcome"].startswith("FAILURE")]
    if len(lines) < count:
        ended = {"number": start + len(lines), "outcome": "FAILURE: the process ended or hung"}
        failures.append(ended)
        outcomes[ended["outcome"]] += 1
    return outcomes, failures


def _child(log: Path, start: int, count: int, seed: int) -> None:
    warnings.simplefilter("ignore")
    with log.open("w", encoding="utf-8") as stream:
        for number in range(start, start + count):
            faulthandler.dump_traceback_later(SLEEP_S, exit=True)
            signal.setitimer(signal.ITIMER_PROF, HANG_S)  # its signal ends the process
            stream.write(json.dumps(_read_one(number, seed)) + "\n")
            stream.flush()
            faulthandler.cancel_dump_traceback_later()


def _read_one(number: int, seed: int, keep: Path | None = None) -> dict[str, Any]:
    from fuzz_inputs import make_input

    with tempfile.TemporaryDirectory() as temporary:
        folder = (keep or Path(temporary)) / "input"
        folder.mkdir(parents=True)
        name, path = make_input(number, seed, folder)
        outcome, told = _outcome(name, path)
    return {"number": number, "format": name, "outcome": outcome, "told": told}


def _outcome(name: str, path: Path) -> tuple[str, str]:
    """One of: refused, read with a notice, read and the same elsewhere, read but not by the other reader, a failure."""
    from SUREUncertaintyLib.core.errors import InputError
    from SUREUncertaintyLib.files.reading import read_volume

    volume, told = None, ""
    with _Terminal() as terminal:
        try:
            volume = read_volume(path)
        except InputError as error:
            told = str(error)
        except BaseException as error:
            return f"FAILURE: {type(error).__name__}", str(error)
    if terminal.text.strip():
        return "FAILURE: text on the terminal", terminal.text[:300]
    if volume is None:
        leaks = "\n" in told or bool(re.search("0x[0-9a-f]{6}", told)) or "itk" in told.lower()
        return ("FAILURE: a library's text", told) if leaks else ("refused", told)
    return _compared(name, path, volume)


def _compared(name: str, path: Path, volume: Any) -> tuple[str, str]:
    from fuzz_oracles import differs, see

    if volume.remarks or not volume.placed:
        return "read with a notice", " ".join(volume.remarks)
    seen = see(name, path)
    if seen is None:
        return "read, by the other reader not", ""
    difference = differs(name, volume, seen)
    return (f"FAILURE: another {difference.split()[0]}", difference) if difference else ("read, the same elsewhere", "")


class _Terminal:
    """What the process writes to its standard streams meanwhile, libraries in C included."""

    text = ""

    def __enter__(self) -> _Terminal:
        self._file = tempfile.TemporaryFile()
        self._before = [os.dup(1), os.dup(2)]
        for stream in (1, 2):
            os.dup2(self._file.fileno(), stream)
        return self

    def __exit__(self, *_: object) -> None:
        for stream, before in zip((1, 2), self._before, strict=True):
            os.dup2(before, stream)
            os.close(before)
        self._file.seek(0)
        self.text = self._file.read().decode("utf-8", "replace")
        self._file.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--keep", type=Path, help="make and read one input in this folder, and leave it there")
    parser.add_argument("--record", action="store_true", help=f"write {RESULT.relative_to(ROOT)}")
    parser.add_argument("--parts", type=Path, nargs="+", help="add up what earlier runs over ranges printed")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child, options.start, options.count, options.seed)
        return 0
    if options.keep:
        print(json.dumps(_read_one(options.start, options.seed, options.keep), indent=1))
        return 0
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in options.parts or ()]
    found = added(parts) if parts else fuzz(options.count, options.seed, options.start)
    print(json.dumps(found, indent=1))
    if options.record:
        RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 1 if found["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
