"""Training one part of a network while the rest stays as it is."""

from __future__ import annotations

from torch import nn

from ..core.errors import InputError


def freeze_others(network: nn.Module, part: str) -> list[nn.Parameter]:
    """Only ``part`` learns, all of it where that is empty; the parameters that do.

    Raises:
        InputError: the network has no such part.
    """
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not part or name.startswith(f"{part}."))
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if not learning:
        raise InputError(
            f"The recipe trains only '{part}', which its network has not got. Take optimisation.train_only out, or "
            "name a part that is there; 'scale' needs evidence_scale: true among the network's arguments."
        )
    return learning


def training_mode(network: nn.Module, part: str) -> None:
    """Training mode for what learns; norms and dropout of what is frozen work as in use."""
    network.train(not part)
    if part:
        network.get_submodule(part).train()
