"""The module's widget as 3D Slicer drives it: opened, left, closed with the scene, reloaded."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from ..core.translation import translated


class ModuleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Keeps the panel and the parameter node together through scenes, module switches and Reload.

    A subclass in the module's file carries the name that Slicer looks for, and says which logic there is.
    """

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: Any = None
        self.panel: Any = None
        self._parameterNode: Any = None
        self._parameterNodeGuiTag: Any = None
        self._segmentation: Any = None
        self._display: Any = None

    def createLogic(self) -> Any:
        """The module's logic."""
        raise NotImplementedError

    def setup(self) -> None:
        """Build the panel."""
        from .dependencies import Dependencies
        from .desktop import SlicerDesktop
        from .module_panel import ModulePanel, resources_folder

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SUREUncertainty.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = self.createLogic()
        say = functools.cache(lambda text: translated(text, translate))
        dependencies = Dependencies(resources_folder(), Path(slicer.app.temporaryPath), translate=say)
        version = slicer.app.applicationVersion
        self.panel = ModulePanel(self.ui, lambda: slicer.mrmlScene, SlicerDesktop(), dependencies, say, version)
        self.panel.connect()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """The widget goes (exit of the application, Reload)."""
        self.setParameterNode(None)
        self.removeObservers()
        if self.panel:
            self.panel.close()

    def enter(self) -> None:
        """The module is opened, perhaps after editing in Segment Editor."""
        self.panel.measure_again()
        self.initializeParameterNode()

    def exit(self) -> None:
        """Another module is opened; a run goes on."""
        self._disconnectGui()

    def onSceneStartClose(self, caller: Any, event: str) -> None:
        self.panel.forget_scene()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller: Any, event: str) -> None:
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller: Any, event: str) -> None:
        # node selectors do not follow an imported parameter node while the module is open: connect anew
        self.setParameterNode(None)
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        """Work on the scene's parameter node, with the first scan as the input where none was chosen."""
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputVolume:
            self._parameterNode.inputVolume = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")

    def setParameterNode(self, inputParameterNode: Any) -> None:
        """Observe a parameter node and bind the widgets to it; None lets go."""
        if self._parameterNode:
            self._disconnectGui()
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._onParameters)
        self._parameterNode = inputParameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._onParameters)
        if self.panel:
            self.panel.set_parameters(inputParameterNode)
        self._observeSegmentation()

    def _disconnectGui(self) -> None:
        if self._parameterNode and self._parameterNodeGuiTag is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self._parameterNodeGuiTag = None

    def _onParameters(self, caller: Any = None, event: Any = None) -> None:
        self.panel.update()
        self._observeSegmentation()

    def _observeSegmentation(self) -> None:
        """Hear when a person edits the result that is shown."""
        node = self._parameterNode.segmentation if self._parameterNode else None
        segmentation = node.GetSegmentation() if node else None
        if segmentation is self._segmentation:
            return
        events = (slicer.vtkSegmentation.SourceRepresentationModified, slicer.vtkSegmentation.RepresentationModified)
        for event in events:
            if self._segmentation:
                self.removeObserver(self._segmentation, event, self.panel.edited)
            if segmentation:
                self.addObserver(segmentation, event, self.panel.edited)
        self._segmentation = segmentation
        self._observeDisplay(node.GetDisplayNode() if node else None)

    def _observeDisplay(self, display: Any) -> None:
        """Hear when structures are hidden or shown, so that the dark edges of their outlines follow."""
        if self._display:
            self.removeObserver(self._display, vtk.vtkCommand.ModifiedEvent, self.panel.follow_display)
        if display:
            self.addObserver(display, vtk.vtkCommand.ModifiedEvent, self.panel.follow_display)
        self._display = display
