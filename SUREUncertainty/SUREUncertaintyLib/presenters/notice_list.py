"""The warnings of a result as the panel and the page list them."""

from __future__ import annotations

import json

from ..mrml.nodes import PublishedNodes


def notices_text(published: PublishedNodes) -> str:
    """The warnings of a result, one a line, from what it keeps in the scene."""
    if published.provenance is None or not published.provenance.GetText():
        return ""
    notices = json.loads(published.provenance.GetText()).get("notices", [])
    return "\n".join(f"\u2022 {notice['text']}" for notice in notices)
