"""The study of frozen networks: its page follows from its results, and its arms and measures do what they say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from needed_torch import torch

# isort: split
from frozen.page import study_page
from frozen.scores import ScanScores, Shown, scan_level, score_scan
from frozen.segwithu import WEIGHTS, SegWithUHead, segwithu_loss

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_made_from_the_recorded_results() -> None:
    results = json.loads((ROOT / "Testing" / "Studies" / "results" / "frozen.json").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "fit-study.md").read_text(encoding="utf-8")
    assert page == study_page(results)
    assert "{{" not in page
    assert not [key for key in results if "/validation/" in key] or "scored once" in page


@pytest.mark.parametrize("dims", [2, 3])
def test_segwithu_s_head_learns_to_rank_errors_and_never_sharpens(dims: int) -> None:
    torch.manual_seed(0)
    size = (16,) * dims
    label = torch.randint(0, 3, (1, *size))
    logits = torch.nn.functional.one_hot(label, 3).movedim(-1, 1).float() * 4
    wrong = torch.zeros(1, *size, dtype=torch.bool)
    wrong[..., :4] = True
    logits = torch.where(wrong[:, None], logits.roll(1, 1), logits)
    fine = torch.stack([wrong.float() * 2 - 1 + 0.3 * torch.randn(1, *size) for _ in range(4)], 1)
    coarse = torch.randn(1, 6, *(n // 2 for n in size))
    head = SegWithUHead(dims, (4, 6), 3)
    optimizer = torch.optim.AdamW(head.parameters(), 1e-2)
    for step in range(60):
        parts = segwithu_loss(head(logits, [fine, coarse]), logits, label, torch.Generator().manual_seed(step))
        assert set(parts) == set(WEIGHTS)
        optimizer.zero_grad()
        torch.stack(list(parts.values())).sum().backward()
        optimizer.step()
    with torch.no_grad():
        maps = head(logits, [fine, coarse])
    assert float(maps.ranking[0, 0][wrong[0]].mean()) > float(maps.ranking[0, 0][~wrong[0]].mean())
    assert bool((maps.tempered(logits).abs() <= logits.abs()).all())
    assert maps.ranking.shape == (1, 1, *size)


def test_a_map_that_follows_everything_scores_one_and_its_opposite_zero() -> None:
    label = np.zeros((1, 24, 24), np.uint8)
    label[:, 6:18, 6:18] = 1
    image = np.random.default_rng(0).normal(0, 0.01, (1, 24, 24)).astype(np.float32)
    answer = label[0].copy()
    answer[6:18, 17] = 0
    wrong = (answer != label[0]).astype(np.float32)
    probability = np.stack([1.0 - answer, answer]).astype(np.float32)
    noise = {f"noise {level:g}": Shown(answer, wrong + level, probability) for level in (0.1, 0.3, 0.5)}
    found = score_scan("a", image, label[0], None, {"intact": Shown(answer, wrong, probability), **noise})
    assert found.values["auroc_near"] == found.values["auroc_whole"] == 1.0
    assert found.values["ur_star_noise"] == 1.0
    assert found.values["ece"] == pytest.approx(12 / 576, abs=1e-6)
    turned = {name: Shown(answer, 2.0 - one.uncertainty, probability) for name, one in noise.items()}
    other = score_scan("a", image, label[0], None, {"intact": Shown(answer, 1.0 - wrong, probability), **turned})
    assert (other.values["auroc_near"], other.values["ur_star_noise"]) == (0.0, 0.0)


def test_the_scan_level_area_is_least_for_the_order_of_the_losses() -> None:
    losses = (0.1, 0.4, 0.2, 0.8)
    good = [ScanScores("a", {}, tuple((loss, loss) for loss in losses))]
    bad = [ScanScores("a", {}, tuple((-loss, loss) for loss in losses))]
    found, worst = scan_level(good), scan_level(bad)
    assert found["scan_e_aurc"] == pytest.approx(0.0)
    assert found["scan_aurc"] == pytest.approx(np.mean([0.1, 0.15, 0.7 / 3, 0.375]))
    assert worst["scan_e_aurc"] > 0.1
    assert (found["scan_spearman"], worst["scan_spearman"]) == (pytest.approx(1.0), pytest.approx(-1.0))
