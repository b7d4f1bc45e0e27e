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
