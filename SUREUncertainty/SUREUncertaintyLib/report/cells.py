"""Small pieces of HTML that the sections of a page share."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from html import escape

ABSENT = "–"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], text_columns: Sequence[int] = ()) -> str:
    """A table that scrolls on small screens. Cells are HTML already, the heading is not."""

    def cell(tag: str, column: int, content: str) -> str:
        kind = ' class="text"' if column in text_columns else ""
        return f"<{tag}{kind}>{content}</{tag}>"

    header = "".join(cell("th", n, escape(name)) for n, name in enumerate(head))
    body = "\n".join("<tr>" + "".join(cell("td", n, text) for n, text in enumerate(row)) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{header}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Terms and what they are; the latter is HTML already."""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{text}</dd>" for name, text in pairs) + "</dl>"


def number(value: float | None) -> str:
    """Two decimals."""
    return ABSENT if value is None else f"{value:.2f}"


def share(value: float | None) -> str:
    """A share as a percentage with a bar."""
    if value is None:
        return ABSENT
    return f'{value:.0%}<span class="bar"><i style="width: {value:.1%}"></i></span>'
