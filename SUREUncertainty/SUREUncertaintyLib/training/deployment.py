"""What ships of a trained network: without the parts that only training needs."""

from __future__ import annotations

from typing import Any

from torch import nn

from ..nn.registry import create_network


def deployable(network: nn.Module, description: dict[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    """The network to pack and its ``{"name", "arguments"}``; a posterior encoder is left behind."""
    if getattr(network, "posterior_kind", "none") == "none":
        return network, description
    arguments = {**description["arguments"], "posterior": "none"}
    shipped = create_network(description["name"], arguments)
    wanted = shipped.state_dict()
    shipped.load_state_dict({name: tensor for name, tensor in network.state_dict().items() if name in wanted})
    return shipped.eval(), {**description, "arguments": arguments}
