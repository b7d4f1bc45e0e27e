"""One process, or several started by ``torchrun``: the same code, told apart by the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Processes:
    """This process among all that train together."""

    rank: int
    world: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process logs, evaluates and saves."""
        return self.rank == 0

    def share(self, network: nn.Module) -> None:
        """Start every process from the first one's weights."""
        if self.world > 1:
            for tensor in network.state_dict().values():
                torch.distributed.broadcast(tensor, 0)

    def average_gradients(self, network: nn.Module) -> None:
        """Mean of the gradients over all processes; objectives may run any number of passes before."""
        if self.world == 1:
            return
        for parameter in network.parameters():
            if parameter.grad is not None:
                torch.distributed.all_reduce(parameter.grad)
                parameter.grad /= self.world

    def any(self, flag: bool) -> bool:
        """Whether any process raised the flag, so that all stop at the same step."""
        if self.world == 1:
            return flag
        shared = torch.tensor([float(flag)], device=self.device)
        torch.distributed.all_reduce(shared)
        return bool(shared.item() > 0)

    def close(self) -> None:
        """Leave the process group."""
        if self.world > 1:
            torch.distributed.destroy_process_group()


def join_processes(device: str | None = None) -> Processes:
    """Read torchrun's environment, join the group if there is one, and choose the device."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if chosen.type == "cuda" and chosen.index is None:
        chosen = torch.device("cuda", local)
        torch.cuda.set_device(chosen)
    if world > 1:
        torch.distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    return Processes(rank, world, chosen)
