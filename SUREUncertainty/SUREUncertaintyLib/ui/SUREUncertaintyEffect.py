"""Segment Editor effect "Uncertainty": grow, shrink and smooth a segment only where the result is uncertain.

Segment Editor loads this file by its name, not as a part of the library, hence the absolute imports.
"""

from __future__ import annotations

import os
from typing import Any

import ctk  # type: ignore[import-not-found]
import qt  # type: ignore[import-not-found]
import slicer
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect  # type: ignore[import-not-found]
from slicer.i18n import tr as _

from SUREUncertaintyLib.mrml.band_editing import edited_labelmap, result_of
from SUREUncertaintyLib.mrml.uncertainty_nodes import band_of

LOW = "BandLow"
HIGH = "BandHigh"
BAND_OF = "BandOf"
"""The map that the band was taken from, and that band."""
NOTHING_CHANGES = _(
    "Nothing can change: no voxel at the selected segment's border has an uncertainty of {low:.2f} to {high:.2f}. "
    "Choose another segment, or a wider band."
)
ACTIONS = (("grow", _("Grow")), ("shrink", _("Shrink")), ("smooth", _("Smooth")))


class SUREUncertaintyEffect(AbstractScriptedSegmentEditorEffect):
    """Works on the selected segment of a result of SURE Uncertainty; every step can be undone."""

    def __init__(self, scriptedEffect: Any) -> None:
        scriptedEffect.name = "Uncertainty"
        scriptedEffect.title = _("Uncertainty")
        scriptedEffect.perSegment = True
        scriptedEffect.requireSegments = True
        AbstractScriptedSegmentEditorEffect.__init__(self, scriptedEffect)

    def clone(self) -> Any:
        """A copy for another Segment Editor widget."""
        import SUREUncertaintyLib.ui.effect_registration as registration

        effect = slicer.qSlicerSegmentEditorScriptedEffect(None)
        effect.setPythonSource(registration.SOURCE.as_posix())
        return effect

    def icon(self) -> Any:
        """The module's icon."""
        folder = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
        return qt.QIcon(os.path.join(folder, "Resources", "Icons", "SUREUncertainty.png"))

    def helpText(self) -> str:
        """What the effect does."""
        return str(
            _(
                "Change the selected segment only where the result is uncertain: grow it by one voxel, shrink it by "
                "one voxel, or smooth it. Certain voxels stay as they are."
            )
        )

    def setupOptionsFrame(self) -> None:
        """The band and three buttons."""
        self.band = ctk.ctkRangeWidget()
        self.band.setRange(0.0, 1.0)
        self.band.singleStep = 0.01
        self.band.setToolTip(_("Only voxels whose uncertainty lies in this range are changed."))
        self.scriptedEffect.addLabeledOptionsWidget(_("Uncertain band:"), self.band)
        self.band.connect("valuesChanged(double,double)", self._on_band)
        for action, title in ACTIONS:
            button = qt.QPushButton(title)
            button.connect("clicked(bool)", lambda _checked=False, action=action: self._apply(action))
            self.scriptedEffect.addOptionsWidget(button)
        self.note = qt.QLabel()
        self.note.wordWrap = True
        self.scriptedEffect.addOptionsWidget(self.note)

    def setMRMLDefaults(self) -> None:
        """No result's band yet: the one of the edited result is taken when it is shown."""
        self.scriptedEffect.setParameterDefault(LOW, 0.0)
        self.scriptedEffect.setParameterDefault(HIGH, 1.0)
        self.scriptedEffect.setParameterDefault(BAND_OF, "")

    def updateGUIFromMRML(self) -> None:
        """Show the band of the parameter node, and whether there is a result to work on."""
        self._take_band()
        earlier = self.band.blockSignals(True)
        self.band.setValues(self.scriptedEffect.doubleParameter(LOW), self.scriptedEffect.doubleParameter(HIGH))
        self.band.blockSignals(earlier)
        found = self._result() is not None
        self.note.setText(
            "" if found else _("This segmentation is no result of SURE Uncertainty: it has no uncertainty.")
        )

    def updateMRMLFromGUI(self) -> None:
        """Keep the band in the parameter node."""
        self.scriptedEffect.setParameter(LOW, self.band.minimumValue)
        self.scriptedEffect.setParameter(HIGH, self.band.maximumValue)

    def _on_band(self, _low: float, _high: float) -> None:
        self.updateMRMLFromGUI()

    def _take_band(self) -> None:
        """The band of a result as the module's panel draws it, when result or band are others than before."""
        published = self._result()
        if published is None:
            return
        low, high = band_of(published.uncertainty)
        shown = f"{published.uncertainty.GetID()} {low:.3f} {high:.3f}"
        if self.scriptedEffect.parameter(BAND_OF) == shown:
            return
        self.scriptedEffect.setParameter(BAND_OF, shown)
        self.scriptedEffect.setParameter(LOW, low)
        self.scriptedEffect.setParameter(HIGH, high)

    def _result(self) -> Any:
        return result_of(self.scriptedEffect.parameterSetNode().GetSegmentationNode())

    def _apply(self, action: str) -> None:
        published = self._result()
        if published is None:
            return
        labelmap = self.scriptedEffect.selectedSegmentLabelmap()
        band = (self.band.minimumValue, self.band.maximumValue)
        modifier = edited_labelmap(labelmap, published.uncertainty, action, band)
        self.note.setText("" if modifier is not None else NOTHING_CHANGES.format(low=band[0], high=band[1]))
        if modifier is None:
            return
        self.scriptedEffect.saveStateForUndo()
        self.scriptedEffect.modifySelectedSegmentByLabelmap(
            modifier, slicer.qSlicerSegmentEditorAbstractEffect.ModificationModeSet
        )
