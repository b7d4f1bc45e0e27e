"""How VTK draws here. Whether it can is found out in a child process: it may crash where OpenGL is incomplete."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

MISSING = (
    "No pictures of Slicer's views were drawn, because this machine has no OpenGL library. Everything else is "
    "complete. To have them on Debian or Ubuntu: apt-get install --no-install-recommends libegl1 libgl1-mesa-dri"
)
"""The sentence for a machine without OpenGL."""

WINDOW_VARIABLE = "VTK_DEFAULT_OPENGL_WINDOW"
"""Environment variable by which VTK chooses its window class; it must be set before the first window."""

_OFFSCREEN = ("vtkEGLRenderWindow", "vtkOSOpenGLRenderWindow")
_SECONDS = 60
_PROBE = """
import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.vtkRenderingCore import vtkRenderWindow, vtkRenderer
window = vtkRenderWindow()
window.SetOffScreenRendering(1)
window.SetSize(16, 16)
window.AddRenderer(vtkRenderer())
window.Render()
print(next(l for l in window.ReportCapabilities().splitlines() if "renderer string" in l).split(":", 1)[1].strip())
"""


@dataclass(frozen=True)
class OpenGL:
    """A way to draw offscreen.

    Attributes:
        window: VTK's render window class, "" for VTK's own choice.
        renderer: what OpenGL calls its renderer.
    """

    window: str
    renderer: str

    @property
    def is_software(self) -> bool:
        """Whether the processor draws, so that VTK's CPU ray caster is the faster one."""
        return any(name in self.renderer.lower() for name in ("llvmpipe", "softpipe", "swrast", "swr"))

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment (by default this process's) in which VTK draws this way."""
        env = dict(os.environ if base is None else base)
        return env | ({WINDOW_VARIABLE: self.window} if self.window else {})


def first_gl() -> OpenGL:
    """The way that ``pick_gl`` tries first, untried: its renderer is not known, and drawing may crash the process."""
    return OpenGL(_windows()[0], "")


def pick_gl() -> OpenGL | None:
    """The first offscreen window that draws, each tried in a child process; None where there is none.

    A window chosen by the environment is the only one tried.
    """
    for window in _windows():
        renderer = _probe(window)
        if renderer:
            return OpenGL(window, renderer)
    return None


def _windows() -> tuple[str, ...]:
    chosen = os.environ.get(WINDOW_VARIABLE)
    if chosen:
        return (chosen,)
    return _OFFSCREEN if sys.platform.startswith("linux") else ("",)


def _probe(window: str) -> str:
    env = OpenGL(window, "").environment()
    try:
        child = subprocess.run(
            [sys.executable, "-c", _PROBE], env=env, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return child.stdout.strip() if child.returncode == 0 else ""
