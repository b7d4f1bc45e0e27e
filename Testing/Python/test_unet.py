"""The U-Net: published size, shapes, and encode + decode as two halves of forward."""

import pytest
from needed_torch import torch
from SUREUncertaintyLib.nn.unet import UNet


@pytest.mark.parametrize(("channels", "classes", "parameters"), [(1, 4, 7_765_508), (3, 3, 7_766_051)])
def test_the_2d_batch_norm_network_has_the_published_number_of_parameters(
    channels: int, classes: int, parameters: int
) -> None:
    network = UNet(2, channels, classes, (32, 64, 128, 256, 512), norm="batch")
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_forward_is_the_head_of_decode_of_encode() -> None:
    network = UNet(3, 1, 3, (4, 8, 16)).eval()
    image = torch.randn(1, 1, 16, 24, 8)
    with torch.no_grad():
        bottleneck, skips = network.encode(image)
        assert torch.equal(network(image), network.head(network.decode(bottleneck, skips)))
    assert bottleneck.shape == (1, 16, 4, 6, 2)
    assert [tuple(s.shape[1:]) for s in skips] == [(4, 16, 24, 8), (8, 8, 12, 4)]
    assert network.stride == 4


def test_convolution_biases_start_at_zero_in_2d_and_3d() -> None:
    torch.manual_seed(0)
    for dims in (2, 3):
        network = UNet(dims, 1, 2, (4, 8))
        assert float(network.head.bias.abs().max()) == 0.0
        assert float(network.head.weight.std()) == pytest.approx((2 / 4) ** 0.5, rel=0.6)


def test_an_unknown_norm_is_named() -> None:
    with pytest.raises(ValueError, match="norm must be one of"):
        UNet(3, 1, 2, (4, 8), norm="layer")
