"""Texts that translators find: literals that are marked where they stand, as 3D Slicer's own modules mark theirs.

Slicer's tools take ``_("...")`` out of a Python file with a context, which is the folder's and the file's name. A
``Text`` carries it along, so that it can be looked up wherever it is shown. Only a ``Text`` may be translated; mypy
holds every caller to that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from string import Formatter


class Text(str):
    """A marked literal.

    Attributes:
        context: under which Slicer's translation files hold it, for instance ``presenters.texts``.
    """

    context: str = ""


Translate = Callable[[Text], str]
"""Gives a text in the user's language; ``str`` leaves it in English."""

EMPTY = Text()
"""Nothing to say."""


def tr(text: str) -> Text:
    """Mark a literal for translators: import it as ``_``, and give it the literal alone, without a comma after it."""
    marked = Text(text)
    marked.context = ".".join(sys._getframe(1).f_globals["__name__"].split(".")[-2:])
    return marked


def translated(text: Text, look_up: Callable[[str, str], str]) -> str:
    """The text in the user's language, or as it is where a translator changed the names of its placeholders.

    Args:
        look_up: (context, text) to what the translation files hold, the text itself where they hold nothing.
    """
    if not text:
        return ""
    found = look_up(text.context, text)
    return found if _placeholders(found) == _placeholders(text) else str(text)


def _placeholders(text: str) -> set[str] | None:
    """Names in braces; None for braces that fit nothing."""
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return None
