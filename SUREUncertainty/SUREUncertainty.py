"""SURE Uncertainty: the module as 3D Slicer knows it. Everything else is in SUREUncertaintyLib."""

import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _, translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
)
from SUREUncertaintyLib.ui.module_widget import ModuleWidget

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
            "Choose a scan and a model and press Run. What the words mean stands at the end of the "
            "panel, with pictures in docs/glossary.md. Research use only, not a medical device."
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


class SUREUncertaintyWidget(ModuleWidget):
    """The panel; see SUREUncertaintyLib/ui/module_widget.py."""

    def createLogic(self):
        """The module's logic."""
        return SUREUncertaintyLogic()

    def onReload(self):
        """Developers' button Reload: Slicer runs this file again, and the library is read again with it."""
        for name in [name for name in sys.modules if name.split(".")[0] == "SUREUncertaintyLib"]:
            del sys.modules[name]
        super().onReload()


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
