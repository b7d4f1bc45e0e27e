"""Slicer's slice and 3D views without its windows: displayable managers on offscreen render windows.

Make views before the scene is filled: colour legends are drawn only in views that were there first. Needs OpenGL; only
in a process that may crash (see ``pictures``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from vtkmodules.vtkIOImage import vtkPNGWriter
from vtkmodules.vtkRenderingCore import (
    vtkActor2D,
    vtkImageMapper,
    vtkRenderer,
    vtkRenderWindow,
    vtkTextActor,
    vtkWindowToImageFilter,
)
from vtkmodules.vtkRenderingUI import vtkGenericRenderWindowInteractor

from .framing import frame_points, frame_slice
from .headless import HeadlessScene

BACKGROUND = (0.09, 0.10, 0.12)
TEXT: tuple[float, ...] = (0.92, 0.93, 0.95)

_SLICE_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)
_THREED_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLVolumeRenderingDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)
_TEXT_SIZE = 20
_KEY_LINES = 10
_EDGES = ((0.975, 0.5), (0.025, 0.5), (0.5, 0.965), (0.5, 0.075))
_LIGHT = 0.6


class OffscreenView:
    """A render window that displayable managers draw into.

    Args:
        size: (width, height) in pixels.
        beside: a view of the same size, whose window this one draws into as well, so that OpenGL is set up and its
            shaders are compiled once. Each of them shows in the window what it drew last.
    """

    def __init__(self, size: tuple[int, int], beside: OffscreenView | None = None) -> None:
        self.size = size
        self.window: Any = _offscreen_window(size) if beside is None else beside.window
        self._earlier = _renderers(self.window)
        self.renderer = vtkRenderer()
        self.renderer.SetBackground(*BACKGROUND)
        self.window.AddRenderer(self.renderer)
        # the default one wants an X server
        self._interactor: Any = vtkGenericRenderWindowInteractor() if beside is None else beside._interactor
        self._managers: Any = None
        self._own: list[Any] = []

    def start_managers(self, factory: Any, names: tuple[str, ...], application: Any, node: Any) -> None:
        """Connect the window with the managers ``names`` and the view's node."""
        if self._interactor.GetRenderWindow() is None:
            self._interactor.SetRenderWindow(self.window)
            self._interactor.Initialize()
        factory.SetMRMLApplicationLogic(application)
        for name in names:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self._managers = slicer.vtkMRMLDisplayableManagerGroup()
        self._managers.SetRenderer(self.renderer)
        self._managers.Initialize(factory, self.renderer)
        self._managers.SetMRMLDisplayableNode(node)
        # the managers have added some for legend, ruler and orientation
        self._own = [renderer for renderer in _renderers(self.window) if renderer not in self._earlier]

    def add_text(
        self, text: str, position: tuple[float, float], style: str = "centre", color: tuple[float, ...] = TEXT
    ) -> None:
        """Write on the picture; position in shares of the window from the lower left corner, ``style`` left, centre or
        bold (and centred)."""
        actor = vtkTextActor()
        actor.SetInput(text)
        look = actor.GetTextProperty()
        look.SetFontSize(_TEXT_SIZE)
        look.SetBold(style == "bold")
        look.SetColor(*color)
        look.ShadowOn()
        look.SetVerticalJustificationToCentered()
        if style != "left":
            look.SetJustificationToCentered()
        actor.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
        actor.SetPosition(*position)
        self.renderer.AddViewProp(actor)

    def add_key(self, entries: list[tuple[str, tuple[float, ...]]]) -> None:
        """Names in their colours, upwards from the lower left corner."""
        shown = entries if len(entries) <= _KEY_LINES else [*entries[: _KEY_LINES - 1], ("...", TEXT)]
        for line, (name, color) in enumerate(reversed(shown)):
            self.add_text(name, (0.03, 0.05 + 0.034 * line), "left", legible(color))

    def draw(self) -> None:
        """Draw the scene as it is now."""
        for renderer in _renderers(self.window):
            renderer.SetDraw(renderer in self._own)
        self.window.Render()

    def save(self, path: Path) -> None:
        """Draw and write a PNG."""
        self.draw()
        grab = vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.ReadFrontBufferOff()
        grab.ShouldRerenderOff()
        writer = vtkPNGWriter()
        writer.SetInputConnection(grab.GetOutputPort())
        writer.SetFileName(str(path))
        writer.Write()


