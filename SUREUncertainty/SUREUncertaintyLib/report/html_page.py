"""What every page that is written for people has in common: one file, no script, no external link, light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

from .. import __version__
from ..core.wording import DISCLAIMER
from .words import meanings

HERE = Path(__file__).resolve().parent


def write_html(path: Path, title: str, subtitle: str, content: str) -> None:
    """Write a page.

    Args:
        title, subtitle: plain text.
        content: HTML of everything between the head of the page and its foot; words that it links are explained below.
    """
    values = {
        "title": escape(title),
        "subtitle": escape(subtitle),
        "style": (HERE / "html_page.css").read_text(encoding="utf-8"),
        "disclaimer": escape(DISCLAIMER),
        "content": content + meanings(content),
        "version": __version__,
    }
    path.write_text(filled(HERE / "html_page.html", values), encoding="utf-8")


def filled(template: Path, values: Mapping[str, str]) -> str:
    """A template with its gaps filled; ``values`` hold HTML."""
    return Template(template.read_text(encoding="utf-8")).substitute(values)
