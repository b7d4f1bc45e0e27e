"""Command line, report, panel and page show one number in one way: rounded, never cut off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from SUREUncertaintyLib.cli import run_summary as summary
from SUREUncertaintyLib.core.rounding import decimals, significant
from SUREUncertaintyLib.report import result_page as report_page
from SUREUncertaintyLib.report.html_parts import ABSENT
from SUREUncertaintyLib.report.run_record import describe_result
from two_blobs import two_blobs

NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (0.0951, 2, "0.10"),
        (0.0949, 2, "0.09"),
        (0.999, 2, "1.00"),
        (0.0, 2, "0.00"),
        (-0.126, 2, "-0.13"),
        (12.3456, 2, "12.35"),
        (1234.56, 0, "1235"),
        (0.0951, 3, "0.095"),
        (NAN, 2, "-"),
        (INFINITE, 2, "-"),
        (None, 2, "-"),
    ],
)
def test_decimals_are_rounded(value: float | None, digits: int, shown: str) -> None:
    assert decimals(value, digits, "-") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.09514, "0.0951"),
        (3.3134, "3.31"),
        (99.96, "100"),
        (123.6, "124"),
        (3313.4, "3313"),
        (1234567.8, "1234568"),
        (0.0, "0"),
        (5.0, "5"),
        (NAN, ""),
        (None, ""),
    ],
)
def test_three_significant_digits_and_no_powers_of_ten_for_large_numbers(value: float | None, shown: str) -> None:
    assert significant(value) == shown


def test_page_report_and_command_line_show_the_same_structure_alike() -> None:
    pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")
    from SUREUncertaintyLib.mrml.headless import HeadlessScene
    from SUREUncertaintyLib.mrml.publish import publish
    from SUREUncertaintyLib.view.numbers_part import _structures

    given = two_blobs()
    row = replace(
        given.structures[0], mean_uncertainty=0.0951, volume_ml=12.3456, volume_low_ml=11.996, volume_high_ml=13.004
    )
    given = replace(given, structures=(row, *given.structures[1:]))
    with HeadlessScene() as headless:
        on_page, without_row, empty = _structures(publish(headless.scene, given))
    document = describe_result(given)
    colours = {label["value"]: label["color"] for label in document["labels"]}
    in_report = report_page._structure_cells(document["structures"][0], colours, False, False)
    in_terminal = summary._cells(document["structures"][0])
    assert on_page["volume"] == in_report[1] == in_terminal[2] == "12.35"
    assert [on_page["low"], on_page["high"]] == in_report[2].split(" – ") == in_terminal[3].split(" - ")
    assert on_page["uncertainty"] == in_report[4] == in_terminal[5] == "0.10"
    assert (empty["uncertainty"], without_row["volume"]) == ("", "")
    assert report_page._structure_cells(document["structures"][1], colours, False, False)[4] == ABSENT
