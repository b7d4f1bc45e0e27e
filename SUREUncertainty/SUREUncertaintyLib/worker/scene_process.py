"""Scene and pictures of a result, made in a process of their own while the network and the report are busy.

Slicer's libraries take longer to load than a small network to run. Their process starts with the run, loads them beside
it, gets the result when there is one, and draws while the report is drawn. What happens to it does not happen to the
result: VTK may crash where OpenGL is incomplete. Trying that first would cost every run as much time as a picture, so a
second process does it after a crash.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from ..analysis.rows import Notice
from ..core.errors import OutputError
from ..files.output_errors import output_error, temporary_is_full
from ..inference.result import SegmentationResult
from ..mrml.scene_addition import FILE, NO_SCENE, SCENE_FAILED, can_write_scenes, without_scene
from ..report.additions import Add, Addition, Finish, Picture
from .process import kill_tree, private_folder, spawn
from .result_files import write_with_scan

PREFIX = "sure-scene-process-"
OUTCOME = "outcome.json"
"""What the process has done so far: ``scene`` (true once it is written), ``notices``, ``pictures``, ``error``."""

ERRORS = "stderr"

SCENE, SCENE_AND_PICTURES, PICTURES = "scene", "scene-and-pictures", "pictures"
"""What a process is for. Pictures alone are drawn after a crash, once it is known how this machine draws."""

SECONDS = 300
"""After which drawing is given up."""

CAPTIONS = {
    "3d.png": ("3D view", "The structures in 3D, their surfaces painted by the uncertainty there."),
}
"""The pictures that also enter the report, which has slices of its own."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""Environment of a process whose matrices are 4 x 4: further threads would only take time from the network's."""

LATE = f"no answer after {SECONDS} s"
STOPPED = "the library of 3D Slicer stopped with {ending}"
NOT_DRAWN = (
    "The pictures of Slicer's views could not be drawn ({reason}). Everything else is complete; open scene.mrb in "
    "Slicer to see the result."
)


class SceneProcess:
    """``with SceneProcess() as scene:`` starts it; ``scene.additions`` go to whatever writes the results folder.

    Args:
        wanted: False for a run without a scene; nothing is started then.
        pictures: whether Slicer's views are drawn too.
    """

    def __init__(self, wanted: bool = True, pictures: bool = True) -> None:
        self._wanted, self._task = wanted, SCENE_AND_PICTURES if pictures else SCENE
        self._folder: Path | None = None
        self._process: subprocess.Popen[str] | None = None
        self._missing = NO_SCENE

    @property
    def pid(self) -> int | None:
        """The process's id; None where none was started."""
        return None if self._process is None else self._process.pid

    @property
    def additions(self) -> tuple[Add, ...]:
        """See ``report.result_folder.write_results``."""
        return (self._send,) if self._wanted else ()

    def __enter__(self) -> SceneProcess:
        if self._wanted and can_write_scenes():
            try:
                self._folder = private_folder(PREFIX)
                self._process = _spawn(self._folder, self._task)
            except OSError as error:  # a full disk, or no more processes: the run goes on without a scene
                self._missing = without_scene(temporary_is_full() or f"Its process did not start ({error.strerror}).")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; for a run that turns out to need none."""
        if self._process is not None:
            kill_tree(self._process)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._process, self._folder = None, None  # its id may be another process's by the time of a second call

    def _send(self, result: SegmentationResult, target: Path) -> Finish:
        """Hand the result over; ``target`` is the folder of results. Raises ``OutputError``."""
        if self._process is None or self._folder is None:
            return lambda _: Addition(notices=(self._missing,))
        try:
            _request(self._process, target, write_with_scan(result, self._folder))
        except OSError as error:
            reason = temporary_is_full()
            if not reason:
                raise output_error(error, self._folder) from None
            return lambda _: Addition(notices=(without_scene(reason),))
        return partial(self._finish, target)

    def _finish(self, target: Path, _: SegmentationResult) -> Addition:
        """Wait for scene and pictures. Raises ``OutputError``: the results folder cannot be written."""
        outcome, ending = self._ended()
        if ending not in ("", LATE) and outcome.get("scene") and self._task == SCENE_AND_PICTURES:
            outcome, ending = self._drawn_again(target, ending)
        if outcome.get("error"):
            raise OutputError(outcome["error"])
        notices = [Notice(*notice) for notice in outcome.get("notices", ())]
        if ending:
            notices.append(_left_out(target, bool(outcome.get("scene")), STOPPED.format(ending=ending)))
        names = outcome.get("pictures", ())
        return Addition(
            tuple(Picture(f"pictures/{name}", *CAPTIONS[name]) for name in names if name in CAPTIONS), tuple(notices)
        )

    def _ended(self) -> tuple[dict[str, Any], str]:
        """Wait; what the process has done, and how it ended where that was not well."""
        assert self._process is not None
        assert self._folder is not None
        try:
            ending = _ending(self._process.wait(SECONDS), self._folder / ERRORS)
        except subprocess.TimeoutExpired:
            kill_tree(self._process)
            ending = LATE
        return _read(self._folder / OUTCOME), ending

    def _drawn_again(self, target: Path, ending: str) -> tuple[dict[str, Any], str]:
        """The pictures of a written scene in a second process, which tries OpenGL before it draws."""
        assert self._folder is not None
        for name in CAPTIONS:  # the first one may have written half of a picture
            (target / "pictures" / name).unlink(missing_ok=True)
        try:
            self._process = _spawn(self._folder, PICTURES)
            _request(self._process, target, {})
        except OSError:
            return {"scene": True}, ending
        return self._ended()


def _request(process: subprocess.Popen[str], target: Path, result: dict[str, Any]) -> None:
    """Hand a result over, and say where its files go. Raises ``OSError``."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it has ended; how, is told at the end
        process.stdin.write(json.dumps({"target": str(target.resolve()), **result}) + "\n")
        process.stdin.close()


def _spawn(folder: Path, task: str) -> subprocess.Popen[str]:
    """The process, in its own empty folder: one called "slicer" in the current one would break the import of slicer."""
    arguments = ["-m", "SUREUncertaintyLib.worker.scene_child", str(folder), task]
    with (folder / ERRORS).open("wb") as errors:
        return spawn(sys.executable, arguments, ONE_THREAD, subprocess.DEVNULL, errors, folder)


def _ending(code: int, errors: Path) -> str:
    """How a process ended that should have ended well; empty where it did."""
    if code <= 0:
        return f"signal {-code}" if code else ""
    last = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    return ": ".join([f"exit code {code}", *last])


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _left_out(target: Path, has_scene: bool, reason: str) -> Notice:
    if has_scene:
        return Notice("no-view-pictures", NOT_DRAWN.format(reason=reason))
    (target / FILE).unlink(missing_ok=True)
    return Notice(SCENE_FAILED, without_scene(f"The reason: {reason}.").text)
