"""The page on formats says what the reader says."""

from pathlib import Path

from formats_table import (
    PAGE,
    make_table,
    page_with,
)

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_of_refusals_and_notices_is_what_the_reader_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_with(make_table())
