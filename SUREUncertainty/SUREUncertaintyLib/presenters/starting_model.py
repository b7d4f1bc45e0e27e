"""The model that a list shows before anybody has chosen one: by what can be told of the scan at no cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.checks import modality_family
from ..mrml.scan_facts import modality_of
from ..mrml.scan_over_time import browser_of
from ..packages.metadata import PackageMetadata


class StartingModel:
    """Goes with the scan until a person chooses a model."""

    def __init__(self) -> None:
        self._given = ""

    def follow(self, current: str, models: Mapping[str, PackageMetadata], scene: Any, scan: Any) -> str:
        """What the list should show.

        Args:
            current: what it shows now, or is about to; that stays where it was not given here.
            scan: the volume node that is to be segmented, None without one.
        """
        if current and current != self._given:
            return current
        modality = "" if scan is None else modality_of(scan)
        self._given = starting_model(models, modality, browser_of(scene, scan) is not None)
        return self._given

    def keep(self) -> None:
        """A person has chosen: from now on nothing changes by itself."""
        self._given = ""


def starting_model(models: Mapping[str, PackageMetadata], modality: str, over_time: bool) -> str:
    """The first model of the scan's modality that can start with one click; empty without models.

    A scan over time has one that measures a cavity, any other scan one that searches for its structures. Nothing is
    known by that: before a run the scan is looked at (``presenters.cautions``), and a search tells if it finds nothing.
    """
    found = modality_family(modality)
    fitting = [name for name, one in models.items() if not found or modality_family(one.modality) in ("", found)]

    def rank(name: str) -> tuple[bool, bool]:
        return over_time != (models[name].cavity is not None), models[name].locator is None

    return min(fitting or models, key=rank, default="")
