"""Pictures of a result as Slicer shows it: three slices and one 3D view, drawn offscreen.

To be drawn in a process of its own (``worker.scene_process``), since VTK may crash where OpenGL is incomplete.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .archive import read_mrb
from .camera_focus import Focus, focus_of
from .chosen_map import PAINTED, PRIMARY, show_in_threed, show_legend
from .display import show_overlay, show_surfaces
from .framing import FROM, slice_frame
from .headless import SLICE_VIEWS, HeadlessScene
from .nodes import PublishedNodes, all_published
from .outlines import show_outlines
from .sample_nodes import show_sample
from .views import SliceView, ThreeDView

SIZE = (1000, 800)
"""Width and height of a picture, pixels."""

Key = list[tuple[str, tuple[float, ...]]]
"""Name and colour of every segment."""


def draw_pictures(archive: Path, folder: Path, number: int = 0) -> tuple[str, ...]:
    """Draw result ``number`` of a scene file (.mrb) into an existing folder. May crash the process without OpenGL.

    Returns:
        Names of the files: ``axial.png``, ``sagittal.png``, ``coronal.png`` and ``3d.png``.
    """
    names = tuple(f"{name.lower()}.png" for name in SLICE_VIEWS.values())
    with HeadlessScene() as headless:
        threed = ThreeDView(headless, SIZE)
        slices = [SliceView(headless, name, SIZE, threed) for name in SLICE_VIEWS]
        read_mrb(headless.scene, archive)
        published = _only(all_published(headless.scene), number)
        focus, key = focus_of(published), _key(published.segmentation)
        show_overlay(headless.scene, published)
        show_legend(published, PRIMARY, True)
        for view, name in zip(slices, names, strict=True):
            view.add_key(key)
            _draw_slice(view, focus, folder / name)
        _draw_3d(threed, headless.scene, published, focus, key, folder / "3d.png")
    return (*names, "3d.png")


def _draw_3d(view: ThreeDView, scene: Any, published: PublishedNodes, focus: Focus, key: Key, path: Path) -> None:
    show_surfaces(published)
    show_in_threed(scene, published, PRIMARY, PAINTED)
    show_legend(published, PRIMARY, True)
    view.add_key(key)
    view.look_at(focus.points, FROM)
    view.save(path)


def _only(results: list[PublishedNodes], number: int) -> PublishedNodes:
    """Hide the structures of all results but one, and every sample."""
    for result in results:
        show_outlines(result.segmentation, result is results[number])
        show_sample(result.sample, visible=False)
    return results[number]


def _draw_slice(view: SliceView, focus: Focus, path: Path) -> None:
    view.frame(*slice_frame(focus, view.node.GetOrientation()))
    view.annotate()
    view.save(path)


def _key(segmentation: Any) -> Key:
    """Name and colour of every segment."""
    segments = segmentation.GetSegmentation()
    return [(s.GetName(), s.GetColor()) for s in map(segments.GetSegment, segments.GetSegmentIDs())]
