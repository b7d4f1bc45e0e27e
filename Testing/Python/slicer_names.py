"""The public names of a real 3D Slicer 5.13, and the widgets of the module's .ui file."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAMES_FILE = ROOT / "Testing" / "Data" / "slicer-5.13.json"
UI_FILE = ROOT / "SUREUncertainty" / "Resources" / "UI" / "SUREUncertainty.ui"


@cache
def slicer_names() -> dict[str, Any]:
    """What Python sees in a real 3D Slicer 5.13; written by ``Testing/Bench/take_slicer_names.py``."""
    names: dict[str, Any] = json.loads(NAMES_FILE.read_text(encoding="utf-8"))
    return names


@cache
def members_of(widget_class: str) -> frozenset[str]:
    """Members of a widget class by its bare name ("QLabel"), those that every widget has included."""
    names = slicer_names()
    for prefix in ("qt.", "ctk.", "slicer."):
        if prefix + widget_class in names["widgets"]:
            return frozenset(names["widgets"][prefix + widget_class]) | frozenset(names["QWidget+QObject"])
    raise KeyError(f"3D Slicer has no widget class {widget_class}")


@cache
def ui_widgets() -> dict[str, str]:
    """Object name to class of every widget in the .ui file."""
    tree = ElementTree.parse(UI_FILE)
    return {widget.attrib["name"]: widget.attrib["class"] for widget in tree.iter("widget")}


@cache
def ui_properties() -> dict[str, dict[str, str]]:
    """Properties of every widget in the .ui file, as text."""
    tree = ElementTree.parse(UI_FILE)
    return {
        widget.attrib["name"]: {p.attrib["name"]: "".join(p.itertext()).strip() for p in widget.findall("property")}
        for widget in tree.iter("widget")
    }
