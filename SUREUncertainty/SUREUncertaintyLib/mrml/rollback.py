"""Changes of a scene that happen whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any


@contextmanager
def all_or_nothing(scene: Any) -> Iterator[ExitStack]:
    """A block after whose failure the scene is as before it.

    Nodes that the block added are removed. For nodes that it changes, the block registers how to undo the change:
    ``undo.callback(node.SetName, node.GetName())`` before the change itself.
    """
    before = set(node_ids(scene))
    undo = ExitStack()
    try:
        yield undo
    except BaseException:
        undo.close()
        _remove([identifier for identifier in reversed(node_ids(scene)) if identifier not in before], scene)
        raise
    undo.pop_all()


def _remove(identifiers: list[str], scene: Any) -> None:
    """Browsers of sequences first: they make the nodes anew that show their steps."""
    nodes = [scene.GetNodeByID(identifier) for identifier in identifiers]
    for node in sorted(nodes, key=lambda node: not node.IsA("vtkMRMLSequenceBrowserNode")):
        if scene.IsNodePresent(node):
            scene.RemoveNode(node)


def node_ids(scene: Any) -> list[str]:
    """IDs of all nodes in the order of the scene."""
    return [scene.GetNthNode(number).GetID() for number in range(scene.GetNumberOfNodes())]
