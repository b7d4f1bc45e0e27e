"""What enters a results folder beside the maps: pictures, and further files written by layers above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..analysis.rows import Notice
from ..inference.result import SegmentationResult


@dataclass(frozen=True)
class Picture:
    """A picture on disk: its path inside the results folder, what it shows, and a sentence to go below it."""

    file: str
    title: str
    caption: str = ""


@dataclass(frozen=True)
class Addition:
    """What a layer above put into the folder: pictures for the report, and what there is to say about it."""

    pictures: tuple[Picture, ...] = ()
    notices: tuple[Notice, ...] = ()


Finish = Callable[[SegmentationResult], Addition]
"""The rest of an addition, when everything but the report is written; the result has the notices of those before it."""

Add = Callable[[SegmentationResult, Path], Finish]
"""Begins to write more files of a result into a folder, for instance a scene; what takes long may go on beside."""
