"""The codes of a DiNTS network from the checkpoint of its search, in the child process for foreign files.

The file is a pickle with NumPy arrays. ``torch.load(weights_only=True)`` builds plain containers alone; the names of
NumPy's arrays are answered with stand-ins that keep their bytes, so that no NumPy object is built by the file. Every
other name is refused.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from ...core.errors import PackageError
from ..conversion import child_main, read_in_child
from ..nnunet.checkpoint import SCALARS, Nothing

CODES = ("arch_code_a", "arch_code_c", "node_a")
KIND = re.compile(r"[<|=]?([biuf])([1248])")
MOST = 100_000


class ArrayBytes:
    """Stands where a NumPy array was: its shape, kind of numbers and bytes."""

    def __init__(self, *arguments: object) -> None:
        """What it was made from says nothing."""
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: Any) -> None:
        """Keep the state that NumPy would be built from: (version, shape, kind, Fortran order, bytes)."""
        self.state = tuple(state)


class NumberKind(Nothing):
    """Stands where a NumPy dtype was."""

    def __init__(self, *arguments: object) -> None:
        """Its name, such as "i8"."""
        self.name = str(arguments[0]) if arguments else ""


NAMES: tuple[tuple[type, str], ...] = (
    (ArrayBytes, "numpy._core.multiarray._reconstruct"),
    (ArrayBytes, "numpy.core.multiarray._reconstruct"),
    (ArrayBytes, "numpy.ndarray"),
    (NumberKind, "numpy.dtype"),
    *((Nothing, name) for name in SCALARS if name != "numpy.dtype"),
)


def read_search_code(path: Path) -> dict[str, Any]:
    """``arch_code_a``, ``arch_code_c`` and ``node_a`` as lists of lists of numbers.

    Raises:
        PackageError: the file is damaged, holds no such codes, or anything that is refused.
    """
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "codes.json"
        read_in_child(__name__, path, written)
        return dict(json.loads(written.read_text(encoding="utf-8")))


def numbers_of(array: object) -> list[list[float]]:
    """The rows of a two-dimensional array from its bytes."""
    import numpy as np

    if not isinstance(array, ArrayBytes) or len(array.state) != 5:
        raise PackageError("its codes are no arrays.")
    _, shape, kind, fortran, content = array.state
    found = KIND.fullmatch(kind.name) if isinstance(kind, NumberKind) else None
    if found is None or not isinstance(content, bytes) or len(shape) != 2 or not 0 < np.prod(shape) <= MOST:
        raise PackageError("its codes are no tables of numbers.")
    values = np.frombuffer(content, dtype=np.dtype(f"<{found[1]}{found[2]}"))
    return [[float(one) for one in row] for row in values.reshape(shape, order="F" if fortran else "C")]


def _convert(source: Path, destination: Path) -> None:
    import torch

    with torch.serialization.safe_globals(list(NAMES)):
        content = torch.load(source, map_location="cpu", weights_only=True)
    missing = [name for name in CODES if not isinstance(content, dict) or name not in content]
    if missing:
        raise PackageError(f"it has no '{missing[0]}'.")
    destination.write_text(json.dumps({name: numbers_of(content[name]) for name in CODES}), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(child_main(_convert, sys.argv[1:]))
