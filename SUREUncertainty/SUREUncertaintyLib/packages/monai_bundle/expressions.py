"""Reads the expressions of a bundle's config ("$...") without running them: a reader, not an interpreter.

What is understood: numbers, texts, lists, tuples and objects; references ("@a#b", "@a::b"); ``x if y else z``,
``not``, ``and``, ``or``; comparisons; ``+ - * / // %``; ``len(...)``; ``@list[0]``; the constants in ``NAMES``. Nothing
is ever called, imported or looked up in Python. Everything else is refused with the text of the expression.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any, NoReturn

from ...core.errors import PackageError

REFERENCE = re.compile(r"@([A-Za-z_]\w*(?:(?:#|::)\w+)*)")
STAND_IN = "_reference_"
NAMES: dict[str, Any] = {
    "None": None,
    "monai.utils.CommonKeys.IMAGE": "image",
    "monai.utils.CommonKeys.PRED": "pred",
    "monai.utils.CommonKeys.LABEL": "label",
    **{f"{module}.{kind}": kind for module in ("torch", "numpy", "np") for kind in ("float32", "float64", "float16")},
    **{
        f"{module}.{kind}": kind for module in ("torch", "numpy", "np") for kind in ("uint8", "int16", "int32", "int64")
    },
    "torch.float": "float32",
}
"""Constants by their full name."""

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
LONGEST = 2000
"""Letters of an expression, and entries of a list or text that one may make."""

LookUp = Callable[[str], Any]


def read_expression(text: str, look_up: LookUp) -> Any:
    """The value of an expression.

    Args:
        text: without the "$".
        look_up: gives what a reference ("a#b") stands for.

    Raises:
        PackageError: the expression does anything that is not on the list above.
    """
    tree, names = parse(text)
    try:
        return _Reader(names, look_up, text).read(tree)
    except (TypeError, ValueError, ZeroDivisionError, IndexError, KeyError, RecursionError) as error:
        raise PackageError(f"The bundle's expression '{_short(text)}' has no value: {error}.") from error


def parse(text: str) -> tuple[ast.expr, dict[str, str]]:
    """The expression's tree, and the reference that each stand-in name in it is for."""
    names: dict[str, str] = {}

    def stand_in(found: re.Match[str]) -> str:
        name = f"{STAND_IN}{len(names)}"
        names[name] = found.group(1)
        return name

    if len(text) > LONGEST:
        refuse(text)
    try:
        return ast.parse(REFERENCE.sub(stand_in, text).strip(), mode="eval").body, names
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        refuse(text)


def refuse(text: str) -> NoReturn:
    """Refuse an expression."""
    raise PackageError(
        f"The bundle's config holds a Python expression where a value is needed: ${_short(text)}. "
        "Expressions are never run; literals, references, comparisons, 'if', 'len' and arithmetic are understood."
    )


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


class _Reader:
    """Reads one tree."""

    def __init__(self, names: dict[str, str], look_up: LookUp, text: str) -> None:
        self._names, self._look_up, self._text = names, look_up, text

    def read(self, node: ast.expr) -> Any:
        """The value of a node."""
        if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str | None):
            return node.value
        if isinstance(node, ast.List | ast.Tuple):
            return [self.read(entry) for entry in node.elts]
        if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
            pairs = zip(node.keys, node.values, strict=True)
            return {self.read(key): self.read(value) for key, value in pairs if key is not None}
        if isinstance(node, ast.Name | ast.Attribute):
            return self._name(node)
        if isinstance(node, ast.IfExp):
            return self.read(node.body if self.read(node.test) else node.orelse)
        if isinstance(node, ast.BoolOp):
            return self._truth(node)
        return self._operation(node)

    def _name(self, node: ast.Name | ast.Attribute) -> Any:
        if isinstance(node, ast.Name) and node.id in self._names:
            return self._look_up(self._names[node.id])
        name = ast.unparse(node)
        return NAMES[name] if name in NAMES else refuse(self._text)

    def _truth(self, node: ast.BoolOp) -> Any:
        ends = isinstance(node.op, ast.Or)
        value: Any = None
        for entry in node.values:
            value = self.read(entry)
            if bool(value) is ends:
                return value
        return value

    def _operation(self, node: ast.expr) -> Any:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return not self.read(node.operand)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self.read(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in BINARY:
            return self._binary(node)
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARED:
            return COMPARED[type(node.ops[0])](self.read(node.left), self.read(node.comparators[0]))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "len" and len(node.args) == 1 and not node.keywords:
            return len(self.read(node.args[0]))
        if isinstance(node, ast.Subscript):
            return self.read(node.value)[self.read(node.slice)]
        return refuse(self._text)

    def _binary(self, node: ast.BinOp) -> Any:
        left, right = self.read(node.left), self.read(node.right)
        if isinstance(left, str) and isinstance(node.op, ast.Mod):
            return refuse(self._text)
        if isinstance(node.op, ast.Mult) and not all(isinstance(side, int | float) for side in (left, right)):
            return refuse(self._text)
        return BINARY[type(node.op)](left, right)
