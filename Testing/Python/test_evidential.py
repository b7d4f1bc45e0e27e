"""The evidential head and L_Seg, against closed forms and the reference's numbers."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from needed_torch import torch
from SUREUncertaintyLib.nn.evidential import (
    Dirichlet,
    EvidentialLoss,
    adjusted_cross_entropy,
    dirichlet,
    kl_to_uniform,
    region_score,
    to_one_hot,
)

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "Data" / "sure_loss_vectors.json").read_text(encoding="utf-8")
)["edl"]
LOGITS = torch.tensor(VECTORS["logits"], dtype=torch.float64)
TARGET = torch.tensor(VECTORS["onehot"], dtype=torch.float64)


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_zero_logits_give_equal_probabilities_and_the_known_vacuity(classes: int) -> None:
    belief = dirichlet(torch.zeros(1, classes, 4))
    torch.testing.assert_close(belief.probability, torch.full((1, classes, 4), 1 / classes))
    torch.testing.assert_close(belief.vacuity, torch.full((1, 4), 1 / (1 + math.log(2))), atol=1e-6, rtol=0)


def test_no_evidence_is_full_vacuity_and_much_evidence_none() -> None:
    assert float(dirichlet(torch.full((1, 3, 1), -60.0)).vacuity) == pytest.approx(1.0)
    assert float(dirichlet(torch.tensor([[[1e6], [0.0], [0.0]]])).vacuity) < 1e-5


def test_half_precision_logits_are_widened_before_the_softplus() -> None:
    assert dirichlet(torch.zeros(1, 2, 1, dtype=torch.bfloat16)).alpha.dtype == torch.float32


def test_kl_of_the_uniform_dirichlet_is_zero_and_of_one_two_is_known() -> None:
    target = torch.tensor([[[1.0], [0.0]]], dtype=torch.float64)
    for alpha, expected in (((5.0, 1.0), 0.0), ((1.0, 2.0), math.log(2) - 0.5)):
        belief = Dirichlet(torch.tensor(alpha, dtype=torch.float64).reshape(1, 2, 1))
        assert float(kl_to_uniform(belief, target)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("case", VECTORS["losses"], ids=lambda c: f"{c['fn']}-{c['loss_type']}-{c['epoch']}")
def test_losses_agree_with_the_reference(case: dict[str, Any]) -> None:
    criterion = "edl_a" if case["fn"] == "edl_loss_a" else "edl"
    weight = 10.0 if criterion == "edl_a" else 1.0
    parts = EvidentialLoss(criterion, case["loss_type"], 20, 100).parts(LOGITS, TARGET, case["epoch"])
    ace = adjusted_cross_entropy(dirichlet(LOGITS), TARGET, case["loss_type"])
    if case["loss_type"] == "mse":
        # the reference counts the squared error once a class; ours once
        belief = dirichlet(LOGITS)
        squared = ((TARGET - belief.probability) ** 2).sum(1)
        reference_ace = float((ace.sum(1) + (LOGITS.shape[1] - 1) * squared).mean())
        total = float(sum(parts.values())) + weight * (reference_ace - float(ace.sum(1).mean()))
    else:
        reference_ace, total = float(ace.sum(1).mean()), float(sum(parts.values()))
    assert reference_ace == pytest.approx(case["ace_mean"], abs=1e-6)
    assert total == pytest.approx(case["total"], abs=2e-6)


def test_the_squared_error_is_counted_once() -> None:
    ace = adjusted_cross_entropy(dirichlet(LOGITS), TARGET, "mse").sum(1).mean()
    assert float(ace) == pytest.approx(0.965110, abs=1e-6)


def test_region_scores_agree_with_the_reference() -> None:
    scores = region_score(dirichlet(LOGITS).probability, TARGET)
    torch.testing.assert_close(
        scores, torch.tensor(VECTORS["dice_per_class_eps1e3"], dtype=torch.float64), atol=1e-6, rtol=0
    )


def test_a_detached_region_weight_changes_the_gradient_and_not_the_value() -> None:
    grads = []
    for detach in (False, True):
        logits = LOGITS.clone().requires_grad_()
        score = region_score(dirichlet(logits).probability, TARGET, detach).sum()
        score.backward()
        grads.append((float(score.detach()), logits.grad))
    assert grads[0][0] == grads[1][0]
    assert not torch.allclose(grads[0][1], grads[1][1])  # type: ignore[arg-type]


def test_one_hot_puts_classes_on_the_channel_axis() -> None:
    labels = torch.tensor([[[0, 2], [1, 0]]])
    assert to_one_hot(labels, 3)[0, :, 0, 1].tolist() == [0, 0, 1]


@pytest.mark.parametrize("wrong", [{"criterion": "other"}, {"ace": "other"}])
def test_an_unknown_form_is_named(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="must be"):
        EvidentialLoss(**wrong).parts(LOGITS, TARGET, 0)  # type: ignore[arg-type]
