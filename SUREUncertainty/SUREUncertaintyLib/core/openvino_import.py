"""OpenVINO, imported where it is used, with a sentence where it is not there."""

from __future__ import annotations

import sys
from typing import Any

from .errors import EngineError

INSTALL = "Install it with: pip install openvino, or use the torch engine."


def import_openvino() -> Any:
    """The openvino module, imported so that its telemetry package is never loaded.

    ``import openvino`` reports itself through ``openvino_telemetry`` when that package is importable and falls back to
    its own silent stand-in when it is not. A None entry in ``sys.modules`` is Python's way to say "not importable".
    """
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        import openvino
    except ImportError as error:
        raise EngineError(f"OpenVINO is not installed here. {INSTALL}") from error
    return openvino
