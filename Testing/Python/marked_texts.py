"""The texts that 3D Slicer's translation tools find in the Python files, found in the same way: marked literals."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "SUREUncertainty"
MARK = re.compile(r"^from (?:\.\.core\.translation|\.translation|slicer\.i18n) import [^\n]*\btr as _", re.MULTILINE)
DIRECT = "translate"
"""The function that takes a context and a literal."""

PATTERN = re.compile(r"[^_]_\((\s*\".+?\"\s*)\)", re.DOTALL)
"""A call as Slicer's tools look for it: an underscore, a bracket, a quoted text, a bracket."""


def marked_files() -> list[Path]:
    """Every file of module and library that marks texts."""
    files = [MODULE / "SUREUncertainty.py", *(MODULE / "SUREUncertaintyLib").rglob("*.py")]
    return sorted(file for file in files if MARK.search(file.read_text(encoding="utf-8")))


def context_of(file: Path) -> str:
    """The context under which Slicer files the texts of a Python file."""
    in_package = (file.parent / "__init__.py").is_file()
    return f"{file.parent.name}.{file.stem}" if in_package else file.stem


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Calls of a function by its bare name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def literals_of(file: Path) -> list[tuple[str, str]]:
    """(context, text) of every marked literal of a file."""
    tree, found = ast.parse(file.read_text(encoding="utf-8")), []
    for call in calls(tree, "_"):
        (argument,) = call.args
        assert isinstance(argument, ast.Constant), f"{file}:{call.lineno}: no literal is marked"
        found.append((context_of(file), str(argument.value)))
    for call in calls(tree, DIRECT):
        if len(call.args) == 2 and all(isinstance(argument, ast.Constant) for argument in call.args):
            found.append((str(ast.literal_eval(call.args[0])), str(ast.literal_eval(call.args[1]))))
    return found


@cache
def marked_texts() -> frozenset[tuple[str, str]]:
    """(context, text) of everything that translators get to see of the Python files."""
    return frozenset(text for file in marked_files() for text in literals_of(file))


def found_by_pattern(file: Path) -> list[str]:
    """The texts of a file as Slicer's pattern cuts them out."""
    source = file.read_text(encoding="utf-8")
    return [str(ast.literal_eval(f"({match})")) for match in PATTERN.findall(source)]
