"""``docs/fit-study.md``: the tables, from the results alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).resolve().parents[3] / "docs" / "fit-study.md"


def write_page(document: Mapping[str, Any]) -> None:
    """Write it."""
    raise NotImplementedError(np.nan)
