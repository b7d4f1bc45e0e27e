"""One thing that a window may ask for: what it does, and what its arguments must be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core.errors import InputError

LONGEST_TEXT = 4096
"""Characters: the longest path that systems know."""


@dataclass(frozen=True)
class Argument:
    """What one argument must be; ``words`` say it to people."""

    words: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True)
class Action:
    """A function that a window may call.

    Attributes:
        arguments: one a positional argument; ``optional``: how many of the last ones may be left out.
    """

    act: Callable[..., Any]
    arguments: tuple[Argument, ...] = ()
    optional: int = 0

    def __call__(self, *given: Any) -> Any:
        """Act on what the window sent.

        Raises:
            InputError: the arguments are others than ``arguments``; nothing was done.
        """
        if not len(self.arguments) - self.optional <= len(given) <= len(self.arguments):
            raise InputError("This page is of another version than the program behind it. Reload the page.")
        for value, argument in zip(given, self.arguments, strict=False):
            if not argument.fits(value):
                raise InputError(f"This needs {argument.words}. Nothing was changed.")
        return self.act(*given)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _are_numbers(value: Any, count: int) -> bool:
    return isinstance(value, list) and len(value) == count and all(map(_is_number, value))


TEXT = Argument("a text", lambda value: isinstance(value, str) and len(value) <= LONGEST_TEXT)
FLAG = Argument("yes or no", lambda value: isinstance(value, bool))
WHOLE = Argument("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
NUMBER = Argument("a number", _is_number)
PLACE = Argument("two numbers", lambda value: _are_numbers(value, 2))
ENDS = Argument("four numbers", lambda value: _are_numbers(value, 4))
BOUNDS = Argument("six numbers in mm", lambda value: _are_numbers(value, 6))
