"""A study: which arms are trained and estimated alike, and on what they are compared; one YAML file."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..corruptions.registry import NAMES
from ..files.documents import build_section, find_document, read_document
from ..inference.estimation.estimator_choice import check_estimator
from ..robustness.strengths import check_levels

BUILT_IN = Path(__file__).resolve().parent.parent / "studies"


@dataclass(frozen=True)
class Arm:
    """One estimator in the comparison.

    Attributes:
        title: for tables and charts.
        changes: what its recipe changes in the common one, nested as in the recipe.
        start: the arm (or model package) whose weights its training starts from; empty: fresh weights.
        of: uses the trained network of another arm instead of training one.
        members: trainings with further seeds, more than one for an ensemble; seed: added to the recipe's.
        folds: which folds are trained, for a recipe with folds.
        estimator, passes: how probabilities and uncertainty are made, see ``inference.estimation``.
        every: every n-th case goes through the corruptions other than Gaussian noise, for costly estimators.
        hidden: trained only, for others to start from.
    """

    name: str
    title: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    start: str = ""
    of: str = ""
    members: int = 1
    seed: int = 0
    folds: tuple[int, ...] = ()
    estimator: str = "native"
    passes: int | None = None
    every: int = 1
    hidden: bool = False


@dataclass(frozen=True)
class Outside:
    """Scans of a kind that the network never saw.

    Attributes:
        images: patterns of file names inside the data folder; at most ``most`` of them, evenly spread.
        box_mm: edges along (i, j, k) of a box at the middle of the scan; empty: the whole scan.
        pair: [theirs, own]: theirs in a file's name is replaced by own to find the scan of the usual kind.
        as_stored: ignore the direction of the axes, for networks that work on slices as they are stored.
    """

    name: str
    title: str
    images: tuple[str, ...]
    box_mm: tuple[float, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    most: int = 0
    as_stored: bool = False


@dataclass(frozen=True)
class Further:
    """The held-out subjects in other files; ``data``: what changes in the recipe's data section."""

    name: str
    title: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """A whole study; ``document`` is the file as read, for the record.

    Attributes:
        recipe: the common base, by name or file; changes: what the common profile changes in it.
        split: of the cases that the arms are compared on, without folds.
        main: the arm that the others are compared with; pairs: further arms to compare, [one, other].
        levels: strengths of every corruption; Gaussian noise always runs at the levels of the evaluation protocol.
        seed: of noise fields, draws and bootstraps.
    """

    name: str
    title: str
    recipe: str
    main: str
    arms: tuple[Arm, ...]
    data_note: str = ""
    split: str = "val"
    changes: dict[str, Any] = field(default_factory=dict)
    corruptions: tuple[str, ...] = NAMES
    levels: tuple[float, ...] = (0.1, 0.5, 0.9)
    seed: int = 0
    outside: tuple[Outside, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    further: tuple[Further, ...] = ()
    document: dict[str, Any] = field(default_factory=dict, repr=False)

    def arm(self, name: str) -> Arm:
        """An arm by name. Raises ``InputError``."""
        for arm in self.arms:
            if arm.name == name:
                return arm
        known = ", ".join(arm.name for arm in self.arms)
        raise InputError(f"The study '{self.name}' has no arm '{name}'. Its arms are: {known}.")

    @property
    def compared(self) -> tuple[Arm, ...]:
        """The arms that are evaluated."""
        return tuple(arm for arm in self.arms if not arm.hidden)


def load_study(path_or_name: str | Path) -> Study:
    """Read a study from a YAML file, or a built-in one by name.

    Raises:
        InputError: no such study, not YAML, or content that makes no sense; the sentence names it.
    """
    path = find_document(path_or_name, BUILT_IN, "study")
    return parse_study(read_document(path, "study", "'name', 'recipe' and 'arms'"))


def parse_study(document: Mapping[str, Any]) -> Study:
    """Check a study's document. Raises ``InputError``."""
    arms = tuple(build_section(Arm, entry, "an arm of the study") for entry in document.get("arms") or ())
    outside = tuple(build_section(Outside, entry, "'outside' of the study") for entry in document.get("outside") or ())
    further = tuple(build_section(Further, entry, "'further' of the study") for entry in document.get("further") or ())
    lists = {"arms": arms, "outside": outside, "further": further}
    study = build_section(Study, {**document, **lists, "document": dict(document)}, "the study")
    check_levels(study.levels)
    names = [arm.name for arm in study.arms]
    if len(set(names)) < len(names):
        raise InputError(f"The study '{study.name}' names an arm twice: {', '.join(names)}.")
    for name in (study.main, *(name for pair in study.pairs for name in pair)):
        study.arm(name)
    for arm in study.arms:
        check_estimator(arm.estimator)
        _check_links(study, arm)
    return study


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of ``base`` with ``changes``, nested; a list replaces a list, and None takes a key away."""
    result = copy.deepcopy(dict(base))
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
            continue
        inner = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if inner else copy.deepcopy(value)
    return result


def _check_links(study: Study, arm: Arm) -> None:
    if arm.of and not any(other.name == arm.of and not other.of for other in study.arms):
        raise InputError(f"The arm '{arm.name}' uses the network of '{arm.of}', which is no arm with one of its own.")
    if (arm.estimator == "ensemble") != (arm.members > 1):
        raise InputError(f"The arm '{arm.name}' needs estimator 'ensemble' with more than one member, or neither.")
    if arm.start == arm.name:
        raise InputError(f"The arm '{arm.name}' starts from itself.")
