"""Networks that no package may be made of."""

from needed_torch import torch


class Stubborn(torch.nn.Module):
    """Fails while it is exported, after the weights were written."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = torch.nn.Parameter(torch.zeros(2, 2))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError


class Forgetful(torch.nn.Module):
    """Depends on a Python number, which tracing freezes at the value for an empty image."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        factor = float(image.abs().max())
        return torch.cat([image * factor, -image, image], 1)
