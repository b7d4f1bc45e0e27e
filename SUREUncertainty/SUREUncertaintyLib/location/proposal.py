"""Which model fits a scan, where nobody named one: only what the scan tells, else the choice is the user's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.checks import check_modality
from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, silent
from ..core.volume import Volume
from .choice import Boxes, found_boxes, needs_search

if TYPE_CHECKING:
    from ..packages.package import Package

OVER_TIME = "the scan is one over time, and this model measures a beating cavity"
FOUND = "its structures were found in the scan"
UNDECIDED = (
    "No model could be told from the scan '{name}' alone. Name one with --model; those for such scans are:\n{models}"
)
NONE = "There is no model for the scan '{name}' ({modality}). 'sure models list' shows those that there are."


@dataclass(frozen=True)
class Proposal:
    """A model, why it fits, and the boxes of the search that told so; None where nothing was searched."""

    package: Package
    reason: str
    boxes: Boxes | None = None

    @property
    def sentence(self) -> str:
        """What is said before the run."""
        return f"Model {self.package.name}: {self.reason}. Another one is chosen with --model."


def propose(
    scan: Volume,
    over_time: bool,
    packages: Sequence[Package],
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Proposal:
    """The one model that fits a scan.

    A scan over time gets the model of a beating cavity. A scan gets the model whose structures are found in it, where
    its modality is not against that. Anything else is not guessed.

    Args:
        scan: the scan, or the first frame of one over time.
        packages: those to choose from.

    Raises:
        InputError: none or several fit; the sentence lists what there is. Cancelled.
    """
    fitting = [package for package in packages if _modality_fits(scan, package)]
    if not fitting:
        raise InputError(NONE.format(name=scan.name, modality=scan.modality or "modality unknown"))
    if over_time:
        found = [Proposal(package, OVER_TIME) for package in fitting if package.metadata.cavity is not None]
    else:
        searching = [package for package in fitting if package.metadata.locator is not None]
        tried = (_searched(scan, package, progress, is_cancelled) for package in searching)
        found = [proposal for proposal in tried if proposal is not None]
    if len(found) != 1:
        listed = "\n".join(f"  {package.name}: {package.metadata.task}" for package in fitting)
        raise InputError(UNDECIDED.format(name=scan.name, models=listed))
    return found[0]


def _searched(scan: Volume, package: Package, progress: Progress, is_cancelled: IsCancelled) -> Proposal | None:
    """A scan of the size of the training crops is not searched: its kind cannot be told from so little."""
    if not needs_search(scan.grid, package.metadata):
        return None
    try:
        boxes = found_boxes(scan, package, (), progress, is_cancelled)
    except InputError:
        return None
    return Proposal(package, FOUND, boxes)


def _modality_fits(scan: Volume, package: Package) -> bool:
    try:
        check_modality(scan.name, scan.modality, package.metadata.modality)
    except InputError:
        return False
    return True
