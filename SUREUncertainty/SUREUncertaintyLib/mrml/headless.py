"""A MRML scene with its logics, for use outside the desktop application."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import slicer
from vtkmodules.vtkCommonCore import vtkCollection

SLICE_VIEWS = {"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal"}
"""Slicer's own slice views and their orientation."""

_MODULE_LOGICS = {
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "VolumeRendering": "vtkSlicerVolumeRenderingLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Sequences": "vtkSlicerSequencesLogic",
}


class HeadlessScene:
    """``with HeadlessScene() as headless:`` gives ``headless.scene`` and ``headless.application``.

    The scene has what Slicer's own has at start as far as results need it: module logics (node classes and conversion
    rules come with them), default colours, three slice views, subject hierarchy, reading of .mrb. Inside the block
    ``slicer.mrmlScene`` is this scene. Not for use inside the desktop application.

    Args:
        slice_views: name and orientation of the slice views; none where somebody else makes them.
    """

    def __init__(self, slice_views: Mapping[str, str] = SLICE_VIEWS) -> None:
        self._slice_views = slice_views
        self.scene: Any = None
        self.application: Any = None
        self.slice_logics: dict[str, Any] = {}
        self._logics: list[Any] = []
        self._cache: TemporaryDirectory[str] | None = None
        self._earlier: Any = None

    def __enter__(self) -> HeadlessScene:
        self._earlier = getattr(slicer, "mrmlScene", None)
        self.scene = slicer.mrmlScene = slicer.vtkMRMLScene()
        self.application = slicer.vtkSlicerApplicationLogic()
        self.application.SetMRMLScene(self.scene)
        self.application.SetSliceLogics(vtkCollection())
        self.application.SetViewLogics(vtkCollection())
        self._cache = TemporaryDirectory(prefix="sure-scene-")
        (Path(self._cache.name) / "share" / "ColorFiles").mkdir(parents=True)  # logics report where it is missing
        self.application.SetHomeDirectory(self._cache.name)
        self.application.SetShareDirectory("share")
        self._add_colours()
        for name, kind in _MODULE_LOGICS.items():
            self._add_logic(name, getattr(slicer, kind)())
        slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self.scene)
        self._add_archive_reader(Path(self._cache.name) / "cache")
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene, True)
        self.slice_logics = {name: self._add_slice_view(name) for name in self._slice_views}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.scene.Clear(0)
        self.slice_logics.clear()
        self._logics.clear()
        self.scene = self.application = None
        slicer.mrmlScene = self._earlier
        if self._cache is not None:
            self._cache.cleanup()

    def _add_logic(self, name: str, logic: Any) -> None:
        logic.SetMRMLApplicationLogic(self.application)  # before the scene: some logics ask it for others
        logic.SetMRMLScene(self.scene)
        self.application.SetModuleLogic(name, logic)
        self._logics.append(logic)

    def _add_colours(self) -> None:
        logic = slicer.vtkSlicerColorLogic()  # unlike the default one it knows colour legends
        self._add_logic("Colors", logic)
        self.application.SetColorLogic(logic)
        logic.AddDefaultColorNodes()

    def _add_archive_reader(self, cache: Path) -> None:
        cache.mkdir()
        (cache / ".slicer-cache").touch()  # Slicer's mark of a folder that it may clean
        remote = slicer.vtkMRMLRemoteIOLogic()
        remote.SetMRMLApplicationLogic(self.application)
        remote.GetCacheManager().SetRemoteCacheDirectory(str(cache))
        remote.SetMRMLScene(self.scene)
        manager = slicer.vtkDataIOManagerLogic()
        manager.SetMRMLApplicationLogic(self.application)
        manager.SetAndObserveDataIOManager(remote.GetDataIOManager())
        remote.AddDataIOToScene()
        self._logics += [remote, manager]

    def _add_slice_view(self, name: str) -> Any:
        logic = slicer.vtkMRMLSliceLogic()
        logic.SetMRMLApplicationLogic(self.application)
        logic.SetMRMLScene(self.scene)
        logic.AddSliceNode(name).SetOrientation(self._slice_views[name])
        self.application.GetSliceLogics().AddItem(logic)
        return logic
