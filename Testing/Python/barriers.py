"""What stands in somebody's way on a page, as axe-core finds it."""

from __future__ import annotations

from typing import Any

import pytest

SERIOUS = ("serious", "critical")


def barriers(page: Any) -> list[str]:
    """The serious findings of an open page, with the element of each."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="axe-playwright-python is not installed: pip install 'sure-uncertainty[test]'",
    )
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:160]} {node['any'][:1]}"
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]
