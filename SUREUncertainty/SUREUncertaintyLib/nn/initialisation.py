"""Weights before training: explicit, and the same rule in 2D and 3D."""

from torch import nn

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def initialise(network: nn.Module) -> None:
    """He initialisation for every convolution, zero biases; norm layers keep scale 1 and shift 0."""
    for module in network.modules():
        if isinstance(module, CONVOLUTIONS):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
