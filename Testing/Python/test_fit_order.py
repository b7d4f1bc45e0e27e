"""Near a boundary, a head without labels keeps the order of the entropy of small neighbourhoods."""

from __future__ import annotations

import pytest
from needed_torch import torch

# isort: split
from SUREUncertaintyLib.nn.losses.geometry import SampleGeometry
from SUREUncertaintyLib.nn.losses.order import neighbourhood_entropy, order_loss
from SUREUncertaintyLib.nn.losses.scaled_uncertainty import OutputKind, class_entropy, class_logarithms

KINDS = {
    "softmax": OutputKind("softmax", 3),
    "evidential": OutputKind("evidential", 3),
    "regions": OutputKind("regions", 3, (0, 1), (1, 2)),
}


def logits_of(kind: OutputKind, size: tuple[int, ...]) -> torch.Tensor:
    channels = len(kind.order) or kind.classes
    return 3.0 * torch.randn(2, channels, *size, generator=torch.Generator().manual_seed(0))


def everywhere(size: tuple[int, ...]) -> SampleGeometry:
    return SampleGeometry(torch.zeros(size), torch.zeros(size), 1.0, 4.0)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("size", [(9, 11), (7, 8, 9)])
def test_the_order_of_the_neighbourhoods_costs_nothing_at_any_height_and_its_opposite_two(
    name: str, size: tuple[int, ...]
) -> None:
    kind = KINDS[name]
    logits = logits_of(kind, size)
    entropy = neighbourhood_entropy(logits, kind)
    assert entropy.shape == (2, *size)
    places = [everywhere(size)] * 2
    same = order_loss([0.3 * entropy[:1] ** 2, entropy[1:] ** 0.5], logits, kind, places)
    opposite = order_loss([1e-4 / entropy[:1], 1e-4 / entropy[1:]], logits, kind, places)
    assert float(same) == pytest.approx(0.0, abs=1e-4)
    assert float(opposite) == pytest.approx(2.0, abs=1e-4)


def test_only_what_lies_near_a_boundary_counts() -> None:
    kind, size = KINDS["softmax"], (12, 12)
    logits = logits_of(kind, size)
    entropy = neighbourhood_entropy(logits, kind)
    distance = torch.zeros(size)
    distance[6:] = 9.0
    half = SampleGeometry(distance, torch.zeros(size), 1.0, 4.0)
    far_differs = entropy.clone()
    far_differs[:, 6:] = 1.0 / far_differs[:, 6:]
    assert float(order_loss(list(far_differs.split(1)), logits, kind, [half] * 2)) == pytest.approx(0.0, abs=1e-4)
    assert float(order_loss(list(far_differs.split(1)), logits, kind, [everywhere(size)] * 2)) > 0.3


def test_a_neighbourhood_is_weighed_one_two_one_along_every_axis() -> None:
    kind = OutputKind("softmax", 2)
    sure = torch.full((1, 2, 1, 7), -50.0)
    sure[:, 0, :, :3] = 50.0
    sure[:, 1, :, 3:] = 50.0
    found = neighbourhood_entropy(sure, kind)[0, 0]
    quarter = class_entropy(torch.tensor([[0.25], [0.75]]).log().T)
    assert found[[2, 3]].tolist() == pytest.approx([float(quarter)] * 2, abs=1e-4)
    assert float(found[[0, 1, 4, 5, 6]].max()) < 1e-3
    flat = torch.zeros(1, 2, 5, 5)
    assert torch.allclose(neighbourhood_entropy(flat, kind), class_entropy(class_logarithms(flat, kind)))
