"""Adds Slicer's scene and the pictures of its views to a folder of results, where slicer-core is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..analysis.rows import Notice
from ..cine.cine_result import CineResult
from ..core.errors import OutputError
from ..files.writing import temporary_is_full
from ..inference.result import SegmentationResult
from ..report.result_folder import Addition
from ..report.slice_pictures import Picture

FILE = "scene.mrb"
NO_SCENE = Notice(
    "no-scene",
    "scene.mrb was not written, because slicer-core is not installed; everything else is complete. "
    "To have it: pip install 'sure-uncertainty[mrml]'.",
)
SCENE_FAILED = "scene-failed"
UNREADABLE = "scene.mrb was left out, because it could not be read back: {reason} Everything else is complete."
WITHOUT = "scene.mrb was not written; everything else is complete. {reason}"
CAPTIONS = {
    "3d": ("3D view", "The structures in 3D, with the uncertain voxels volume-rendered around them."),
    "axial": ("Axial view", "As 3D Slicer shows it: axial slice."),
    "sagittal": ("Sagittal view", "As 3D Slicer shows it: sagittal slice."),
    "coronal": ("Coronal view", "As 3D Slicer shows it: coronal slice."),
}
SHOWN = ("3d",)
"""Pictures that also enter the report, which has slices of its own."""


class AddScene:
    """Writes ``scene.mrb`` and, when ``pictures`` is set, what Slicer's views show of it."""

    def __init__(self, pictures: bool = True) -> None:
        self.pictures = pictures

    def __call__(self, result: SegmentationResult, folder: Path) -> Addition:
        if find_spec("slicer") is None:
            return Addition(notices=(NO_SCENE,))
        try:
            return self._write(result, folder)
        except (OSError, OutputError):
            (folder / FILE).unlink(missing_ok=True)
            reason = temporary_is_full()
            if not reason:
                raise
            return Addition(notices=(Notice(NO_SCENE.code, WITHOUT.format(reason=reason)),))

    def _write(self, result: SegmentationResult, folder: Path) -> Addition:
        from ..mrml.archive import UnreadableScene, require_readable, write_mrb
        from ..mrml.display import show_result
        from ..mrml.headless import HeadlessScene
        from ..mrml.publish import publish

        with HeadlessScene() as headless:
            published = publish(headless.scene, result)
            show_result(headless.scene, published)
            try:
                write_mrb(headless.scene, folder / FILE)
                require_readable(folder / FILE)
            except UnreadableScene as error:
                (folder / FILE).unlink(missing_ok=True)
                return Addition(notices=(Notice(SCENE_FAILED, UNREADABLE.format(reason=error)),))
            return self._draw(headless.scene, published, folder) if self.pictures else Addition()

    def _draw(self, scene: Any, published: Any, folder: Path) -> Addition:
        from ..mrml.pictures import NoPictures, render_pictures
        from ..mrml.sample_nodes import show_sample

        show_sample(published.sample, visible=False)  # the pictures show the result alone
        target = folder / "pictures"
        target.mkdir(exist_ok=True)
        try:
            paths = render_pictures(scene, published, target, folder / FILE)
        except NoPictures as error:
            return Addition(notices=(Notice("no-view-pictures", str(error)),))
        named = {path.stem: path for path in paths}
        return Addition(tuple(Picture(f"pictures/{named[key].name}", *CAPTIONS[key]) for key in SHOWN if key in named))


def add_cine_scene(result: CineResult, folder: Path) -> list[str]:
    """Write ``scene.mrb`` of a scan over time; what there is to say about it."""
    if find_spec("slicer") is None:
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
