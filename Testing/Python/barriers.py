"""What stands in somebody's way on a page, as axe-core finds it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

SERIOUS = ("serious", "critical")


def barriers(page: Any) -> list[str]:
    """The serious findings of an open page, with the element of each."""
    spec = find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("axe-playwright-python is not installed: pip install 'sure-uncertainty[test]'")
    # the package itself reads the script in the locale's encoding, which may be ASCII
    page.evaluate((Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:160]} {node['any'][:1]}"
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]
