"""SURE Uncertainty: the module as 3D Slicer knows it. Everything else is in SUREUncertaintyLib."""

import functools
import sys
from pathlib import Path

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleTest
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

# "Reload" runs this file again but not the library: forget the library, so that it is read again too.
for _name in [name for name in sys.modules if name.split(".")[0] == "SUREUncertaintyLib"]:
    del sys.modules[_name]

RESOURCES = Path(__file__).resolve().parent / "Resources"


class SUREUncertainty(ScriptedLoadableModule):
    """Registers the module, its sample data and its Segment Editor effect."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("SURE Uncertainty")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations", "VolumeRendering", "Markups", "Plots", "Sequences"]
        self.parent.contributors = ["SURE Uncertainty developers"]
        self.parent.helpText = _(
            "Segments a scan in one click and shows where the result cannot be trusted. "
            "Choose a scan and a model and press Run. Research use only, not a medical device."
        )
        self.parent.acknowledgementText = _(
            "The method follows Li, Sui, Wu, Zhuang, MICCAI 2025 (arXiv 2509.17098). "
            "Networks are built with MONAI and run with OpenVINO."
        )
        slicer.app.connect("startupCompleted()", self._register_extras)

    def _register_extras(self):
        from SUREUncertaintyLib.ui.effect_registration import register_effect
        from SUREUncertaintyLib.ui.sample_data import register_samples

        register_samples(RESOURCES / "Icons" / "SUREUncertainty.png")
        register_effect()


class SUREUncertaintyWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Keeps the panel and the parameter node together through scenes, module switches and Reload."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._segmentation = None

    def setup(self):
        """Build the panel."""
        from SUREUncertaintyLib.ui.dependencies import Dependencies
        from SUREUncertaintyLib.ui.desktop import SlicerDesktop
        from SUREUncertaintyLib.ui.module_panel import ModulePanel

        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/SUREUncertainty.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = SUREUncertaintyLogic()
        dependencies = Dependencies(RESOURCES, Path(slicer.app.temporaryPath))
        version = slicer.app.applicationVersion
        say = functools.cache(lambda text: translate("SUREUncertainty", text))
        self.panel = ModulePanel(self.ui, lambda: slicer.mrmlScene, SlicerDesktop(), dependencies, say, version)
        self.panel.connect()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)
        self.initializeParameterNode()

    def cleanup(self):
        """The widget goes (exit of the application, Reload)."""
        self.setParameterNode(None)
        self.removeObservers()
        if self.panel:
            self.panel.close()

    def enter(self):
        """The module is opened, perhaps after editing in Segment Editor."""
        self.panel.measure_again()
        self.initializeParameterNode()

    def exit(self):
        """Another module is opened; a run goes on."""
        self._disconnectGui()

    def onSceneStartClose(self, caller, event):
        self.panel.forget_scene()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller, event):
        # node selectors do not follow an imported parameter node while the module is open: connect anew
        self.setParameterNode(None)
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Work on the scene's parameter node, with the first scan as the input where none was chosen."""
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputVolume:
            self._parameterNode.inputVolume = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")

    def setParameterNode(self, inputParameterNode):
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

    def _disconnectGui(self):
        if self._parameterNode and self._parameterNodeGuiTag is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self._parameterNodeGuiTag = None

    def _onParameters(self, caller=None, event=None):
        self.panel.update()
        self._observeSegmentation()

    def _observeSegmentation(self):
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


class SUREUncertaintyLogic(ScriptedLoadableModuleLogic):
    """Segmentation without the panel, for scripts."""

    def getParameterNode(self):
        """The scene's settings, typed."""
        from SUREUncertaintyLib.ui.parameter_node import SUREUncertaintyParameterNode

        return SUREUncertaintyParameterNode(super().getParameterNode())

    def process(self, inputVolume, model, region=None, engine="auto"):
        """Segment a volume node in a worker process, wait for it and put the result into the scene.

        Returns SUREUncertaintyLib.mrml.nodes.PublishedNodes. Raises SureError with a sentence for the user.
        """
        from SUREUncertaintyLib.ui.blocking import segment_node

        return segment_node(slicer.mrmlScene, inputVolume, model, region, engine)


class SUREUncertaintyTest(ScriptedLoadableModuleTest):
    """The self test; see SUREUncertaintyLib/ui/self_test.py."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        from SUREUncertaintyLib.ui.self_test import run_self_test

        self.setUp()
        run_self_test(self)
