"""Pictures of a result as Slicer shows it: three slices and one 3D view, drawn offscreen.

``python -m SUREUncertaintyLib.mrml.pictures SCENE.mrb FOLDER`` draws in a process of its own, since VTK may crash
where OpenGL is incomplete; ``render_pictures`` runs it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..core.errors import SureError
from .archive import read_mrb, write_mrb
from .camera_focus import Focus, focus_of
from .chosen_map import PAINTED, PRIMARY, show_in_threed, show_legend
from .display import show_overlay, show_surfaces
from .framing import FROM, slice_frame
from .headless import SLICE_VIEWS, HeadlessScene
from .nodes import PublishedNodes, all_published
from .opengl import MISSING, OpenGL, pick_gl
from .outlines import show_outlines
from .views import SliceView, ThreeDView

SIZE = (1000, 800)
"""Width and height of a picture, pixels."""

_SECONDS = 300


class NoPictures(SureError):
    """Pictures could not be drawn; everything else is complete. The text says why and what to do."""


def render_pictures(scene: Any, published: PublishedNodes, folder: Path, archive: Path | None = None) -> list[Path]:
    """Draw ``axial.png``, ``sagittal.png``, ``coronal.png`` and ``3d.png`` into an existing folder.

    Args:
        archive: a .mrb of this very scene, when the caller has written one already.

    Returns:
        the four paths.

    Raises:
        NoPictures: no OpenGL here, or drawing failed.
    """
    gl = pick_gl()
    if gl is None:
        raise NoPictures(MISSING)
    number = [nodes.segmentation for nodes in all_published(scene)].index(published.segmentation)
    with tempfile.TemporaryDirectory(prefix="sure-pictures-") as scratch:
        if archive is None:
            archive = Path(scratch) / "scene.mrb"
            write_mrb(scene, archive)
        _draw_in_child(gl, archive.resolve(), folder.resolve(), number, scratch)
    return [folder / f"{name}.png" for name in (*_slice_names(), "3d")]


def draw(archive: Path, folder: Path, number: int, on_cpu: bool) -> None:
    """Draw the pictures of result ``number`` of a scene file. May crash the process without OpenGL."""
    with HeadlessScene() as headless:
        slices = {name: SliceView(headless, name, SIZE) for name in SLICE_VIEWS}
        threed = ThreeDView(headless, SIZE)
        read_mrb(headless.scene, archive)
        published = _only(all_published(headless.scene), number)
        focus = focus_of(published)
        show_overlay(headless.scene, published)
        show_legend(published, PRIMARY, True)
        key = _key(published.segmentation)
        for name, view in slices.items():
            view.add_key(key)
            _draw_slice(view, focus, folder / f"{SLICE_VIEWS[name].lower()}.png")
        show_surfaces(published)
        show_in_threed(headless.scene, published, PRIMARY, PAINTED, on_cpu)
        show_legend(published, PRIMARY, True)
        threed.add_key(key)
        threed.look_at(focus.points, FROM)
        threed.save(folder / "3d.png")


def _only(results: list[PublishedNodes], number: int) -> PublishedNodes:
    """Hide the structures of all results but one."""
    for result in results:
        show_outlines(result.segmentation, result is results[number])
    return results[number]


def _draw_slice(view: SliceView, focus: Focus, path: Path) -> None:
    view.frame(*slice_frame(focus, view.node.GetOrientation()))
    view.annotate()
    view.save(path)


def _key(segmentation: Any) -> list[tuple[str, tuple[float, ...]]]:
    """Name and colour of every segment."""
    segments = segmentation.GetSegmentation()
    return [(s.GetName(), s.GetColor()) for s in map(segments.GetSegment, segments.GetSegmentIDs())]


def _slice_names() -> list[str]:
    return [name.lower() for name in SLICE_VIEWS.values()]


def _draw_in_child(gl: OpenGL, archive: Path, folder: Path, number: int, scratch: str) -> None:
    library = str(Path(__file__).resolve().parents[2])
    env = gl.environment()
    env["PYTHONPATH"] = ":".join(filter(None, (library, env.get("PYTHONPATH"))))
    arguments = [str(archive), str(folder), str(number), str(int(gl.is_software))]
    command = [sys.executable, "-m", "SUREUncertaintyLib.mrml.pictures", *arguments]
    try:  # in an empty folder, because a folder called "slicer" in the current one would break the import of slicer
        child = subprocess.run(
            command, env=env, cwd=scratch, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise NoPictures(f"Drawing the pictures took more than {_SECONDS} s and was stopped. {_COMPLETE}") from None
    if child.returncode != 0:
        raise NoPictures(f"The pictures of Slicer's views could not be drawn ({_reason(child)}). {_COMPLETE}")


def _reason(child: subprocess.CompletedProcess[str]) -> str:
    if child.returncode < 0:
        return f"OpenGL crashed, signal {-child.returncode}"
    return (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]


_COMPLETE = "Everything else is complete; open scene.mrb in Slicer to see the result."

if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1")
