"""Case-level scores of an arm against numbers worked out by hand: rank correlation, risk-coverage, other kinds."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.comparison.arm_result import ArmResult
from SUREUncertaintyLib.comparison.foreign_scans import uncertainty_of_scan
from SUREUncertaintyLib.comparison.foreign_scores import score_kind
from SUREUncertaintyLib.comparison.scan_level import (
    difference_of,
    in_common,
    loss_correlation,
    points_of,
    risk_area,
    risk_coverage,
    with_interval,
)
from SUREUncertaintyLib.comparison.study import merged


def arm(rows: list[tuple[str, str, float, float, float]], **outside: list[dict[str, float | str]]) -> ArmResult:
    """Rows: case, corruption, level, uncertainty, Dice; the case's name is its group too."""
    points = tuple((case, kind, level, near, 0.0, dice, 1.0) for case, kind, level, near, dice in rows)
    cases = {case: {"group": case, "score": near, "mean": near} for case, kind, _, near, _ in rows if not kind}
    return ArmResult({"arm": "x", "title": "X"}, cases, points, dict(outside))


SMALL = [
    ("a", "", 0.0, 0.1, 0.9),
    ("a", "blur", 0.5, 0.3, 0.7),
    ("a", "blur", 1.0, 0.4, 0.2),
    ("b", "", 0.0, 0.2, 0.8),
    ("b", "blur", 0.5, 0.25, 0.75),
    ("b", "blur", 1.0, float("nan"), 0.1),
]


def test_loss_of_dice_is_against_the_same_scan_undamaged() -> None:
    points = points_of(arm(SMALL))
    assert points.keys == (
        ("a", "", 0.0),
        ("a", "blur", 0.5),
        ("a", "blur", 1.0),
        ("b", "", 0.0),
        ("b", "blur", 0.5),
    )
    expected = spearmanr([0.3, 0.4, 0.25], [0.2, 0.7, 0.05]).statistic
    assert loss_correlation(points) == pytest.approx(expected) == 1.0


def test_the_risk_coverage_curve_accepts_the_least_uncertain_first() -> None:
    coverage, risk = risk_coverage(points_of(arm(SMALL)))
    np.testing.assert_allclose(coverage, [0.2, 0.4, 0.6, 0.8, 1.0])
    errors = np.array([0.1, 0.2, 0.25, 0.3, 0.8])
    np.testing.assert_allclose(risk, np.cumsum(errors) / np.arange(1, 6))
    assert risk_area(points_of(arm(SMALL))) == pytest.approx(float((np.cumsum(errors) / np.arange(1, 6)).mean()))


def test_an_uncertainty_that_knows_nothing_has_the_larger_area() -> None:
    rng = np.random.default_rng(0)
    rows = [
        (f"c{n % 9}", "blur" if n >= 9 else "", float(n >= 9) * (0.1 + n / 900), 0.0, d)
        for n, d in enumerate(rng.uniform(size=90))
    ]
    known = arm([(c, k, s, 1.0 - d, d) for c, k, s, _, d in rows])
    blind = arm([(c, k, s, float(u), d) for (c, k, s, _, d), u in zip(rows, rng.uniform(size=90), strict=True)])
    gain = difference_of(points_of(known), points_of(blind), risk_area, seed=1)
    assert gain.high < 0.0
    assert gain.n == 9
    assert gain == difference_of(points_of(known), points_of(blind), risk_area, seed=1)
    assert with_interval(points_of(known), risk_area).low < risk_area(points_of(known)) < 0.5


def test_arms_are_compared_on_the_points_that_both_have() -> None:
    other = arm([SMALL[4], SMALL[0], ("b", "", 0.0, 0.9, 0.5)])
    first, second = in_common(points_of(arm(SMALL)), points_of(other))
    assert first.keys == second.keys == (("a", "", 0.0), ("b", "", 0.0), ("b", "blur", 0.5))
    np.testing.assert_allclose(second.uncertainty, [0.1, 0.9, 0.25])


def test_nothing_to_rank_is_undefined() -> None:
    points = points_of(arm(SMALL[:2]))
    assert np.isnan(loss_correlation(points))
    assert np.isnan(with_interval(points, loss_correlation).mean)


def test_other_kinds_are_told_from_held_out_scans_by_their_score() -> None:
    rows = [(name, "", 0.0, uncertainty, 0.9) for name, uncertainty in zip("abcd", (0.1, 0.2, 0.3, 0.6), strict=True)]
    others = [
        {"name": "x", "score": 0.5, "mean": 0.0, "own": 0.4},
        {"name": "y", "score": 0.7, "mean": 0.0, "own": 0.8},
        {"name": "z", "error": "broken"},
    ]
    found = score_kind(arm(rows, strange=others), "strange")
    assert found is not None
    assert (found.scans, found.failed, found.ordered, found.pairs) == (2, 1, 1, 2)
    assert found.auroc == pytest.approx(7 / 8)
    assert found.auroc_mean == 0.0
    assert found.fpr95 == pytest.approx(1 / 4)
    assert score_kind(arm(rows), "strange") is None


def test_the_score_of_a_scan_is_the_uncertainty_around_what_was_found() -> None:
    labels, uncertainty = np.zeros((1, 1, 20), dtype=np.uint8), np.zeros((1, 1, 20), dtype=np.float32)
    labels[..., 3] = 1
    uncertainty[..., :9] = 0.9
    assert uncertainty_of_scan(labels, uncertainty) == pytest.approx({"score": 0.9, "mean": 0.9 * 9 / 20})
    assert uncertainty_of_scan(labels * 0, uncertainty)["score"] == pytest.approx(0.9 * 9 / 20)


def test_changes_of_a_recipe_are_nested_and_none_takes_a_key_away() -> None:
    base = {"loss": {"name": "sure", "options": {"beta": 1}}, "seed": 1, "list": [1, 2]}
    changed = merged(base, {"loss": {"options": None, "ace": "log"}, "list": [3]})
    assert changed == {"loss": {"name": "sure", "ace": "log"}, "seed": 1, "list": [3]}
    assert base["loss"]["options"] == {"beta": 1}  # type: ignore[index]


def test_a_page_without_any_result_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    assert run(["compare", "page", "hippocampus", "--results", str(tmp_path / "none"), "--output", str(page)]) == 2
    assert "No arm has a result" in capsys.readouterr().err
    assert not page.exists()
