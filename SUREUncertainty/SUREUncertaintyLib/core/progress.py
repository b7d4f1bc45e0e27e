"""Progress and cancel as plain callables, so that a terminal, a widget and a browser can share them."""

from collections.abc import Callable

from .errors import Cancelled

Progress = Callable[[float, str], None]
"""``progress(fraction, text)``: fraction in [0, 1], text one short phrase."""

IsCancelled = Callable[[], bool]


def silent(fraction: float, text: str) -> None:
    """The default progress: says nothing."""


def never() -> bool:
    """The default cancel test: never cancelled."""
    return False


def raise_if_cancelled(is_cancelled: IsCancelled) -> None:
    """Raise ``Cancelled`` as soon as the user has asked to stop."""
    if is_cancelled():
        raise Cancelled()


def part_of(progress: Progress, low: float, high: float, prefix: str = "") -> Progress:
    """The progress of a stage that takes the share low..high of the whole; ``prefix`` says which, before each text."""
    return lambda fraction, text: progress(low + (high - low) * fraction, prefix + text)


def one_of(progress: Progress, number: int, total: int, name: str = "") -> Progress:
    """The progress of one of several equal jobs, counted from 0; ``name`` stands before each text."""
    return part_of(progress, number / total, (number + 1) / total, f"{name}: " if name else "")
