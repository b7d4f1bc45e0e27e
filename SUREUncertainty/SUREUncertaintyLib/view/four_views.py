"""The scene and its four views, drawn by Slicer's own displayable managers and sent to the page as pictures.

trame-slicer calls its interface not stable, and its views need repairs that only private names reach: everything that
knows about it is in this file, and the versions are pinned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from trame_slicer.core import ViewManager
from trame_slicer.rca_view import RemoteSliceViewFactory, RemoteThreeDViewFactory
from trame_slicer.views import ViewLayoutDefinition

from ..mrml.camera_focus import Focus
from ..mrml.framing import FROM, frame_points, frame_slice, slice_frame
from ..mrml.headless import SLICE_VIEWS, HeadlessScene
from ..mrml.views import vtk_array
from .resting_picture import RestingPicture

THREED = "ThreeD"
VIEWS = ("Red", "Green", "Yellow", THREED)
FRAMES_A_SECOND = 30
QUALITY = 85
"""Of the JPEG pictures, moving and at rest alike: a second, better one of each would be drawn anew."""

PEELS = 3
"""Layers of half transparent surfaces that are told apart; each costs a pass over the picture."""

MOST_PIXELS = 1_200_000
"""Of one picture: windows with several pixels a point are drawn a little coarser rather than slowly."""

_BACKGROUND = "#0b0d10"


class Stage:
    """``with Stage(server) as stage``: a scene of its own and views called Red, Green, Yellow and ThreeD.

    Args:
        server: of trame.
        on_cpu: whether the processor draws (VTK's CPU ray caster is then the faster one).
    """

    def __init__(self, server: Any, on_cpu: bool) -> None:
        self.on_cpu = on_cpu
        self._headless = HeadlessScene(slice_views={})
        self._headless.__enter__()
        self.scene = self._headless.scene
        self._add_crosshair()
        self._manager = ViewManager(self.scene, self._headless.application)
        options = {
            "target_fps": FRAMES_A_SECOND,
            "blur_fps": FRAMES_A_SECOND,
            "interactive_quality": QUALITY,
        }
        self._factories = [RemoteSliceViewFactory(server, **options), RemoteThreeDViewFactory(server, **options)]
        for factory in self._factories:
            self._manager.register_factory(factory)
        for name, orientation in SLICE_VIEWS.items():
            self._manager.create_view(ViewLayoutDefinition.slice_view(orientation, label=name))
        self._manager.create_view(
            ViewLayoutDefinition.threed_view(name=THREED, background_color=(_BACKGROUND, _BACKGROUND))
        )
        self._manager.set_current_view_ids(list(VIEWS))
        self._repair()

    def close(self) -> None:
        """Let go of the scene."""
        self._headless.__exit__(None, None, None)

    @property
    def slice_nodes(self) -> dict[str, Any]:
        """The slice nodes by the view's name."""
        return {name: self._manager.get_view(name).get_view_node() for name in SLICE_VIEWS}

    def logic(self, name: str) -> Any:
        """The slice logic of a view."""
        return self._manager.get_view(name)._logic

    def adapters(self) -> dict[str, Any]:
        """What takes sizes and mouse events for each view."""
        pairs = [(factory, name) for factory in self._factories for name in VIEWS if factory.has_view(name)]
        return {name: factory.get_factory_view(name).view_adapter for factory, name in pairs}

    def redraw(self) -> None:
        """Ask every view for a new picture."""
        for view in self._manager.get_views():
            view.schedule_render()

    def hold_threed(self, hold: bool) -> None:
        """Draw the 3D view no more, or again: it takes many times longer than a slice."""
        view = self._manager.get_view(THREED)
        if view.is_render_blocked != hold:
            view.set_render_blocked(hold)

    def frame(self, focus: Focus) -> None:
        """Show the structures and the uncertainty of a result in all four views."""
        for name, orientation in SLICE_VIEWS.items():
            centre, extent = slice_frame(focus, orientation)
            self._frame_slice(name, centre, extent)
        self.frame_threed(focus.points, FROM)

    def frame_threed(self, points: NDArray[np.float64], towards: tuple[float, float, float] = FROM) -> None:
        """Show (N, 3) RAS points in 3D, seen from the direction ``towards`` of them."""
        view = self._manager.get_view(THREED)
        frame_points(view.first_renderer(), view.render_window().GetSize(), points, towards)
        self.redraw()

    def fit(self) -> None:
        """Show the whole scan in the slice views."""
        for view in self._manager.get_slice_views():
            view.fit_view_to_content()
        self.redraw()

    def centre_on(self, ras: tuple[float, float, float]) -> None:
        """Mark a position (RAS mm) with the crosshair, and turn the 3D view around it."""
        self._crosshair.SetCrosshairRAS(ras)
        self._crosshair.SetCrosshairMode(slicer.vtkMRMLCrosshairNode.ShowSmallBasic)
        camera = self._manager.get_view(THREED).first_renderer().GetActiveCamera()
        shift = np.asarray(ras) - camera.GetFocalPoint()
        camera.SetPosition(*(np.asarray(camera.GetPosition()) + shift))
        camera.SetFocalPoint(*ras)
        self._manager.get_view(THREED).first_renderer().ResetCameraClippingRange()
        self.redraw()

    def point_at(self, name: str, x: float, y: float) -> tuple[float, float, float]:
        """The point (RAS mm) of a slice view at shares of its width and height from its upper left corner."""
        width, height = self._manager.get_view(name).render_window().GetSize()
        matrix = vtk_array(self.slice_nodes[name].GetXYToRAS())
        r, a, s = (matrix @ [x * width, (1.0 - y) * height, 0.0, 1.0])[:3].tolist()
        return r, a, s

    def crossing(self) -> NDArray[np.float64]:
        """Where the three slices cross, RAS mm."""
        nodes = self.slice_nodes
        axes = {"Sagittal": 0, "Coronal": 1, "Axial": 2}
        point = np.zeros(3)
        for name, orientation in SLICE_VIEWS.items():
            point[axes[orientation]] = nodes[name].GetSliceToRAS().GetElement(axes[orientation], 3)
        return point

    def crosshair(self) -> NDArray[np.float64] | None:
        """Where the crosshair was put (Shift and mouse), RAS mm; None where it never was."""
        point = np.array(self._crosshair.GetCrosshairRAS())
        return point if point.any() else None

    def _frame_slice(self, name: str, centre: NDArray[np.float64], extent: float) -> None:
        view = self._manager.get_view(name)
        view._update_slice_size()
        frame_slice(view.get_view_node(), view.render_window().GetSize(), centre, extent)

    def _add_crosshair(self) -> None:
        self._crosshair = slicer.vtkMRMLCrosshairNode()
        self._crosshair.SetCrosshairName("default")
        self.scene.AddNode(self._crosshair)

    def _repair(self) -> None:
        """What would otherwise draw nothing or a wrong picture, without an error.

        Peeling of volumes and multisampling lose the cloud of uncertainty on software OpenGL; the slice image must lie
        below the outlines, so it enters the renderer before any segmentation does.
        """
        for view in self._manager.get_views():
            view.render_window().SetMultiSamples(0)
            view.first_renderer().SetUseDepthPeelingForVolumes(False)
            view.first_renderer().SetMaximumNumberOfPeels(PEELS)
        for view in self._manager.get_slice_views():
            view.first_renderer().AddViewProp(view._render_manager.image_actor)
        for name, adapter in self.adapters().items():
            adapter.update_quality(QUALITY, QUALITY)
            adapter.max_pixel_count = MOST_PIXELS
            adapter._scheduler.set_push_callback(RestingPicture(adapter.push, asyncio.get_event_loop().call_later))
            adapter.update_size = self._keeping_extent(name, adapter.update_size)

    def _keeping_extent(self, name: str, resize: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        """A new size of the window shows as many mm along its smaller side as before."""
        view = self._manager.get_view(name)

        def act(origin: Any, size: Any) -> None:
            node = view.get_view_node()
            shown = None if name == THREED else min(node.GetFieldOfView()[:2])
            resize(origin, size)
            width, height = view.render_window().GetSize()
            if shown is None:
                view.first_renderer().GetActiveCamera().SetUseHorizontalViewAngle(width < height)
            else:
                scale = shown / min(width, height)
                node.SetFieldOfView(scale * width, scale * height, node.GetFieldOfView()[2])

        return act
