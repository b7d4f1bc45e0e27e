"""Small pieces of HTML that the sections of a page share."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from ..core.rounding import decimals
from .words import linked

ABSENT = "–"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], text_columns: Sequence[int] = ()) -> str:
    """A table that scrolls on small screens. Cells are HTML already, the heading is not; it leads to its meaning."""

    def cell(tag: str, column: int, content: str) -> str:
        kind = ' class="text"' if column in text_columns else ""
        return f"<{tag}{kind}>{content}</{tag}>"

    header = "".join(cell("th", n, linked(name)) for n, name in enumerate(head))
    body = "\n".join("<tr>" + "".join(cell("td", n, text) for n, text in enumerate(row)) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{header}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def definitions(pairs: Iterable[tuple[str, str]]) -> str:
    """Terms and what they are; the latter is HTML already."""
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{text}</dd>" for name, text in pairs) + "</dl>"


def number(value: float | None, digits: int = 2) -> str:
    """A number with that many decimals; a dash for None and NaN."""
    return decimals(value, digits, ABSENT)


def section(title: str, content: str) -> str:
    """A section under a heading; ``content`` is HTML already, the title is not."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>"


def details(pairs: Iterable[tuple[str, str]]) -> str:
    """The section of technical facts, closed at first; terms and plain texts."""
    facts = definitions((name, escape(text)) for name, text in pairs)
    return f"<section>\n<details>\n<summary>Technical details</summary>\n{facts}\n</details>\n</section>"


def paragraphs(sentences: Iterable[str]) -> str:
    """A paragraph for each sentence, which is plain text."""
    return "\n".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def figure(title: str, caption: str, png: bytes) -> str:
    """A picture inside the page itself; ``title`` and ``caption`` are plain text."""
    data = base64.b64encode(png).decode("ascii")
    image = f'<img alt="{escape(title)}" src="data:image/png;base64,{data}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def share(value: float | None) -> str:
    """A share as a percentage with a bar."""
    if value is None:
        return ABSENT
    return f'{value:.0%}<span class="bar"><i style="width: {value:.1%}"></i></span>'
