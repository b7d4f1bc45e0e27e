"""Finds TotalSegmentator's networks on disk, and which of its tasks they are."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from ...core.errors import PackageError
from .tasks import BODY_FAST, FASTEST, FOLDERS, REFUSED, TASKS, Task, task_named

DATASET = re.compile(r"^Dataset(\d{3})_")
HOME = ".totalsegmentator"
PLACES = ("TOTALSEG_HOME_DIR", "TOTALSEG_WEIGHTS_PATH")
"""Variables of the environment by which TotalSegmentator is told to keep its networks elsewhere."""

NAMED = re.compile(r"^Dataset\d+_TotalSeg(mentator|MRI).*_\d+subj(_.*)?$")


def is_totalsegmentator(path: Path) -> bool:
    """Whether a folder lies where TotalSegmentator keeps its networks, or is named as one of them."""
    inside = _is_at_home(path) or any(_is_named(part) for part in path.resolve().parts)
    return inside or any(_is_named(part.name) for part in _folders(path))


def find_task(path: Path) -> tuple[Task, tuple[Path, ...]]:
    """The task at a folder of results, a data set's folder in it, or anything inside that, and its data sets' folders.

    Of a folder of results the finest complete form of ``total`` is taken, or the only complete task; the networks that
    tasks crop by do not count beside others.

    Raises:
        PackageError: a task that is not done here, several of them, or parts are missing.
    """
    chosen = next((folder for folder in (path, *path.parents) if DATASET.match(folder.name)), None)
    there = datasets_beside(path)
    if chosen is None:
        task = _of_many(path, there)
    else:
        _refuse_known(number_of(chosen), chosen.name)
        task = _task_of(number_of(chosen), chosen.name)
    return task, found_datasets(task, there, path)


def found_datasets(task: Task, there: Mapping[int, Path], path: Path) -> tuple[Path, ...]:
    """The folders of a task's data sets. Raises ``PackageError`` where some are missing."""
    missing = [number for number in task.datasets if number not in there]
    if missing:
        made_of = ", ".join(map(str, task.datasets))
        raise PackageError(
            f"TotalSegmentator's task '{task.name}' is made of the data sets {made_of}; missing beside {path.name}: "
            f"{', '.join(map(str, missing))}. Download them with TotalSegmentator."
        )
    return tuple(there[number] for number in task.datasets)


def datasets_beside(path: Path) -> dict[int, Path]:
    """Data sets' folders in a folder of results, by number; ``path`` is that folder or lies in it."""
    chosen = next((folder for folder in (path, *path.parents) if DATASET.match(folder.name)), None)
    return {number_of(folder): folder for folder in _folders(path if chosen is None else chosen.parent)}


def number_of(folder: Path) -> int:
    """The number in a data set's name; 0 without one."""
    found = DATASET.match(folder.name)
    return int(found[1]) if found else 0


def _of_many(path: Path, there: Mapping[int, Path]) -> Task:
    complete = [task for task in TASKS if set(task.datasets) <= set(there)]
    total = [task for task in complete if task.family == "total"]
    others = [task for task in complete if task.name not in (FASTEST, BODY_FAST) and task.family != "total"]
    if total and (total[0].name != FASTEST or not others):
        return total[0]
    if len(others) == 1 or (complete and not others):
        return (others or complete)[0]
    if others:
        names = ", ".join(task.name for task in others)
        raise PackageError(f"{path.name} holds several tasks of TotalSegmentator: {names}. Give the folder of one.")
    if len(there) == 1:
        (number, folder), *_ = there.items()
        _refuse_known(number, folder.name)
        return _task_of(number, folder.name)
    return task_named("total")


def _task_of(number: int, name: str) -> Task:
    task = next((task for task in TASKS if number in task.datasets), None)
    if task is None:
        raise PackageError(
            f"{name} is a task of TotalSegmentator that is not known here: it may crop by another network or change "
            "its masks afterwards. A network of your own in a folder of that name comes in under another name."
        )
    return task


def _refuse_known(number: int, name: str) -> None:
    if number in REFUSED:
        raise PackageError(
            f"{name} belongs to a task of TotalSegmentator that {REFUSED[number]}, which is not done here. Segment "
            "with TotalSegmentator; 'sure analyse' reads its masks."
        )


def _is_at_home(path: Path) -> bool:
    places = [Path(os.environ[name]).resolve() for name in PLACES if os.environ.get(name)]
    resolved = path.resolve()
    return HOME in resolved.parts or any(resolved.is_relative_to(place) for place in places)


def _is_named(name: str) -> bool:
    return name in FOLDERS or bool(NAMED.match(name))


def _folders(path: Path) -> list[Path]:
    return [part for part in path.iterdir() if part.is_dir() and DATASET.match(part.name)] if path.is_dir() else []
