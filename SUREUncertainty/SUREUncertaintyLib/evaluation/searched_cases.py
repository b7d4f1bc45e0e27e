"""Case lists in which a model finds its own boxes: each box that a search finds becomes a case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.errors import Cancelled, InputError, SureError
from ..core.progress import IsCancelled, Progress, never, silent
from ..core.roi import Roi
from ..files.reading import read_volume
from ..inference.engine import Engine
from ..inference.segmenter import segment
from ..location.choice import needs_search
from ..location.locate import locate
from .cases import Case

if TYPE_CHECKING:
    from ..packages.package import Package


def searched_cases(
    cases: Sequence[Case],
    package: Package,
    engine: Engine,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> tuple[Case, ...]:
    """The cases with numbers for every region that says ``auto``, or nothing where the model has to search.

    A case becomes one a box, ``id Left`` and ``id Right``, of the same group; the boxes are where ``sure segment``
    would bring them to rest, with the pose of what was found. A scan that cannot be read, or in which the search or
    the run after it fails, stays one case, which fails with the sentence of that.

    Raises:
        InputError: a case says ``auto``, but the model cannot search. Cancelled.
    """
    return tuple(_each(cases, package, engine, progress, is_cancelled))


def _each(
    cases: Sequence[Case], package: Package, engine: Engine, progress: Progress, is_cancelled: IsCancelled
) -> Iterator[Case]:
    for number, case in enumerate(cases):
        if package.metadata.locator is None and case.is_searched:
            raise InputError(
                f"The case {case.id} asks to search for its region, but the model '{package.name}' cannot search. "
                "Give the region's box in the column roi."
            )
        if package.metadata.locator is None or (case.roi and not case.is_searched):
            yield case
            continue
        progress(number / len(cases), f"{case.id}: searching")
        yield from _attempted(case, package, engine, is_cancelled)


def _attempted(case: Case, package: Package, engine: Engine, is_cancelled: IsCancelled) -> tuple[Case, ...]:
    try:
        return _searched(case, package, engine, is_cancelled)
    except Cancelled:
        raise
    except SureError as error:
        return (replace(case, refused=str(error)),)
    except Exception as error:  # one broken case never stops the rest
        text = f"The case {case.id} could not be searched ({type(error).__name__}: {error})."
        return (replace(case, refused=text),)


def _searched(case: Case, package: Package, engine: Engine, is_cancelled: IsCancelled) -> tuple[Case, ...]:
    scan = read_volume(case.image)
    if not case.roi and not needs_search(scan.grid, package.metadata):
        return (case,)
    located = locate(scan, package, silent, is_cancelled)
    turn = tuple(located.turn.ravel().tolist())
    rois = segment(scan, package, engine, located.rois, is_cancelled=is_cancelled, turn=located.turn).rois
    return tuple(replace(case, id=f"{case.id} {roi.name}", roi=_text(roi), turn=turn) for roi in rois)


def _text(roi: Roi) -> str:
    """A box as ``--roi`` writes it."""
    ends = (f"{value:.3f}" for pair in zip(roi.low, roi.high, strict=True) for value in pair)
    return f"{roi.name}={','.join(ends)}"
