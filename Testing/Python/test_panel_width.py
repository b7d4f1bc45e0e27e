"""The Slicer panel fits 380 pixels: the result first, nothing cut in lists, no column behind a scroll bar."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest
from slicer_names import UI_FILE, ui_properties, ui_widgets
from SUREUncertaintyLib.analysis.noise_series import KINDS
from SUREUncertaintyLib.core import wording
from SUREUncertaintyLib.core.latent_levels import LatentLevel
from SUREUncertaintyLib.corruptions.registry import CORRUPTIONS
from SUREUncertaintyLib.presenters import texts
from SUREUncertaintyLib.presenters.result_sentences import HEADERS, VOLUME_HEADERS

WIDTH = 380
LETTER = 6.6
"""Pixels a letter of Slicer's font (9 points at 96 dots an inch), on average."""

FRAME, ARROW, BUTTON, GAP = 44, 34, 22, 6
"""Margins of panel, section and frame; arrow and edges of a list; edges of a button; between two widgets."""

LISTS = {
    "engineSelector": texts.ENGINE_NAMES.values(),
    "passesSelector": [text.format(folds=5, copies=8, passes=40) for text in texts.PASSES.values()],
    "exportSelector": texts.EXPORT_NAMES.values(),
    "mapSelector": [*wording.MAP_NAMES.values(), LatentLevel(4, 16).title(), LatentLevel(0, 1, silent=True).title()],
    "threedSelector": texts.THREED_NAMES.values(),
    "noiseSelector": [CORRUPTIONS[name].title for name in KINDS],
    "trainSourceSelector": texts.TRAIN_SOURCES.values(),
    "trainRecipeSelector": texts.TRAIN_RECIPES.values(),
}


def tree() -> ElementTree.Element:
    return ElementTree.parse(UI_FILE).getroot()


def parents() -> dict[ElementTree.Element, ElementTree.Element]:
    return {child: parent for parent in tree_once().iter() for child in parent}


_ROOT = tree()


def tree_once() -> ElementTree.Element:
    return _ROOT


def text_of(widget: ElementTree.Element) -> str:
    found = widget.find("property[@name='text']/string")
    return "" if found is None else (found.text or "")


def label_column(form: ElementTree.Element) -> float:
    """Width of the labels of a form."""
    labels = [item.find("widget") for item in form.findall("item[@column='0']") if "colspan" not in item.attrib]
    return max((LETTER * len(text_of(label)) for label in labels if label is not None), default=0.0) + GAP


def beside(widget: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The other widgets of the row of a widget."""
    above = parents()
    row = above[above[widget]]
    if row.attrib.get("class") == "QHBoxLayout":
        yield from (other for item in row for other in item.findall("widget") if other is not widget)


def form_of(widget: ElementTree.Element) -> ElementTree.Element:
    above = parents()
    here = widget
    while here.attrib.get("class") != "QFormLayout":
        here = above[here]
    return here


@pytest.mark.parametrize("name", LISTS)
def test_no_entry_of_a_list_is_cut(name: str) -> None:
    widget = tree_once().find(f".//widget[@name='{name}']")
    assert widget is not None
    room = WIDTH - FRAME - label_column(form_of(widget))
    room -= sum(LETTER * len(text_of(other)) + BUTTON + GAP for other in beside(widget))
    longest = max(LISTS[name], key=len)
    assert LETTER * len(longest) + ARROW <= room, f"'{longest}' needs more than {room:.0f} pixels"


def test_every_list_is_among_them() -> None:
    lists = {name for name, kind in ui_widgets().items() if kind == "QComboBox"}
    named_by_people = {"modelSelector", "fitModelSelector", "stepsSelector"}
    named_by_people |= {"followBeforeSelector", "followAfterSelector"}
    assert lists - named_by_people == set(LISTS)


def test_no_row_of_buttons_is_wider_than_the_panel() -> None:
    for row in tree_once().iter("layout"):
        if row.attrib.get("class") != "QHBoxLayout":
            continue
        widgets = [widget for item in row for widget in item.findall("widget")]
        needed = sum(LETTER * len(text_of(widget)) + BUTTON + GAP for widget in widgets)
        assert needed <= WIDTH - FRAME, [text_of(widget) for widget in widgets]


def _labels() -> list[ElementTree.Element]:
    """The labels whose texts come while the panel is in use."""
    labels = tree_once().findall(".//widget[@class='QLabel']")
    return [label for label in labels if label.find("property[@name='wordWrap']") is not None]


def test_the_panel_keeps_one_width() -> None:
    properties = ui_properties()
    assert properties["SUREUncertainty"]["minimumSize"].startswith("380")
    policies = {widget.attrib["name"]: widget.find("property[@name='sizePolicy']/sizepolicy") for widget in _labels()}
    wide = [n for n, policy in policies.items() if policy is None or policy.attrib["hsizetype"] != "Ignored"]
    assert wide == [], "a long word in these makes the panel wider"
    for name, kind in ui_widgets().items():
        if kind == "QComboBox":
            assert properties[name]["sizeAdjustPolicy"].endswith("AdjustToMinimumContentsLengthWithIcon"), name


def test_the_result_stands_first_verdict_then_volumes_then_reasons() -> None:
    main = tree_once().find(".//layout[@name='mainLayout']")
    assert main is not None
    order = [widget.attrib["name"] for item in main for widget in item.findall("widget")]
    assert order[:3] == ["shortFrame", "inputCollapsibleButton", "resultsCollapsibleButton"]
    short = tree_once().find(".//layout[@name='shortLayout']")
    assert short is not None
    names = [widget.attrib["name"] for item in short for widget in item.findall("widget")]
    assert names == ["noticesLabel", "volumesTable", "reasonsLabel"]


def test_columns_fit_and_the_one_with_names_wraps() -> None:
    sampled = ((VOLUME_HEADERS[1], VOLUME_HEADERS[4]), ("10.00 to 14.00", "117.6 to 123.2"))
    for headers, cells in (
        (HEADERS[2:], ("12345", "0.00")),
        (VOLUME_HEADERS[1:3], ("10.00 to 14.00", "0.87")),
        sampled,
    ):
        columns = zip(headers, cells, strict=True)
        taken = sum(LETTER * max(len(header), len(cell)) + 14 for header, cell in columns)
        assert WIDTH - FRAME - taken >= 100, "room for a name on two lines"
    tables = [name for name, kind in ui_widgets().items() if kind == "QTableWidget"]
    assert set(tables) >= {"volumesTable", "regionsTable", "modelsTable", "dependencyTable"}
    for name in tables:
        assert ui_properties()[name]["horizontalScrollBarPolicy"].endswith("ScrollBarAlwaysOff"), name
