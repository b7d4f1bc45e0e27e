"""Which of a package's networks and mirrored passes run: what it costs and what it gives is the user's choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.errors import InputError
from ...packages.pipeline import Member, Pipeline

ALL = "all"
NONE = "none"
FOLDS, MIRRORS, ONE = "folds", "mirrors", "one"
"""With ``ALL`` what a list of passes offers: every fold once, the first fold with its mirrors, the first fold once."""


@dataclass(frozen=True)
class MemberChoice:
    """Folds by name and whether the allowed mirrors run; None is the estimator's own choice."""

    folds: tuple[str, ...] | None = None
    mirrors: bool | None = None

    def __bool__(self) -> bool:
        return self.folds is not None or self.mirrors is not None


@dataclass(frozen=True)
class Pass:
    """One run of one network on an image that is mirrored along some of its spatial axes."""

    member: Member
    mirrored: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """For tables: the fold, and the mirrored axes if there are any."""
        axes = ", ".join(str(axis) for axis in self.mirrored)
        return f"{self.member.name}, mirrored along {axes}" if axes else self.member.name


def parse_choice(folds: str | None, mirrors: str | None) -> MemberChoice:
    """From ``"0,2"`` or ``"all"``, and ``"all"`` or ``"none"``. Raises ``InputError``."""
    if mirrors not in (None, ALL, NONE):
        raise InputError(f"--mirrors is '{mirrors}'; choose all (every allowed mirrored pass) or none.")
    wanted = None if folds is None or folds.strip() == ALL else tuple(filter(None, map(str.strip, folds.split(","))))
    if folds is not None and wanted == ():
        raise InputError("--folds names no fold; give numbers with commas between them, such as 0,1, or all.")
    return MemberChoice(wanted, None if mirrors is None else mirrors == ALL)


def offered_passes(pipeline: Pipeline | None) -> dict[str, tuple[int, int]]:
    """What a person may choose among: number of folds, and of copies of each, the one that is not mirrored included.

    Empty for a model whose passes are one, or cannot be chosen.
    """
    if pipeline is None or pipeline.parts:
        return {}
    folds, copies = len(pipeline.members), len(pipeline.mirrorings)
    counts = {ALL: (folds, copies), ONE: (1, 1), FOLDS: (folds, 1), MIRRORS: (1, copies)}
    first = {count: name for name, count in reversed(counts.items())}
    found = {name: counts[name] for name in (ALL, FOLDS, MIRRORS, ONE) if first[counts[name]] == name}
    return found if len(found) > 1 else {}


def named_choice(name: str, pipeline: Pipeline) -> MemberChoice:
    """The choice that ``offered_passes`` names. Raises ``InputError`` for another name."""
    first = (pipeline.members[0].name,)
    choices = {ALL: MemberChoice(), FOLDS: MemberChoice(mirrors=False)}
    choices |= {MIRRORS: MemberChoice(first), ONE: MemberChoice(first, mirrors=False)}
    if name not in choices:
        raise InputError(f"There are no passes '{name}'. Choose one of: {', '.join(choices)}.")
    return choices[name]


def choose_passes(pipeline: Pipeline, estimator: str, choice: MemberChoice) -> tuple[Pass, ...]:
    """The passes of an estimator, fold by fold.

    ``native`` runs every fold with every allowed mirror, as the program that trained them does; ``ensemble`` every
    fold once; ``tta`` the first fold with its mirrors; ``softmax`` the first fold once. A choice replaces either part.

    Raises:
        InputError: a fold that the package does not have.
    """
    if pipeline.parts:
        if estimator != "native" or choice:
            raise InputError(
                "The networks of this model find different structures, so that all of them run, once each. Choose the "
                "estimator 'native' and no folds or mirrors."
            )
        return tuple(Pass(member) for member in pipeline.members)
    every, mirrored = estimator in ("native", "ensemble"), estimator in ("native", "tta")
    members = pipeline.members if every else pipeline.members[:1]
    if choice.folds is not None:
        members = tuple(_find(pipeline.members, name) for name in choice.folds)
    turns = pipeline.mirrorings if (mirrored if choice.mirrors is None else choice.mirrors) else ((),)
    return tuple(Pass(member, axes) for member in members for axes in turns)


def cost_sentence(run: Sequence[Pass]) -> str:
    """What a run of several passes costs, and how to pay less; "" for a single pass."""
    if len(run) == 1:
        return ""
    folds = len({one.member.name for one in run})
    mirrors = len(run) // folds
    text = f"{len(run)} passes a window: {folds} {'fold' if folds == 1 else 'folds'}"
    text += f", {mirrors} mirrored copies each" if mirrors > 1 else ""
    ways = [*(["--mirrors none"] if mirrors > 1 else []), *(["--folds 0"] if folds > 1 else [])]
    return f"{text}. Fewer with {' or '.join(ways)}."


def _find(members: Sequence[Member], name: str) -> Member:
    for member in members:
        if name in (member.name, member.name.removeprefix("fold_")):
            return member
    known = ", ".join(member.name.removeprefix("fold_") for member in members)
    raise InputError(f"This model has no fold '{name}'. It has: {known}.")
