"""How a network is read whose logits another small network multiplies by a factor: its classes stay its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .heads import Belief, Head

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class ScaledHead:
    """Reads logits (C, ...) with ln of a factor as one more channel behind them.

    Windows average the network's own quantity and ln of the factor apart. Which class wins is decided by the first
    alone, so that the segmentation is the network's to the last bit; probabilities and uncertainty follow from both.
    """

    own: Head

    @property
    def kind(self) -> str:
        """As the network's own."""
        return self.own.kind

    def classes(self, channels: int) -> int:
        """All but the last."""
        return channels - 1

    def blended(self, logits: Float32, axis: int = 0) -> Float32:
        """The network's own quantity, and ln of the factor behind it; same shape."""
        first, log_factor = np.split(logits, [logits.shape[axis] - 1], axis=axis)
        return np.concatenate([self.own.blended(first, axis), log_factor], axis=axis)

    def scaled(self, blended: Float32, log_factor: Float32) -> Float32:
        """With a further factor."""
        return np.concatenate([blended[:-1], (blended[-1] + log_factor)[np.newaxis]])

    def belief(self, blended: Float32) -> Belief:
        """What the factor makes of it, and the classes that win without."""
        winners = self.own.probability(blended[:-1].copy()).argmax(axis=0)
        return replace(self.own.belief(self._under_factor(blended)), labels=winners)

    def probability(self, blended: Float32) -> Float32:
        """Under the factor, (C, ...)."""
        return self.own.probability(self._under_factor(blended))

    def undecided(self, classes: int) -> Float32:
        """As the network's own, with a factor of 1."""
        return np.append(self.own.undecided(classes - 1), np.float32(0.0)).astype(np.float32)

    def _under_factor(self, blended: Float32) -> Float32:
        return self.own.scaled(blended[:-1], blended[-1])
