"""Training to a wanted reconstruction instead of given weights of the divergences (GECO). For the comparison.

D. Rezende, F. Viola, "Taming VAEs", 2018, as S. Kohl et al., "A Hierarchical Probabilistic U-Net", 2019, use it: of all
networks whose cross-entropy at draws of the posterior is at most ``bound``, the one with the least divergence. The
multiplier of the constraint is written as its inverse here, the weight of the divergences, so that the loss's other
terms keep their size beside the cross-entropy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
from SUREUncertaintyLib.training.hierarchical_objective import HierarchicalObjective
from SUREUncertaintyLib.training.objectives import Batch
from torch import Tensor, nn

RATE = 0.05
"""How fast the weight moves: by this factor's exponential a step at twice the bound."""
MEMORY = 0.95
"""Of the moving average of the cross-entropy."""
LEAST_WEIGHT, MOST_WEIGHT = 1e-3, 1e3


@dataclass
class ConstrainedObjective:
    """The lower bound with a weight of its divergences that rises while the cross-entropy is below ``bound``.

    Attributes:
        inner: the loss whose ``kl_weight`` is replaced.
        bound: nats a pixel.
        weight: of the divergences.
        average: moving average of the cross-entropy, nan before the first step.
    """

    inner: HierarchicalObjective
    bound: float
    weight: float = 1.0
    average: float = field(default=math.nan)

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """One pass, one backward, and the weight for the next step."""
        settings = replace(self.inner.settings, kl_weight=self.weight)
        found = replace(self.inner, settings=settings).backward(network, batch, epoch)
        self.follow(found["ce"])
        return found | {"kl_weight": settings.kl_weight}

    def follow(self, ce: float) -> None:
        """Move the weight by a step's cross-entropy."""
        self.average = ce if math.isnan(self.average) else MEMORY * self.average + (1.0 - MEMORY) * ce
        excess = min(1.0, self.average / self.bound - 1.0)
        self.weight = min(MOST_WEIGHT, max(LEAST_WEIGHT, self.weight * math.exp(-RATE * excess)))

    def state(self) -> dict[str, Tensor]:
        """Weight and average, for a training that is resumed."""
        return {"constraint": torch.tensor([self.weight, self.average], dtype=torch.float64)}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """The inverse of ``state``; nothing has been learnt where a training begins."""
        if "constraint" in state:
            self.weight, self.average = (float(number) for number in state["constraint"])
