"""Follow-up: growth between two results of the scene, with its range, and the probability that it is real."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..mrml.nodes import PublishedNodes
from ..presenters import texts
from ..presenters.follow_up import (
    Comparison,
    chosen_pair,
    comparable_results,
    compare_published,
    days_hint,
    result_title,
)
from .session import Session


class FollowUpPart:
    """Fills ``follow_results``, ``follow_days_hint``, ``follow_obstacle`` and ``follow_up`` of the state; follows
    ``follow_before`` and ``follow_after``, and reads ``follow_days``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: dict[str, PublishedNodes] = {}
        self._comparison: Comparison | None = None
        self._shown: tuple[str, str] = ("", "")
        self._compared: tuple[str, ...] = ()
        self._scans: tuple[tuple[str, str], ...] = ()
        session.state.update({"follow_before": "", "follow_after": "", "follow_days": "", "follow_up": None})
        self.refresh()

    def refresh(self) -> None:
        """List the results of the scene that have samples."""
        state = self._session.state
        self._found = comparable_results(self._session.scene)
        names = {identifier: result_title(one) for identifier, one in self._found.items()}
        state.follow_results = [{"id": identifier, "name": name} for identifier, name in names.items()]
        state.follow_before, state.follow_after = chosen_pair(names, *self._pair())
        if self._records() != self._compared:  # one of them was run again
            self._shown = ("", "")
        self.update()

    def update(self) -> None:
        """Follow the state: other results take what was said about the earlier ones with them."""
        state, pair = self._session.state, self._pair()
        chosen = [self._found[key] for key in pair if key in self._found]
        state.follow_days_hint = days_hint(chosen, str)
        state.follow_obstacle = self._obstacle(pair)
        if pair != self._shown:
            self._shown, self._comparison, state.follow_up = pair, None, None
        scans = tuple((key, one.scan.GetName()) for key, one in zip(pair, chosen, strict=False))
        if scans != self._scans:  # days that were typed are those of other scans
            self._scans, state.follow_days = scans, ""

    async def compare(self, in_thread: Callable[..., Any]) -> None:
        """Compare the two results that are chosen.

        Raises:
            InputError: they cannot be compared, or the days are no number.
        """
        state, pair = self._session.state, self._pair()
        if obstacle := self._obstacle(pair):
            raise InputError(obstacle)
        self._comparison, state.follow_up = None, None
        before, after = (self._found[key] for key in pair)
        found = compare_published(before, after, str(state.follow_days or ""))
        charts = await in_thread(_charts, found)
        if self._pair() != pair:
            return
        self._comparison, self._compared = found, self._records()
        state.follow_up = {
            "told": list(found.told(str)),
            "size_headers": list(texts.FOLLOW_UP_SIZES),
            "sizes": found.sizes,
            "change_headers": list(texts.FOLLOW_UP_CHANGES),
            "changes": found.changes,
            "method": found.method,
            "charts": charts,
        }

    async def write(self, folder: Path, in_thread: Callable[..., Any]) -> str:
        """Write the report of what was compared into a folder; returns a name for it.

        Raises:
            InputError: nothing was compared yet.
        """
        from ..follow_up.run import write_files

        found = self._comparison
        if found is None:
            raise InputError(str(texts.FOLLOW_UP_NEEDS_COMPARISON))
        await in_thread(write_files, found.document, found.results, folder)
        return f"{found.results['after'].where} follow-up"

    def _pair(self) -> tuple[str, str]:
        return str(self._session.state.follow_before), str(self._session.state.follow_after)

    def _records(self) -> tuple[str, ...]:
        """What the results that are chosen say of themselves."""
        chosen = [self._found[key] for key in self._pair() if key in self._found]
        return tuple(one.provenance.GetText() for one in chosen if one.provenance is not None)

    def _obstacle(self, pair: tuple[str, str]) -> str:
        """Why the two that are chosen cannot be compared; empty where nothing speaks against it."""
        if len(self._found) < 2 or not set(pair) <= self._found.keys():
            return str(texts.FOLLOW_UP_NEEDS_TWO)
        return str(texts.FOLLOW_UP_SAME) if pair[0] == pair[1] else ""


def _charts(found: Comparison) -> list[dict[str, str]]:
    """The pictures of a comparison as addresses that hold them."""
    from ..follow_up.chart import NARROW
    from ..follow_up.run import charts_of

    pictures = charts_of(found.document, found.results, NARROW)
    return [
        {"name": name, "source": f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"}
        for name, picture in pictures.items()
    ]
