"""Scans over time in a scene: a volume node that shows the frames of a sequence, one at a time."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import slicer

from ..core.errors import InputError
from ..core.volume import Volume
from ..core.volume_sequence import VolumeSequence
from .cine_frames import volume_node_of
from .rollback import all_or_nothing
from .scan_facts import keep_facts
from .sequences import Track, add_browser, step_count
from .steps import FRAMES_KIND, steps_in
from .volume_nodes import require_untransformed, show_grey, volume_from_node

MILLISECONDS = {"ms": 1.0, "msec": 1.0, "millisecond": 1.0, "milliseconds": 1.0}
MILLISECONDS |= {"s": 1000.0, "sec": 1000.0, "second": 1000.0, "seconds": 1000.0}
"""Of an index unit of a sequence, in small letters."""

LABELS = (
    "'{name}' shows label maps, frame by frame, and no scan. Choose the volume that shows the scan's own frames, or "
    "clear 'All frames' to segment what is shown."
)
OTHER_GRID = (
    "Frame {number} of '{name}' lies on another grid than the first one ({found} against {first} voxels, or another "
    "place). All frames of a scan over time have one size and place: resample that frame, or remove it from the "
    "sequence."
)
NO_VOLUME = "Frame {number} of '{name}' is no volume. Remove it from the sequence, or load the scan again."


def browser_of(scene: Any, scan: Any) -> Any:
    """The browser whose frames a volume node shows; None for a volume of its own.

    A series of noise steps through one scan again and again, which is none over time.
    """
    if scan is None:
        return None
    series = [steps.browser for steps in steps_in(scene) if steps.kind != FRAMES_KIND]
    for browser in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode", scene):
        sequence = browser.GetSequenceNode(scan)
        if sequence is not None and sequence.GetNumberOfDataNodes() > 1 and browser not in series:
            return browser
    return None


def frames_of_run(scene: Any, scan: Any, all_frames: bool) -> int:
    """How many scans a run on a volume node segments: every frame of its sequence, or 1."""
    return max(1, step_count(browser_of(scene, scan))) if all_frames else 1


def frame_number(browser: Any) -> int:
    """The frame that is shown, from 0."""
    return max(0, int(browser.GetSelectedItemNumber()))


def frame_of_node(browser: Any, scan: Any) -> Volume:
    """The frame that a volume node shows, named with its number. Raises ``InputError`` as ``volume_from_node``."""
    shown = volume_from_node(scan)
    return shown.with_array(shown.array, _frame_name(scan, frame_number(browser)))


def sequence_from_node(browser: Any, scan: Any) -> VolumeSequence:
    """Every frame (a copy) of the volume node that shows them; times where the sequence's index has a unit of time.

    Raises:
        InputError: label maps, frames of several sizes or places, a frame that is no volume, or as
            ``volume_from_node``.
    """
    require_untransformed(scan)
    name = scan.GetName()
    if scan.IsA("vtkMRMLLabelMapVolumeNode"):
        raise InputError(LABELS.format(name=name))
    sequence = browser.GetSequenceNode(scan)
    frames: list[Volume] = []
    for number in range(sequence.GetNumberOfDataNodes()):
        frame = _frame(sequence.GetNthDataNode(number), scan, number)
        if frames and not frame.grid.matches(frames[0].grid):
            found, first = (" x ".join(map(str, one.grid.shape[::-1])) for one in (frame, frames[0]))
            raise InputError(OTHER_GRID.format(number=number + 1, name=name, found=found, first=first))
        frames.append(frame)
    return VolumeSequence(tuple(frames), name, _times_ms(sequence))


def add_scan_over_time(scene: Any, sequence: VolumeSequence) -> Any:
    """The scan as a sequence with a browser of its own, whole or not at all; the volume node that shows a frame."""
    values, unit = _index(sequence)
    nodes = [volume_node_of(frame) for frame in sequence.frames]
    with all_or_nothing(scene):
        track = Track(sequence.name, nodes)
        browser, (scan,) = add_browser(scene, f"{sequence.name} browser", "time" if unit else "frame", values, [track])
        browser.GetMasterSequenceNode().SetIndexUnit(unit)
        keep_facts(scan, sequence.frames[0])
        show_grey(scan, sequence.frames[0].array)
    return scan


def show_frame(scene: Any, scan: Any, number: int) -> None:
    """Let a volume node show another of its frames, counted from 0."""
    browser = browser_of(scene, scan)
    if browser is not None and 0 <= number < step_count(browser):
        browser.SetSelectedItemNumber(number)


def _frame(node: Any, scan: Any, number: int) -> Volume:
    if node is None or not node.IsA("vtkMRMLScalarVolumeNode"):
        raise InputError(NO_VOLUME.format(number=number + 1, name=scan.GetName()))
    volume = volume_from_node(node, facts_of=scan)
    return volume.with_array(volume.array, _frame_name(scan, number))


def _frame_name(scan: Any, number: int) -> str:
    return f"{scan.GetName()} frame {number + 1}"


def _index(sequence: VolumeSequence) -> tuple[list[str], str]:
    """The index values and their unit: times where they are known and rise, else numbers of frames."""
    times = sequence.times_ms
    if times and all(a < b for a, b in pairwise(times)):
        return [repr(float(time)) for time in times], "ms"
    return [str(number + 1) for number in range(len(sequence.frames))], ""


def _times_ms(sequence: Any) -> tuple[float, ...]:
    """Since the first frame; empty where the index does not say, or does not rise."""
    factor = MILLISECONDS.get((sequence.GetIndexUnit() or "").strip().lower())
    if factor is None:
        return ()
    try:
        values = [float(sequence.GetNthIndexValue(n)) for n in range(sequence.GetNumberOfDataNodes())]
    except ValueError:
        return ()
    if not all(map(math.isfinite, values)) or any(a >= b for a, b in pairwise(values)):
        return ()
    return tuple(factor * (value - values[0]) for value in values)
