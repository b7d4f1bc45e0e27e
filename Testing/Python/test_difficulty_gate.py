"""The validity gate: finds, inverted, uninformative, and the size confound."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from SUREUncertaintyLib.analysis.perception_scale import perception_scale
from SUREUncertaintyLib.difficulty.gate import (
    DamageTest,
    Gate,
    choose_damaged,
    damage_test,
    verdict,
)
from SUREUncertaintyLib.metrics.correlation import auroc, partial_spearman, pearson, spearman

Image = NDArray[np.float64]
COUNT = 40


def textured(seed: int) -> Image:
    """A ball of random fine texture on a flat ground."""
    rng = np.random.default_rng(seed)
    distance = np.linalg.norm(np.indices((20, 20, 20)) - 9.5, axis=0)
    return (distance < 6 + rng.uniform(-0.5, 0.5)) * (1.0 + 0.8 * rng.normal(size=(20, 20, 20)))


def judged(damage: object, extract: object) -> DamageTest:
    images = {f"s{n}": textured(n) for n in range(COUNT)}
    groups = {name: f"p{n // 2}" for n, name in enumerate(images)}
    chosen = choose_damaged(groups, 0.4)
    intact = {name: perception_scale(extract(image)).value for name, image in images.items()}  # type: ignore[operator]
    hurt = {name: perception_scale(extract(damage(images[name]))).value for name in chosen}  # type: ignore[operator]
    return damage_test("test", intact, hurt, groups, resamples=400)


def blurred(image: Image) -> Image:
    return np.asarray(ndimage.gaussian_filter(image, 1.5))


def noisy(image: Image) -> Image:
    return image + np.random.default_rng(99).normal(0, 0.5, image.shape)


def test_an_extractor_that_smooths_noise_away_is_valid_under_blur() -> None:
    test = judged(blurred, lambda image: ndimage.gaussian_filter(image, 0.7))
    assert test.status == "valid"
    assert test.auroc > 0.95
    assert (test.damaged, test.scans) == (16, 40)


def test_the_identity_under_white_noise_is_inverted_and_says_so() -> None:
    test = judged(noisy, lambda image: image)
    assert test.status == "inverted"
    words = " ".join(verdict(Gate((test,))))
    assert "points the wrong way" in words
    assert "not turned round" in words


def test_a_constant_extractor_is_uninformative() -> None:
    test = judged(blurred, lambda image: np.eye(5))
    assert (test.status, test.auroc) == ("uninformative", 0.5)
    assert "no better than chance" in verdict(Gate((test,)))[0]


def test_one_inverted_kind_makes_the_whole_extractor_inverted() -> None:
    good, bad = DamageTest("blur", False, 8, 40, 0.9, 0.8, 1.0), DamageTest("noise", False, 8, 40, 0.1, 0.0, 0.2)
    unseen = DamageTest("boundary", True, 8, 40, 0.5, 0.3, 0.7)
    assert Gate((good, bad)).status == "inverted"
    assert Gate((good, unseen)).status == "valid"
    assert Gate((unseen,)).status == "uninformative"
    assert Gate(()).status == "uninformative"


def test_the_gate_as_json_holds_the_verdict_and_no_nan() -> None:
    document = Gate((DamageTest("blur", False, 8, 40, 0.9, 0.8, 1.0),), volume_correlation=-0.8).to_json()
    assert document["status"] == document["damage"][0]["status"] == "valid"
    assert document["dice_correlation"] is None
    assert any("mostly drops small structures" in sentence for sentence in document["verdict"])


def test_all_scans_of_a_patient_are_damaged_together() -> None:
    groups = {f"s{n}": f"p{n // 3}" for n in range(60)}
    chosen = set(choose_damaged(groups))
    assert len(chosen) == 12
    assert all(len({name in chosen for name in groups if groups[name] == group}) == 1 for group in groups.values())


def test_too_few_patients_leave_an_interval_that_decides_nothing() -> None:
    test = damage_test("blur", {"a": 0.5, "b": 0.6, "c": 0.7}, {"a": 0.1}, {"a": "a", "b": "b", "c": "c"})
    assert (test.auroc, test.low, test.high, test.status) == (1.0, 0.0, 1.0, "uninformative")


def test_spearman_and_pearson_of_a_known_example() -> None:
    assert spearman((1, 2, 3, 4), (1, 3, 2, 4)) == pytest.approx(0.8)
    assert pearson((1, 2, 3, 4), (1, 3, 2, 4)) == pytest.approx(0.8)


def test_spearman_uses_mid_ranks_and_leaves_undefined_pairs_out() -> None:
    assert spearman((1, 2, 2, 3, np.nan), (1, 2, 3, 4, 5)) == pytest.approx(0.9486833)
    assert np.isnan(spearman((1, 1, 1), (1, 2, 3)))
    assert np.isnan(spearman((1, 2), (1, 2)))


def test_a_correlation_that_is_only_size_vanishes_at_equal_size() -> None:
    rng = np.random.default_rng(0)
    size = rng.normal(size=4000)
    x, y = size + rng.normal(size=4000), size + rng.normal(size=4000)
    assert spearman(x.tolist(), y.tolist()) > 0.4
    assert abs(partial_spearman(x.tolist(), y.tolist(), size.tolist())) < 0.05


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([1.0, 2, 2, 3]), np.array([False, False, True, True])) == pytest.approx(0.875)
    assert np.isnan(auroc(np.array([1.0, 2.0]), np.array([True, True])))


def test_too_few_scans_are_told_in_the_place_of_numbers_that_do_not_exist() -> None:
    test = damage_test("blur", {"a": 0.3, "b": 0.4}, {}, {"a": "p", "b": "q"})
    words = verdict(Gate((test,)))
    assert words[0].startswith("Whether this network finds damaged scans could not be tested here")
    assert words[1] == "Damage of the image (blur): not tested, 0 of 2 scans were damaged."
    assert Gate((test,)).status == "uninformative"
