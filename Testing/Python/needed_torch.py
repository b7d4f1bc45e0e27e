"""``from needed_torch import torch``: PyTorch, or a skip that says so where it is not installed.

3D Slicer's own Python has none until somebody asks for it. Tests that need PyTorch only inside the library carry the
marker ``torch`` instead.
"""

from importlib.util import find_spec

import pytest

REASON = "torch is not installed: pip install '.[torch]'"
ENGINE = "openvino" if find_spec("torch") is None else "torch"
"""For tests of what both engines answer."""


def skip_marked(items: list[pytest.Item]) -> None:
    """Skip the tests with the marker ``torch`` where it is not installed."""
    if find_spec("torch") is None:
        for item in items:
            if item.get_closest_marker("torch"):
                item.add_marker(pytest.mark.skip(reason=REASON))


def __getattr__(name: str) -> object:
    if name == "torch":
        return pytest.importorskip("torch", reason=REASON)
    raise AttributeError(name)
