"""The seam between the main job and whatever runs the network."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

NATIVE = "native"
"""The estimator of an engine that is none: one pass, read as the package's own head does."""

FULL_PRECISION = "f32"


class Engine(Protocol):
    """Runs one network, or several passes as one, on windows of fixed size. Engines agree to 1e-3 in probability."""

    @property
    def name(self) -> str:
        """``"torch"`` or ``"openvino"``."""

    @property
    def device(self) -> str:
        """Where it runs, in words: ``"cpu"``, ``"cuda:0"``, ``"mps"``."""

    @property
    def threads(self) -> int | None:
        """CPU threads; None where nobody knows."""

    @property
    def version(self) -> str:
        """Of the library that computes; empty where there is none."""

    @property
    def precision(self) -> str:
        """Of the arithmetic: ``"f32"``, or ``"bf16"`` for previews."""

    @property
    def estimator(self) -> str:
        """``NATIVE``, or what its passes stand for, such as ``"dropout"``."""

    @property
    def passes(self) -> int:
        """Runs of a network that a window costs."""

    @property
    def seed(self) -> int | None:
        """Of what is drawn; None where nothing is."""

    @property
    def scales(self) -> bool:
        """Whether a head that ``sure fit`` added says ln of a factor on the logits, as one more channel."""

    def logits(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw network outputs (B, C, ...) for windows (B, channels, ...); spatial axes as given, 2 or 3 of them.

        (B, C + 1, ...) from an engine that ``scales``; ``fitted_run.head_of`` gives the head that reads them.
        """
        ...

    def factored(self, windows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits, and what an evidence-scaling head multiplied them by (B, 1, ...); 1 without such a head."""
        ...


class OneNetwork:
    """What is true of an engine that runs one network once and has no more to say; engines inherit it."""

    threads: int | None = None
    version: str = ""
    precision: str = FULL_PRECISION
    estimator: str = NATIVE
    passes: int = 1
    seed: int | None = None
    scales: bool = False

    def logits(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """As ``Engine``."""
        raise NotImplementedError

    def factored(self, windows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As ``Engine``, for a network without an evidence-scaling head."""
        return unfactored(self.logits(windows))


def unfactored(logits: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What ``Engine.factored`` gives where nothing multiplied the logits (B, C, ...)."""
    return logits, np.ones_like(logits[:, :1])


def logits_and_own(engine: Engine, windows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits, and those of the segmentation by itself: before an evidence-scaling head multiplied them.

    How hard a scan is gets measured on the latter: the head answers to damage on purpose, and its factor would hide
    what the frozen network's own maps look like.
    """
    logits, factor = engine.factored(windows)
    return logits, logits / factor
