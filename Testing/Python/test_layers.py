"""The rules of the house: rooms stand in one order, imports point down it, and heavy packages wait until used."""

import ast
import re
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "SUREUncertainty" / "SUREUncertaintyLib"
ROOMS = [
    *("core", "files", "arrays"),
    *("metrics", "corruptions"),
    *("nn", "packages"),
    *("analysis", "location", "inference"),
    *("report", "follow_up", "cine", "fusion", "evaluation", "quality", "robustness", "difficulty", "training"),
    *("fitting", "cohort"),
    *("export", "mrml", "worker", "comparison"),
    *("presenters", "ui", "view", "cli"),
]
"""From the ground up: a room imports only from rooms before it, ``TYPE_CHECKING`` included."""
MRML = {"mrml"}
SLICER = {"slicer", "vtk", "vtkmodules", "qt", "ctk"}
HEAVY = {"torch", "monai", "openvino", "matplotlib", "onnx", "safetensors", "yaml", "nilearn", "highdicom", "dask"}
LIGHT = {
    "core",
    "files",
    "arrays",
    "metrics",
    "corruptions",
    "packages",
    "analysis",
    "inference",
    "evaluation",
    "worker",
}
LIGHT |= {"cine", "follow_up", "robustness", "difficulty", "fusion", "quality"}
ALLOWED_IN_LIGHT = {"numpy", "scipy", "skimage", "SimpleITK", "openvino", "torch", "psutil"}
TORCH_FILES = {"nn", "training", "fitting"}


def layer_of(path: Path) -> str:
    parts = path.relative_to(LIBRARY).parts
    return parts[0] if len(parts) > 1 else ""


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """Every absolute or resolved relative import of a file, and whether it runs when the file is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.walk(node)
    }
    guarded = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.walk(node)
    }
    found: list[tuple[str, bool]] = []
    for node in ast.walk(tree):
        at_import = node not in inside and node not in guarded
        if isinstance(node, ast.Import):
            found += [(alias.name, at_import) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((resolve(path, node), at_import))
    return found


def resolve(path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = ["SUREUncertaintyLib", *path.relative_to(LIBRARY).parent.parts]
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


FILES = sorted(LIBRARY.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_every_import_points_to_a_room_further_down(path: Path) -> None:
    room = layer_of(path)
    for name, _ in imports_of(path):
        target = room_named(name)
        if room and target and target != room:
            assert ROOMS.index(target) < ROOMS.index(room), f"{path.relative_to(LIBRARY)} imports {name}, a room above"


def room_named(module: str) -> str:
    """The room of one of our modules; empty for the package itself and for what is not ours."""
    parts = module.split(".")
    return parts[1] if parts[0] == "SUREUncertaintyLib" and len(parts) > 1 else ""


def test_the_order_names_every_room() -> None:
    assert sorted(ROOMS) == sorted({layer_of(path) for path in FILES} - {""})


def test_the_door_draws_the_same_order() -> None:
    door = ast.get_docstring(ast.parse((LIBRARY / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert re.findall(r"^ +``(\w+)``", door, re.M) == ROOMS


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_slicer_appears_only_in_the_mrml_layer_and_faces_and_qt_only_in_the_widget(path: Path) -> None:
    layer = layer_of(path)
    roots = {name.split(".")[0] for name, _ in imports_of(path)}
    if layer not in MRML | {"presenters", "ui", "view"}:
        assert not roots & SLICER
    if layer != "ui":
        assert not roots & {"qt", "ctk"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_heavy_packages_are_imported_where_they_are_used(path: Path) -> None:
    at_import = {name.split(".")[0] for name, now in imports_of(path) if now}
    allowed = {"torch", "monai"} if layer_of(path) in TORCH_FILES else set()
    assert not (at_import & HEAVY) - allowed


@pytest.mark.parametrize("path", [p for p in FILES if layer_of(p) in LIGHT], ids=lambda p: str(p.relative_to(LIBRARY)))
def test_what_slicer_runs_needs_nothing_beyond_the_light_packages(path: Path) -> None:
    import sys

    for name, now in imports_of(path):
        root = name.split(".")[0]
        if root in sys.stdlib_module_names or root == "SUREUncertaintyLib" or not now:
            continue
        assert root in ALLOWED_IN_LIGHT, f"{path.name} imports {name}"


def test_init_files_import_nothing_and_the_door_only_when_it_is_used() -> None:
    door = LIBRARY / "__init__.py"
    for path in LIBRARY.rglob("__init__.py"):
        now = {name for name, at_import in imports_of(path) if at_import}
        assert now == ({"importlib", "typing"} if path == door else set()), path


def test_the_reader_of_imports_sees_relative_absolute_and_guarded_ones(tmp_path: Path) -> None:
    sample = LIBRARY / "inference" / "result.py"
    names = {name for name, _ in imports_of(sample)}
    assert "SUREUncertaintyLib.core.volume" in names
    assert "numpy" in names
