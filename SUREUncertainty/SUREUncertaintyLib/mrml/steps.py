"""What a scene has to step through: series of noise, samples of models that draw them, frames of scans over time."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import slicer

from ..core.dataclass_json import from_json
from .cine_frames import FRAMES, show_frame_only
from .nodes import BROWSER, SAMPLES_ML, PublishedNodes, all_published
from .noise_series import STEPS
from .sample_nodes import show_sample
from .sequences import show_step, shown_nodes, step_count, step_value

SERIES_KIND, SAMPLES_KIND, FRAMES_KIND = "series", "samples", "frames"
_ROLES = {STEPS: SERIES_KIND, BROWSER: SAMPLES_KIND, FRAMES: FRAMES_KIND}


@dataclass(frozen=True)
class Steps:
    """One thing to step through; ``kind`` is ``SERIES_KIND``, ``SAMPLES_KIND`` or ``FRAMES_KIND``."""

    kind: str
    browser: Any
    published: PublishedNodes

    @property
    def name(self) -> str:
        """The browser's name, unique in its scene."""
        return str(self.browser.GetName())

    @property
    def count(self) -> int:
        """How many steps there are."""
        return step_count(self.browser)

    @property
    def number(self) -> int:
        """The step that is shown."""
        return int(self.browser.GetSelectedItemNumber())

    def volume_ml(self, number: int) -> float:
        """Of a sample, all structures together; NaN for other steps, and in scenes of earlier versions."""
        sequence = self.browser.GetMasterSequenceNode()
        text = sequence.GetAttribute(SAMPLES_ML) if self.kind == SAMPLES_KIND else None
        return math.nan if text is None else from_json(tuple[float, ...], json.loads(text))[number]

    def value(self, number: int) -> str:
        """What a step is: a strength, a sample's number, or a frame counted from 1."""
        return step_value(self.browser, number)


def steps_in(scene: Any) -> list[Steps]:
    """Everything in the scene to step through, oldest result first."""
    found = []
    for published in all_published(scene):
        for role, kind in _ROLES.items():
            browser = published.segmentation.GetNodeReference(role)
            if step_count(browser):
                found.append(Steps(kind, browser, published))
    return found


def go_to_step(scene: Any, steps: Steps, number: int, opacity: float) -> None:
    """Show a step in the slice views; ``opacity`` in 0..1 of an uncertainty map over its scan."""
    show_step(steps.browser, number)
    if steps.kind == SAMPLES_KIND:
        for node in shown_nodes(steps.browser):
            show_sample(node, True)
        return
    uncertainty, scan, *outlines = shown_nodes(steps.browser)
    if steps.kind == FRAMES_KIND:
        show_frame_only(steps.published, outlines[0])
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene):
        composite.SetBackgroundVolumeID(scan.GetID())
        composite.SetForegroundVolumeID(uncertainty.GetID())
        composite.SetForegroundOpacity(opacity)


def frame_nodes(scene: Any) -> list[Any]:
    """The nodes that show the frames of scans over time: no scans of their own."""
    return [node for steps in steps_in(scene) if steps.kind == FRAMES_KIND for node in shown_nodes(steps.browser)]
