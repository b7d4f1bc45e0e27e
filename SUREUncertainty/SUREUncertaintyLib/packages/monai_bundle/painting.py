"""The one function that is understood in a result: masks that paint their values over one another.

``lambda x: torch.where(x[[2]] > 0, 4, torch.where(x[[0]] > 0, 1, 0))`` is read as a text: channel 2 paints 4 over the 1
of channel 0. It is never run.
"""

from __future__ import annotations

import ast

from ...core.errors import PackageError
from .expressions import refuse

LARGEST = 255


def read_painting(text: str) -> dict[int, tuple[int, int]]:
    """What every channel paints and its rank, by channel.

    Raises:
        PackageError: any other function.
    """
    try:
        tree = ast.parse(text.removeprefix("$").strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        refuse(text.removeprefix("$"))
    found = _layers(tree.body, tree.args.args[0].arg) if isinstance(tree, ast.Lambda) and tree.args.args else None
    if not found or len({channel for channel, _ in found}) != len(found):
        raise PackageError(
            f"The bundle calls a function of its own on the result (Lambdad: {text[:80]}); only masks that paint over "
            "one another by torch.where are understood."
        )
    return {channel: (value, len(found) - 1 - number) for number, (channel, value) in enumerate(found)}


def _layers(node: ast.expr, name: str) -> list[tuple[int, int]] | None:
    """(channel, value) from the uppermost to the lowest; None for anything else."""
    if isinstance(node, ast.Constant):
        return [] if node.value == 0 and type(node.value) is int else None
    if (
        not isinstance(node, ast.Call)
        or ast.unparse(node.func) != "torch.where"
        or len(node.args) != 3
        or node.keywords
    ):
        return None
    condition, value, other = node.args
    channel, below = _channel(condition, name), _layers(other, name)
    if channel is None or below is None or not isinstance(value, ast.Constant) or type(value.value) is not int:
        return None
    return [(channel, value.value), *below] if 0 < value.value <= LARGEST else None


def _channel(node: ast.expr, name: str) -> int | None:
    """``n`` of ``name[[n]] > 0``."""
    if not isinstance(node, ast.Compare) or [type(one) for one in node.ops] != [ast.Gt]:
        return None
    if ast.unparse(node.comparators[0]) not in ("0", "0.5"):
        return None
    left = node.left
    if not isinstance(left, ast.Subscript) or ast.unparse(left.value) != name or not isinstance(left.slice, ast.List):
        return None
    entries = left.slice.elts
    one = entries[0] if len(entries) == 1 else None
    return one.value if isinstance(one, ast.Constant) and type(one.value) is int and one.value >= 0 else None
