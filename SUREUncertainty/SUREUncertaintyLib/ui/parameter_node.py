"""Every setting of the module, typed, in the scene: a saved .mrb opens with all of them in place."""

# The wrapper reads these annotations when the class is made, so they must be types and not strings.
from typing import Annotated

from slicer import vtkMRMLMarkupsROINode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper

from ..analysis.noise_series import KINDS
from ..mrml.chosen_map import PAINTED, THREED
from ..presenters import texts


@parameterNodeWrapper
class SUREUncertaintyParameterNode:
    """The module's settings.

    Attributes:
        inputVolume: the scan.
        furtherVolume1, furtherVolume2, furtherVolume3: further images, for models that take several.
        region: what part of it is segmented; None for the whole scan.
        allFrames: measure every frame where the scan is one over time.
        model: name in the catalogue.
        engine: what runs the network.
        passes: how often, for models with folds or mirrored copies.
        segmentation: the result that the panels show; everything else of the result hangs on it.
        map: kind of uncertainty shown, a key of ``mrml.chosen_map.map_names``.
        bandLow, bandHigh: uncertainty that is drawn.
        overlayOpacity: of the map over the scan.
        showLegend, showContours, smoothOutlines: colour legend, contours of samples, outlines from smoothed surfaces.
        threed: how 3D shows the result, one of ``mrml.chosen_map.THREED``.
        noiseKind, noiseStrength, noiseSeed: the slider of the noise panel.
    """

    inputVolume: vtkMRMLScalarVolumeNode
    furtherVolume1: vtkMRMLScalarVolumeNode
    furtherVolume2: vtkMRMLScalarVolumeNode
    furtherVolume3: vtkMRMLScalarVolumeNode
    region: vtkMRMLMarkupsROINode
    allFrames: bool = True
    model: str = ""
    engine: Annotated[str, Choice(list(texts.ENGINE_NAMES))] = "auto"
    passes: Annotated[str, Choice(list(texts.PASSES))] = "all"
    segmentation: vtkMRMLSegmentationNode
    map: str = "primary"
    bandLow: Annotated[float, WithinRange(0.0, 1.0)] = 0.5
    bandHigh: Annotated[float, WithinRange(0.0, 1.0)] = 1.0
    overlayOpacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.8
    showLegend: bool = True
    showContours: bool = False
    smoothOutlines: bool = False
    threed: Annotated[str, Choice(list(THREED))] = PAINTED
    noiseKind: Annotated[str, Choice(list(KINDS))] = "gaussian"
    noiseStrength: Annotated[float, WithinRange(0.0, 1.0)] = 0.0
    noiseSeed: Annotated[int, WithinRange(0, 9999)] = 0
