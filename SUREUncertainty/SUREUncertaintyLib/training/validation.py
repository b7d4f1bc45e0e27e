"""Mean Dice on tuning cases while a network trains; the reported numbers come from ``sure evaluate``."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from .training_cases import TrainingCase


@torch.no_grad()
def mean_dice(network: nn.Module, cases: Sequence[TrainingCase], patch: Sequence[int]) -> float:
    """Mean over cases and foreground classes of the Dice of the argmax; classes absent in both are left out."""
    from monai.inferers import sliding_window_inference

    device = next(network.parameters()).device
    scores: list[float] = []
    for case in cases:
        image = torch.from_numpy(case.image)[None, None].to(device)
        logits = sliding_window_inference(image, tuple(patch), 1, network, overlap=0.5, mode="gaussian")
        predicted = logits.argmax(1)[0].cpu()  # type: ignore[union-attr]
        reference = torch.tensor(case.label)  # a copy: the cached array is read-only
        for value in range(1, logits.shape[1]):  # type: ignore[union-attr]
            found, true = predicted == value, reference == value
            total = int(found.sum() + true.sum())
            if total:
                scores.append(2.0 * int((found & true).sum()) / total)
    return sum(scores) / len(scores) if scores else float("nan")
