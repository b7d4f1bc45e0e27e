"""The seam between the main job and whatever runs the network."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Engine(Protocol):
    """Runs one network on windows of fixed size. Engines agree to 1e-3 in probability."""

    @property
    def name(self) -> str:
        """``"torch"`` or ``"openvino"``."""

    @property
    def device(self) -> str:
        """Where it runs, in words: ``"cpu"``, ``"cuda:0"``, ``"mps"``."""

    def logits(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw network outputs (B, C, ...) for windows (B, channels, ...); spatial axes as given, 2 or 3 of them."""
        ...


def logits_and_own(engine: Engine, windows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits, and those of the segmentation by itself: before an evidence-scaling head multiplied them.

    How hard a scan is gets measured on the latter: the head answers to damage on purpose, and its factor would hide
    what the frozen network's own maps look like.
    """
    factored = getattr(engine, "factored", None)
    if factored is None:
        logits = engine.logits(windows)
        return logits, logits
    logits, factor = factored(windows)
    return logits, logits / factor
