"""One progress bar for every command; only on a terminal, so that logs and pipes stay clean."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..core.progress import Progress, silent


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """A progress that draws a bar on standard error; silent where that is no terminal. The bar is gone at the end."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress as Bar, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda fraction, text: bar.update(task, completed=fraction, description=text)


STEPS = 20
"""Lines that a long run prints where there is no terminal."""


@contextmanager
def printed_progress() -> Iterator[Progress]:
    """As ``terminal_progress``, but where there is no terminal a line on standard error each twentieth of the way: a
    log of a run that takes hours says how far it is."""
    if sys.stderr.isatty():
        with terminal_progress() as bar:
            yield bar
        return
    told = -1

    def tell(fraction: float, text: str) -> None:
        nonlocal told
        if int(fraction * STEPS) > told:
            told = int(fraction * STEPS)
            print(f"{fraction:4.0%}  {text}", file=sys.stderr, flush=True)

    yield tell
