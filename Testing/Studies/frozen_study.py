"""Uncertainty for a network that stays as it is: every way to get it, on one network, one set of scans, one budget.

    python Testing/Studies/frozen_study.py settings|arms|acdc|page --data DIR --model PACKAGE [--name NAME] [--seeds 0]

``--data`` holds ``msd_hippocampus`` or, with ``--organ heart``, ``acdc_noncommercial``; ``--model`` is a package that
was trained on neither the tuning nor the validation patients: what ``sure train hippocampus-t1-plain`` makes, an import
of what ``Testing/Bench/nnunet_folds.py`` trains, or what ``acdc`` trains into ``--work``. ``settings`` fits heads on
two thirds of the tuning patients and judges them on the rest. ``arms`` does the same for every arm; with ``--split
validation`` heads are fitted on all tuning patients and judged on the validation patients, once for a network and its
settled settings. What stands in ``Testing/Studies/results/frozen.json`` already is skipped. ``page`` writes
``docs/fit-study.md`` from that file.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from frozen.acdc import train_acdc
from frozen.arms import Arm, Timed, entropy_map, members, mirrors, ours, own_map, segwithu, temperature
from frozen.page import write_page
from frozen.scans import StudyScan, read_scans, shown, study_cases
from frozen.scores import scan_level, score_scan
from frozen.settings import TRIED
from SUREUncertaintyLib.fitting.frozen_network import FrozenNetwork, open_network
from SUREUncertaintyLib.fitting.settings import FitSettings
from SUREUncertaintyLib.packages.catalogue import find_package

RESULTS = Path(__file__).resolve().parent / "results" / "frozen.json"
SHOWN_SEED = 100
"""Of the disturbed copies; fits draw theirs from other seeds."""
DRAWN = ("segwithu", "ours with labels", "ours without")
"""Arms that chance plays a part in; the others are run once."""


@dataclass(frozen=True)
class Study:
    """What the command line asked for, and the scans, read once."""

    network: FrozenNetwork
    name: str
    split: str
    work: Path
    fitted: list[StudyScan]
    judged: list[StudyScan]

    def arms(self, seed: int) -> dict[str, Callable[[], Arm]]:
        """Every arm that this network can have, made when it is asked for."""
        network, settings = self.network, FitSettings(seed=seed)
        found: dict[str, Callable[[], Arm]] = {
            "own": lambda: own_map(network),
            "entropy": lambda: entropy_map(network),
            "temperature": lambda: temperature(network, self.fitted),
            "segwithu": lambda: segwithu(network, self.fitted, seed),
            "ours with labels": lambda: self.ours(True, settings),
            "ours without": lambda: self.ours(False, settings),
        }
        if network.planar:
            return found  # trained without mirroring, and alone
        if network.teachers is None:
            found["left-right"] = lambda: mirrors(network, (2,))  # the one mirroring that it was trained with
            found["mirrors"] = lambda: mirrors(network, (0, 1, 2))
            return found
        first = network.teachers.run[0].member
        found["mirrors"] = lambda: members(network, lambda one: one.member == first)
        found["folds"] = lambda: members(network, lambda one: not one.mirrored)
        found["folds x mirrors"] = lambda: members(network, lambda one: True)
        return found

    def ours(self, labelled: bool, settings: FitSettings) -> Arm:
        """The head of ``sure fit``; disturbed copies are drawn once for all seeds."""
        what = f"{self.name}-{self.split}-{'labels' if labelled else 'none'}"
        work, samples = self.work / f"{what}-{time.time_ns()}", self.work / f"samples-{what}"
        return ours(self.network, self.fitted, labelled, settings, work, samples)

    def score(self, make: Callable[[], Arm]) -> dict[str, Any]:
        """One arm on every judged scan: means, spread over scans, and what it cost."""
        began = time.process_time()
        arm = Timed(make())
        fitting = time.process_time() - began
        scores = []
        for number, scan in enumerate(self.judged):
            found = {name: arm(image) for name, image in shown(scan, SHOWN_SEED + number)}
            window = scan.window
            assert window.label is not None  # every scan of the study has one
            scores.append(score_scan(scan.id, window.image, window.label, window.spacing, found))
        names = scores[0].values
        values = {name: np.array([one.values[name] for one in scores]) for name in names}
        return {
            "scans": [one.id for one in scores],
            "mean": {name: float(np.nanmean(row)) for name, row in values.items()} | scan_level(scores),
            "deviation": {name: float(np.nanstd(row)) for name, row in values.items()},
            "images": sum(len(one.passes) for one in scores),
            "seconds_scan": float(np.median(arm.seconds)),
            "seconds_fit": fitting,
        }


class Results:
    """The results file, read and written for every arm, so that networks may be run side by side."""

    def __init__(self, path: Path = RESULTS) -> None:
        self._path = path

    @property
    def document(self) -> dict[str, Any]:
        """What stands there now."""
        found: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8")) if self._path.is_file() else {}
        return found

    def add(self, key: str, make: Callable[[], Mapping[str, Any]]) -> None:
        """Make and keep a result that is not there yet."""
        if key in self.document:
            print(f"there already: {key}")
            return
        print(f"running: {key}", flush=True)
        result = make()
        self._path.parent.mkdir(exist_ok=True)
        text = json.dumps(self.document | {key: result}, indent=1, sort_keys=True)
        fresh = self._path.with_suffix(f".{os.getpid()}.new")
        fresh.write_text(text + "\n", encoding="utf-8")
        os.replace(fresh, self._path)
        print({name: round(value, 3) for name, value in result["mean"].items()}, flush=True)


def main() -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("settings", "arms", "acdc", "page"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--name")
    parser.add_argument("--organ", choices=("hippocampus", "heart"), default="hippocampus")
    parser.add_argument("--split", choices=("tuning", "validation"), default="tuning")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--work", type=Path, default=Path("build/frozen"))
    asked = parser.parse_args()
    if asked.command == "page":
        write_page(Results().document)
        return
    if asked.command == "acdc":
        print(train_acdc(asked.data, asked.work / "acdc"))
        return
    network = open_network(find_package(asked.model), threads=1)
    cases = study_cases(asked.data, asked.organ, asked.split)
    fitted, judged = (read_scans(part, network) for part in (cases.fitted, cases.judged))
    name = asked.name or network.package.metadata.name
    study, results = Study(network, name, asked.split, asked.work, fitted, judged), Results()
    if asked.command == "settings":
        for setting, changes in TRIED.items():
            if not asked.only or setting in asked.only:
                chosen = replace(FitSettings(), **changes)
                results.add(f"{name}/settings/{setting}", lambda: _setting(study, chosen))  # noqa: B023 - called at once
        return
    for seed in asked.seeds:
        for arm, make in study.arms(seed).items():
            if (not asked.only or arm in asked.only) and (not seed or arm in DRAWN):
                results.add(f"{name}/{asked.split}/{arm}/{seed}", lambda: study.score(make))  # noqa: B023 - called at once


def _setting(study: Study, settings: FitSettings) -> dict[str, Any]:
    found = study.score(lambda: study.ours(False, settings))
    return {**found, "settings": asdict(settings)}


if __name__ == "__main__":
    main()
