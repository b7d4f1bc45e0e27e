"""``python -m SUREUncertaintyLib.worker.scene_child FOLDER TASK``, started by ``worker.scene_process``."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from ..analysis.rows import Notice
from ..core.errors import OutputError
from ..files.output_errors import output_error
from ..mrml.opengl import MISSING, first_gl, pick_gl
from ..mrml.scene_addition import FILE, write_scene
from .result_files import read_with_scan
from .scene_process import OUTCOME, PICTURES, SCENE

FOLDER = "pictures"
"""Folder of pictures inside that of results."""


def main() -> int:
    """Load, wait for a result, write its scene, draw its pictures. Nothing is done where none comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    folder, task = Path(sys.argv[1]), sys.argv[2]
    gl = pick_gl() if task == PICTURES else first_gl()
    if gl is not None:
        os.environ.update(gl.environment({}))
    from scipy import ndimage  # noqa: F401  for painted surfaces; while the network runs, as VTK and Slicer

    from ..mrml import pictures  # noqa: F401

    line = sys.stdin.readline()
    if line:
        _work(json.loads(line), folder, task, draws=gl is not None)
    return 0


def _work(request: dict[str, Any], folder: Path, task: str, draws: bool) -> None:
    target = Path(request["target"])
    outcome: dict[str, Any] = {}
    try:
        notices = () if task == PICTURES else write_scene(read_with_scan(request, folder), target)
        outcome = {"scene": not notices, "notices": [_plain(notice) for notice in notices]}
        _tell(outcome, folder)
        if task != SCENE and not notices:
            outcome |= _drawn(target) if draws else {"notices": [_plain(Notice("no-view-pictures", MISSING))]}
    except OutputError as error:
        outcome = {"error": str(error)}
    except OSError as error:
        outcome = {"error": str(output_error(error, target / FILE))}
    _tell(outcome, folder)


def _drawn(target: Path) -> dict[str, Any]:
    from ..mrml.pictures import draw_pictures

    (target / FOLDER).mkdir(exist_ok=True)
    return {"pictures": draw_pictures(target / FILE, target / FOLDER)}


def _tell(outcome: dict[str, Any], folder: Path) -> None:
    """Replace what was told before: the process may crash at any moment, and half a file says nothing."""
    partial = folder / f"{OUTCOME}.part"
    partial.write_text(json.dumps(outcome), encoding="utf-8")
    partial.replace(folder / OUTCOME)


def _plain(notice: Notice) -> tuple[str, str]:
    return notice.code, notice.text


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # everything is written, and unloading VTK would take as long as a picture