class SliceView(OffscreenView):
    """One of the scene's slice views ("Red", "Yellow", "Green")."""

    def __init__(
        self, headless: HeadlessScene, name: str, size: tuple[int, int], beside: OffscreenView | None = None
    ) -> None:
        super().__init__(size, beside)
        self.logic = headless.slice_logics[name]
        self.node = self.logic.GetSliceNode()
        self._mapper = self._add_image_actor()  # before the managers: what comes first lies below
        self.start_managers(
            slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance(),
            _SLICE_MANAGERS,
            headless.application,
            self.node,
        )
        self.logic.ResizeSliceNode(*size)

    def frame(self, centre: NDArray[np.float64], extent: float) -> None:
        """Centre on a RAS position and show at least ``extent`` mm in both directions."""
        frame_slice(self.node, self.size, centre, extent)

    def annotate(self) -> None:
        """Write the view's name and position, the patient's directions at the edges, and a ruler."""
        self.node.SetRulerType(slicer.vtkMRMLAbstractViewNode.RulerTypeThin)
        matrix = vtk_array(self.node.GetSliceToRAS())
        normal = int(np.argmax(np.abs(matrix[:3, 2])))
        title = f"{self.node.GetOrientation()}   {'RAS'[normal]} {matrix[normal, 3]:.1f} mm"
        self.add_text(title, (0.03, 0.95), "left")
        letters = (*direction_letters(matrix[:3, 0]), *direction_letters(matrix[:3, 1]))
        for text, position in zip(letters, _EDGES, strict=True):
            self.add_text(text, position, "bold")

    def draw(self) -> None:
        """Blend the layers and draw."""
        self.logic.UpdatePipeline()
        self._mapper.SetInputConnection(self.logic.GetImageDataConnection())
        super().draw()

    def _add_image_actor(self) -> Any:
        mapper = vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        actor = vtkActor2D()
        actor.SetMapper(mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        self.renderer.AddViewProp(actor)
        return mapper


class ThreeDView(OffscreenView):
    """A 3D view of its own."""

    def __init__(self, headless: HeadlessScene, size: tuple[int, int], beside: OffscreenView | None = None) -> None:
        super().__init__(size, beside)
        self._logic = slicer.vtkMRMLViewLogic()
        self._logic.SetMRMLApplicationLogic(headless.application)
        self._logic.SetMRMLScene(headless.scene)
        self.node = self._logic.AddViewNode("Pictures")
        self.node.SetBoxVisible(False)
        self.node.SetAxisLabelsVisible(False)
        self.node.SetOrientationMarkerType(slicer.vtkMRMLAbstractViewNode.OrientationMarkerTypeCube)
        self.node.SetOrientationMarkerSize(slicer.vtkMRMLAbstractViewNode.OrientationMarkerSizeSmall)
        self.node.SetBackgroundColor(*BACKGROUND)
        self.node.SetBackgroundColor2(*BACKGROUND)
        self.renderer.SetUseDepthPeeling(True)
        self.renderer.SetUseDepthPeelingForVolumes(False)  # draws garbage or nothing on software OpenGL
        headless.application.GetViewLogics().AddItem(self._logic)
        self.start_managers(
            slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance(),
            _THREED_MANAGERS,
            headless.application,
            self.node,
        )

    def look_at(self, points: NDArray[np.float64], towards: tuple[float, float, float]) -> None:
        """Frame (N, 3) RAS points, seen from the direction ``towards`` (RAS) of them, head up."""
        frame_points(self.renderer, self.size, points, towards)


def _offscreen_window(size: tuple[int, int]) -> Any:
    window = vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(*size)
    return window


def _renderers(window: Any) -> list[Any]:
    renderers = window.GetRenderers()
    return [renderers.GetItemAsObject(number) for number in range(renderers.GetNumberOfItems())]


def legible(color: tuple[float, ...]) -> tuple[float, ...]:
    """The colour, lightened where it is too dark to be read on a dark background."""
    mean = float(np.mean(color))
    share = max(0.0, (_LIGHT - mean) / (1 - mean)) if mean < 1 else 0.0
    return tuple(value + (1 - value) * share for value in color)


def direction_letters(axis: NDArray[np.float64]) -> tuple[str, str]:
    """Patient letters at the positive and the negative end of a RAS direction, oblique ones as for instance "AR"."""
    order = [int(n) for n in np.argsort(-np.abs(axis)) if abs(axis[n]) > 0.35]
    ends = ["".join("RAS"[n] if axis[n] * sign > 0 else "LPI"[n] for n in order) for sign in (1, -1)]
    return ends[0], ends[1]


def vtk_array(matrix: Any) -> NDArray[np.float64]:
    """A VTK 4 x 4 matrix as an array."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
