"""The page on formats says what the reader says."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Testing" / "Bench"))

from formats_table import (
    PAGE,  # noqa: E402
    make_table,  # noqa: E402
    page_with,  # noqa: E402
)


def test_the_table_of_refusals_and_notices_is_what_the_reader_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with(make_table())
