"""Every desktop name in the .ui file and in the Python source exists in a real 3D Slicer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slicer_names import ROOT, members_of, slicer_names, ui_properties, ui_widgets

MODULE = ROOT / "SUREUncertainty"
LIBRARY_UI = MODULE / "SUREUncertaintyLib" / "ui"
JOURNEYS = ROOT / "Testing" / "Slicer"
SOURCES = sorted([MODULE / "SUREUncertainty.py", *LIBRARY_UI.glob("*.py"), *JOURNEYS.glob("journey*.py")])
UNLISTED = {
    "qt": {"Qt", "QTableWidgetItem"},
    "slicer": {
        "qSlicerSegmentEditorAbstractEffect",
        "qSlicerSegmentEditorScriptedEffect",
        "mrmlScene",
        "modules",
        "dicomDatabase",
    },
}
"""Names that Slicer's own scripted modules use and the list leaves out."""

ONLY_FROM_5_12 = {"slicer.packaging"}
"""In 5.10 these are missing; the one file that uses them asks for the version first."""

CONNECTABLE = {
    "bool": ("QCheckBox", "ctkCheckBox"),
    "float": ("ctkSliderWidget", "QDoubleSpinBox"),
    "int": ("QSpinBox", "QSlider"),
    "node": ("qMRMLNodeComboBox",),
}
"""Widgets for which parameterNodeWrapper has a connector, by the parameter's type."""


def chains(tree: ast.AST) -> Iterator[list[str]]:
    """Dotted names, outermost once: ``slicer.util.loadUI`` as a list."""
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            parts: list[str] = []
            here: Any = node
            while isinstance(here, ast.Attribute):
                parts.append(here.attr)
                here = here.value
            if isinstance(here, ast.Name):
                yield [here.id, *reversed(parts)]


def after_ui(chain: list[str]) -> list[str]:
    """What follows ``ui`` in ``self.ui.runButton.enabled``; nothing without a ``ui``."""
    return chain[chain.index("ui") + 1 :] if "ui" in chain[:-1] else []


def parsed(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(ui_widgets()))
def test_every_widget_of_the_ui_file_is_a_class_of_slicer_with_these_properties(name: str) -> None:
    members = members_of(ui_widgets()[name])
    own = {key for key in ui_properties()[name] if key != "SlicerParameterName"}
    assert own <= members, own - members


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_every_use_of_a_widget_names_a_widget_and_one_of_its_members(path: Path) -> None:
    for chain in chains(parsed(path)):
        rest = after_ui(chain)
        if chain[0] == "SUREUncertaintyLib" or not rest:
            continue
        assert rest[0] in ui_widgets(), f"{path.name}: the .ui file has no widget {rest[0]}"
        if len(rest) > 1:
            assert rest[1] in members_of(ui_widgets()[rest[0]]), f"{path.name}: {'.'.join(rest)}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_functions_and_classes_of_slicer_exist(path: Path) -> None:
    names = slicer_names()
    widgets = {widget.partition(".")[2] for widget in names["widgets"]}
    modules = {module.lower() for module in names["modules"]} | {"SUREUncertaintyWidget"}
    for chain in chains(parsed(path)):
        text = ".".join(chain)
        if chain[0] in ("qt", "ctk"):
            assert chain[1] in widgets | UNLISTED.get(chain[0], set()), f"{path.name}: {text}"
            if len(chain) > 2 and f"{chain[0]}.{chain[1]}" in names["widgets"]:
                assert chain[2] in members_of(chain[1]), f"{path.name}: {text}"
        elif text.startswith("slicer.util."):
            assert chain[2] in names["slicer.util"], f"{path.name}: {text}"
        elif text.startswith("slicer.app."):
            assert chain[2] in {*names["slicer.app"], *names["QWidget+QObject"]}, f"{path.name}: {text}"
        elif text.startswith("slicer.testing."):
            assert chain[2] in names["slicer.testing"], f"{path.name}: {text}"
        elif text.startswith("slicer.modules."):
            assert chain[2] in modules, f"{path.name}: {text}"
        elif chain[0] == "slicer" and chain[1].startswith("vtk"):
            assert_vtk(path, chain)
        elif chain[0] == "slicer":
            assert chain[1] in UNLISTED["slicer"] | {"testing"}, f"{path.name}: {text}"


