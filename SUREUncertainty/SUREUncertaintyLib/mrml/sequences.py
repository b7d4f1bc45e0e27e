"""Nodes as sequences that a person steps through: one browser, one node in the scene a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vtkmodules.vtkCommonCore import vtkCollection

from .safe_names import node_name, unique_name

FRAMES_PER_SECOND = 4.0


@dataclass(frozen=True)
class Track:
    """One sequence to be: its name, and a node that is not in a scene for every step."""

    name: str
    nodes: Sequence[Any]


def add_browser(
    scene: Any, name: str, index_name: str, values: Sequence[str], tracks: Sequence[Track]
) -> tuple[Any, list[Any]]:
    """A browser that steps through all tracks together, on its first step; Slicer's Sequences module plays it.

    Args:
        index_name: what a step is, for instance "strength"; ``values`` is its value at each step.

    Returns:
        The browser, and the node in the scene that shows each track.
    """
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", unique_name(scene, name))
    shown = []
    for number, track in enumerate(tracks):
        sequence = _add_sequence(scene, track, index_name, values)
        if number == 0:
            browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
        else:
            browser.AddSynchronizedSequenceNodeID(sequence.GetID())
        proxy = browser.GetProxyNode(sequence) or browser.AddProxyNode(track.nodes[0], sequence, True)
        proxy.SetName(node_name(track.name))
        shown.append(proxy)
    browser.SetPlaybackRateFps(FRAMES_PER_SECOND)
    show_step(browser, 0)
    return browser, shown


def step_count(browser: Any) -> int:
    """How many steps a browser has; 0 for none."""
    return 0 if browser is None else int(browser.GetNumberOfItems())


def step_value(browser: Any, number: int) -> str:
    """The value of a step, as text."""
    return str(browser.GetMasterSequenceNode().GetNthIndexValue(number))


def show_step(browser: Any, number: int) -> None:
    """Bring a step into the nodes that show it (the scene's sequences logic does the copying)."""
    browser.SetSelectedItemNumber(number)


def shown_nodes(browser: Any) -> list[Any]:
    """The nodes in the scene that show the browser's step, the master's first."""
    found = (browser.GetProxyNode(sequence) for sequence in sequence_nodes(browser))
    return [node for node in found if node is not None]


def sequence_nodes(browser: Any) -> list[Any]:
    """The sequences that a browser steps through together, the master first."""
    sequences = vtkCollection()
    browser.GetSynchronizedSequenceNodes(sequences, True)
    return [sequences.GetItemAsObject(n) for n in range(sequences.GetNumberOfItems())]


def _add_sequence(scene: Any, track: Track, index_name: str, values: Sequence[str]) -> Any:
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", unique_name(scene, f"{track.name} steps"))
    sequence.SetIndexName(index_name)
    sequence.SetIndexUnit("")
    for node, value in zip(track.nodes, values, strict=True):
        sequence.SetDataNodeAtValue(node, value)
    return sequence
