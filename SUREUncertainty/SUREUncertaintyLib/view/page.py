"""The page's template, which trame's program in the browser fills from the state."""

from __future__ import annotations

from typing import Any

from .routes import ASSETS

TEMPLATE = "trame__template_main"


def write_page(server: Any) -> None:
    """Hand the template and our script to trame."""
    server.state[TEMPLATE] = (ASSETS / "page.html").read_text(encoding="utf-8")
    server.state.trame__title = "SURE Uncertainty"
    server.state.trame__favicon = "sure/icon.svg"
    server.enable_module({"scripts": ["sure/page.js"]})
