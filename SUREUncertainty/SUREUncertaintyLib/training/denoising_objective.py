"""Evidential training on labels that a noise head may move a little; see ``nn.label_denoising``. Off by default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ..core.errors import InputError
from ..nn.evidential import EvidentialLoss, dirichlet, to_one_hot
from ..nn.label_denoising import LARGEST_RHO, MODES, Mode, NoiseHead, NoiseTable, denoised, denoising_loss

if TYPE_CHECKING:
    from .objectives import Batch


@dataclass(frozen=True)
class DenoisingSettings:
    """``mode`` as in ``nn.label_denoising``; ``anchor`` is lambda; before ``first_epoch`` labels stay as they are."""

    mode: Mode = "off"
    rho: float = LARGEST_RHO
    anchor: float = 1.0
    learning_rate: float = 1e-3
    first_epoch: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.mode not in MODES or not 0.0 <= self.rho <= LARGEST_RHO:
            raise InputError(
                f"The recipe's denoising must be one of {', '.join(MODES)}, with rho from 0 to {LARGEST_RHO}."
            )


@dataclass
class DenoisingObjective:
    """One pass; the network learns from stop-grad(y~), head and table from a term of their own. One process only."""

    loss: EvidentialLoss
    classes: int
    mixed_precision: bool
    settings: DenoisingSettings
    parts: nn.ModuleDict | None = None
    _optimizer: torch.optim.Optimizer | None = None
    _loaded: dict[str, Tensor] = field(default_factory=dict)

    def backward(self, network: nn.Module, batch: Batch, epoch: float) -> dict[str, float]:
        """Gradients of the network, and one step of head and table."""
        with torch.autocast(batch.image.device.type, dtype=torch.bfloat16, enabled=self.mixed_precision):
            logits = network(batch.image)
        target = to_one_hot(batch.label, self.classes)
        active = epoch >= self.settings.first_epoch
        moved = self._moved(batch, target) if active else target
        parts = self.loss.parts(logits.float(), moved.detach(), epoch)
        total = torch.stack(list(parts.values())).sum()
        total.backward()
        own = self._learn(dirichlet(logits.float()).probability, target, moved) if active else 0.0
        distance = float((target - moved).detach().abs().mean())
        values = {name: float(part.detach()) for name, part in parts.items()}
        return {"loss": float(total.detach()), **values, "denoising": own, "label_change": distance}

    def state(self) -> dict[str, Tensor]:
        """Head, table and their optimiser, so that a resumed training goes on exactly."""
        if self.parts is None or self._optimizer is None:
            return self._loaded
        moments = self._optimizer.state_dict()["state"]
        kept = {f"parts.{name}": tensor for name, tensor in self.parts.state_dict().items()}
        kept |= {f"moments.{n}.{k}": torch.as_tensor(v) for n, entry in moments.items() for k, v in entry.items()}
        return {name: tensor.detach().clone() for name, tensor in kept.items()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take what ``state`` gave; it is put in place at the first step."""
        self._loaded = dict(state)

    def _moved(self, batch: Batch, target: Tensor) -> Tensor:
        parts = self._parts(batch)
        numbers = torch.tensor(batch.cases, device=batch.image.device)
        noise, table = parts["head"](batch.image.float()), parts["table"](numbers)
        return denoised(target, noise, table, self.settings.mode, self.settings.rho)

    def _learn(self, probability: Tensor, target: Tensor, moved: Tensor) -> float:
        loss = denoising_loss(probability, target, moved, self.settings.anchor)
        if self._optimizer is not None and moved.requires_grad:
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._optimizer.step()
        return float(loss.detach())

    def _parts(self, batch: Batch) -> nn.ModuleDict:
        """Head and table, built at the first step, when the size of the data is known."""
        if self.parts is not None:
            return self.parts
        torch_state = torch.get_rng_state()
        torch.manual_seed(self.settings.seed)
        head = NoiseHead(batch.image.ndim - 2, batch.image.shape[1], self.classes)
        torch.set_rng_state(torch_state)
        table = NoiseTable(batch.case_count, self.classes, self.settings.seed)
        self.parts = nn.ModuleDict({"head": head, "table": table}).to(batch.image.device)
        self._optimizer = torch.optim.Adam(self.parts.parameters(), lr=self.settings.learning_rate)
        if self._loaded:
            self._restore(self.parts, self._optimizer)
        return self.parts

    def _restore(self, parts: nn.ModuleDict, optimizer: torch.optim.Optimizer) -> None:
        parts.load_state_dict({k.removeprefix("parts."): v for k, v in self._loaded.items() if k.startswith("parts.")})
        entries: dict[int, dict[str, Tensor]] = {}
        for name, tensor in self._loaded.items():
            if name.startswith("moments."):
                _, index, key = name.split(".", 2)
                entries.setdefault(int(index), {})[key] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": entries})
