"""Slicer's scene of a scan over time, where slicer-core is installed."""

from __future__ import annotations

from pathlib import Path

from ..cine.cine_result import CineResult
from ..mrml.scene_addition import FILE, NO_SCENE, UNREADABLE, can_write_scenes


def add_cine_scene(result: CineResult, folder: Path) -> list[str]:
    """Write ``scene.mrb`` of a scan over time; what there is to say about it."""
    if not can_write_scenes():
        return [NO_SCENE.text]
    from ..mrml.archive import UnreadableScene, require_readable, write_mrb
    from ..mrml.cine_frames import publish_cine
    from ..mrml.display import show_result
    from ..mrml.headless import HeadlessScene

    with HeadlessScene() as headless:
        nodes = publish_cine(headless.scene, result)
        show_result(headless.scene, nodes.published)
        try:
            write_mrb(headless.scene, folder / FILE)
            require_readable(folder / FILE)
        except UnreadableScene as error:
            (folder / FILE).unlink(missing_ok=True)
            return [UNREADABLE.format(reason=error)]
    return []
