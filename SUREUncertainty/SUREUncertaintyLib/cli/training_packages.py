"""What a command that trains needs installed, in words instead of a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..core.errors import EngineError

NEEDED = ("torch", "monai", "safetensors", "onnx", "yaml", "einops")


@contextmanager
def training_packages() -> Iterator[None]:
    """Around imports and calls of a training.

    Raises:
        EngineError: a package of the extra ``torch`` is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in NEEDED:
            raise
        raise EngineError(
            f"Training needs the package {error.name}, which is not installed. "
            "Install it with: pip install 'sure-uncertainty[torch]'."
        ) from error
