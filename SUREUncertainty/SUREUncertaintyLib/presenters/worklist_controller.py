"""Walks a person through the cases of a cohort: loads each one into the scene and writes down what was decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import slicer

from ..cohort.case_row import CaseRow
from ..cohort.review import ACCEPTED, EDITED, Worklist
from ..core.errors import InputError
from ..core.labels import Label
from ..core.volume import Volume
from ..files.reading import read_volume
from ..files.segment_reading import read_segmentation
from ..mrml.display import jump_to
from ..mrml.nodes import PublishedNodes
from ..mrml.publish import publish
from ..mrml.reading_back import result_from_nodes
from ..mrml.removal import remove_result
from ..mrml.review import read_regions
from ..mrml.segmentation_nodes import was_edited
from ..mrml.volume_nodes import grid_from_node
from ..report.result_reading import read_result


class WorklistView(Protocol):
    """Who shows the cases."""

    def show_case(self, published: PublishedNodes, threshold: float) -> None:
        """A case has been loaded and is to be shown."""
        ...

    def leave_case(self) -> None:
        """The nodes of the case that was shown are about to go."""
        ...


class WorklistController:
    """One cohort at a time, one case in the scene at a time; all other nodes stay as they are.

    Raises:
        InputError, OutputError: as ``cohort.review.Worklist``; the case that was shown stays.
    """

    def __init__(self, scene: Callable[[], Any], view: WorklistView) -> None:
        self._scene, self._view = scene, view
        self.worklist: Worklist | None = None
        self.number = -1
        self._published: PublishedNodes | None = None
        self._keeps_scan = False
        self._kept: Volume | None = None
        self._require: Callable[[Path], object] = Path

    @property
    def row(self) -> CaseRow | None:
        """The case that is shown."""
        return None if self.worklist is None or self.number < 0 else self.worklist.rows[self.number]

    def open(self, folder: Path, require: Callable[[Path], object] = Path) -> None:
        """Open a cohort and go to the first case that nobody has decided about, or to the first one.

        Args:
            require: raises ``InputError`` for a scan that may not be read.
        """
        worklist = Worklist.open(folder)
        self.close_case()
        self.worklist, self.number, self._require = worklist, -1, require
        self.go_to(worklist.next_open() or 0)

    def step(self, count: int) -> None:
        """Go so many cases on (or back), at most to the end."""
        if self.worklist is not None:
            self.go_to(min(max(self.number + count, 0), len(self.worklist.rows) - 1))

    def go_to_open(self) -> bool:
        """Go to the next case that nobody has decided about; whether there is one."""
        number = None if self.worklist is None else self.worklist.next_open(self.number)
        if number is not None:
            self.go_to(number)
        return number is not None

    def go_to(self, number: int) -> None:
        """Load a case and jump to its most uncertain place."""
        if self.worklist is None or number == self.number:
            return
        self._require_decided()
        row = self.worklist.rows[number]
        self.worklist.review(row)
        self._require(Path(row.image))
        result = read_result(self.worklist.result_folder(row), read_volume(Path(row.image)))
        edited = self.worklist.edited_file(row)
        if edited is not None:
            result = replace(result, labels=read_segmentation(edited)[0])
        self.close_case()
        nodes = set(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", self._scene()))
        self._published = publish(self._scene(), result)
        self._keeps_scan, self._kept, self.number = self._published.scan in nodes, None, number
        self._view.show_case(self._published, result.threshold)
        regions = read_regions(self._published.regions)
        if regions:
            jump_to(self._scene(), regions[0].centre_ras)

    def decide(self, decision: str, note: str = "") -> None:
        """Write a decision down; a segmentation that was edited in the scene is kept beside the original.

        "accepted" for a segmentation that was edited becomes "edited": what counts is what is seen.
        """
        row, worklist = self.row, self.worklist
        if row is None or worklist is None:
            return
        edited = self._edited()
        if edited is None:
            kept = worklist.edited_file(row)
            edited = read_segmentation(kept) if kept is not None else None
        worklist.decide(row, EDITED if edited is not None and decision == ACCEPTED else decision, note, edited)
        self._kept = self._drawn()

    def undo(self) -> None:
        """Take the last decision about the shown case back, and show the segmentation that counts then."""
        row, worklist, number = self.row, self.worklist, self.number
        if row is None or worklist is None:
            return
        worklist.undo(row)
        self._reload(number)

    def reset(self) -> None:
        """Load the shown case again: changes of its outline that were not decided about are lost."""
        if self.number >= 0:
            self._reload(self.number)

    def _reload(self, number: int) -> None:
        self._kept = self._drawn()
        self.number = -1
        self.go_to(number)

    def close_case(self) -> None:
        """Take the nodes of the shown case out of the scene."""
        if self._published is None:
            return
        self._view.leave_case()
        remove_result(self._scene(), self._published, with_scan=not self._keeps_scan)
        self._published, self._kept, self.number = None, None, -1

    def forget_scene(self) -> None:
        """The scene is going, and its nodes with it."""
        self._published, self._kept, self.number = None, None, -1

    def _require_decided(self) -> None:
        """Raise InputError while the outline was changed and nobody has decided about it."""
        drawn = self._drawn()
        if drawn is not None and (self._kept is None or not np.array_equal(drawn.array, self._kept.array)):
            raise InputError(
                "You have changed the outline of this case. Press Edited to keep it beside the original, or Start "
                "again to drop the change."
            )

    def _drawn(self) -> Volume | None:
        """The label map in the scene, where a person changed it."""
        edited = self._edited()
        return None if edited is None else edited[0]

    def _edited(self) -> tuple[Volume, tuple[Label, ...]] | None:
        """What a person made of the segmentation in the scene; None where it is as it was loaded."""
        published = self._published
        if published is None or not was_edited(published.segmentation, grid_from_node(published.uncertainty)):
            return None
        found = result_from_nodes(published)
        return found.labels, found.label_set