def assert_vtk(path: Path, chain: list[str]) -> None:
    """A class of slicer-core, and a member that it has."""
    import slicer

    kind = getattr(slicer, chain[1], None)
    assert kind is not None, f"{path.name}: slicer.{chain[1]}"
    if len(chain) > 2:
        assert hasattr(kind, chain[2]), f"{path.name}: {'.'.join(chain)}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_what_is_imported_from_slicer_s_own_modules_exists(path: Path) -> None:
    import slicer

    names = slicer_names()
    for node in ast.walk(parsed(path)):
        if not isinstance(node, ast.ImportFrom) or node.level or not str(node.module).startswith("slicer"):
            continue
        for alias in node.names:
            known = alias.name in names.get(str(node.module), ()) or hasattr(slicer, alias.name)
            assert known or f"{node.module}.{alias.name}" in names, f"{path.name}: {node.module}.{alias.name}"


def test_names_that_5_10_lacks_are_used_where_the_version_is_asked_for() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        for name in ONLY_FROM_5_12:
            package, _, attribute = name.partition(".")
            used = name in text.replace("``", "") or f"from {package} import {attribute}" in text
            assert not used or path.name in ("dependencies.py", "journey_11_install.py"), path.name
    guarded = (MODULE / "SUREUncertaintyLib" / "ui" / "dependencies.py").read_text(encoding="utf-8")
    assert "if self.slicer_version() >= PACKAGING_VERSION:\n            from slicer import packaging" in guarded


def test_pip_ensure_and_load_requirements_take_what_they_are_given() -> None:
    packaging = slicer_names()["slicer.packaging"]
    assert "requirements: 'str | Requirement | list[str | Requirement]'" in packaging["pip_ensure"]
    assert "constraints: 'str | Path | None' = None" in packaging["pip_ensure"]
    assert "requester" in packaging["pip_ensure"]
    assert "path: 'str | Path'" in packaging["load_requirements"]


def test_every_bound_parameter_exists_and_its_widget_has_a_connector() -> None:
    tree = parsed(MODULE / "SUREUncertaintyLib" / "ui" / "parameter_node.py")
    kinds = {
        node.target.id: ast.unparse(node.annotation)
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    for name, values in ui_properties().items():
        parameter = values.get("SlicerParameterName")
        if parameter:
            kind = next((k for k in ("bool", "float", "int") if k in kinds[parameter].split("[")[-1]), "node")
            kind = kind if kinds[parameter].startswith(("Annotated", kind)) else "node"
            assert ui_widgets()[name] in CONNECTABLE[kind], f"{name} cannot show {parameter}: {kinds[parameter]}"


def test_every_widget_that_the_user_can_touch_says_what_it_is() -> None:
    touchable = ("Button", "ComboBox", "Slider", "Range", "SpinBox", "CheckBox", "LineEdit", "TableView", "TableWidget")
    for name, kind in ui_widgets().items():
        if kind.endswith((*touchable, "SliderWidget", "RangeWidget")) and kind != "ctkCollapsibleButton":
            assert len(ui_properties()[name].get("toolTip", "")) > 15, name


def test_the_check_would_find_a_wrong_name() -> None:
    wrong = ast.parse("self.ui.runButton.setTitel('x')\nslicer.util.loadUi('x')")
    found = list(chains(wrong))
    assert after_ui(found[0]) == ["runButton", "setTitel"]
    assert "setTitel" not in members_of("QPushButton")
    assert "loadUi" not in slicer_names()["slicer.util"]
