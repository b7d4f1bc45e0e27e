"""Slicer's scene as a further file of a results folder, where slicer-core is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ..analysis.rows import Notice
from ..core.errors import OutputError
from ..files.output_errors import temporary_is_full
from ..inference.result import SegmentationResult
from ..report.additions import Addition, Finish

FILE = "scene.mrb"
NO_SCENE = Notice(
    "no-scene",
    "scene.mrb was not written, because slicer-core is not installed; everything else is complete. "
    "To have it: pip install 'sure-uncertainty[mrml]'.",
)
SCENE_FAILED = "scene-failed"
UNREADABLE = "scene.mrb was left out, because it could not be read back: {reason} Everything else is complete."
WITHOUT = "scene.mrb was not written; everything else is complete. {reason}"


def can_write_scenes() -> bool:
    """Whether slicer-core is installed."""
    return find_spec("slicer") is not None


def add_scene(result: SegmentationResult, folder: Path) -> Finish:
    """Writes ``scene.mrb`` in this process; see ``report.additions.Add``."""
    notices = write_scene(result, folder) if can_write_scenes() else (NO_SCENE,)
    return lambda _: Addition(notices=notices)


def write_scene(result: SegmentationResult, folder: Path) -> tuple[Notice, ...]:
    """Write ``scene.mrb`` and read it back.

    Returns:
        What there is to say: a scene that cannot be read back, or a full temporary folder, does not spoil the rest.

    Raises:
        OutputError, OSError: the folder of results itself cannot be written.
    """
    from .archive import UnreadableScene

    path = folder / FILE
    try:
        _write(result, path)
    except UnreadableScene as error:
        path.unlink(missing_ok=True)
        return (Notice(SCENE_FAILED, UNREADABLE.format(reason=error)),)
    except (OSError, OutputError):
        path.unlink(missing_ok=True)
        reason = temporary_is_full()
        if not reason:
            raise
        return (without_scene(reason),)
    return ()


def without_scene(reason: str) -> Notice:
    """The notice of a result that has everything but its scene."""
    return Notice(NO_SCENE.code, WITHOUT.format(reason=reason))


def _write(result: SegmentationResult, path: Path) -> None:
    from .archive import require_readable, write_mrb
    from .display import show_result
    from .headless import HeadlessScene
    from .publish import publish

    with HeadlessScene() as headless:
        show_result(headless.scene, publish(headless.scene, result))
        write_mrb(headless.scene, path)
    require_readable(path)
