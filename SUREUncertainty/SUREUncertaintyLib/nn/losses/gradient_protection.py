"""Supervision of u that may not undo the segmentation: gradients are combined, not losses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def backward_protected(network: nn.Module, segmentation: Tensor, supervision: Tensor, ratio: float) -> None:
    """Add to every ``.grad`` that of the segmentation, and that of the supervision as far as it does no harm.

    Where the two point against each other, the supervision's part along the segmentation's gradient is taken away
    (gradient surgery: Yu et al., NeurIPS 2020, here in one direction only); what is left is shortened to ``ratio``
    times the length of the segmentation's gradient.
    """
    parameters = [p for p in network.parameters() if p.requires_grad]
    kept = _gradients(segmentation, parameters, retain_graph=True)
    added = _gradients(supervision, parameters, retain_graph=False)
    along, length = _dot(kept, added), _dot(kept, kept).clamp(min=1e-20)
    if along < 0:
        added = [a - along / length * k for a, k in zip(added, kept, strict=True)]
    share = (ratio * (length / _dot(added, added).clamp(min=1e-20)).sqrt()).clamp(max=1.0)
    for parameter, k, a in zip(parameters, kept, added, strict=True):
        gradient = k + share * a
        parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient


def _gradients(loss: Tensor, parameters: Sequence[nn.Parameter], retain_graph: bool) -> list[Tensor]:
    found = torch.autograd.grad(loss, parameters, retain_graph=retain_graph, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]


def _dot(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    return torch.stack([(a * b).sum() for a, b in zip(first, second, strict=True)]).sum()
