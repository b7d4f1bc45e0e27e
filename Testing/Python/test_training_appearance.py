"""Other scanners, poorer scans and boxes drawn elsewhere: what a training scan is changed into."""

import numpy as np
import pytest
from needed_torch import torch  # noqa: F401 - first of all: without it this file is skipped

# isort: split
from SUREUncertaintyLib.training.appearance import Appearance, create_appearance, cut, monotone_map
from SUREUncertaintyLib.training.augmentation import Augmentation
from SUREUncertaintyLib.training.recipe import AugmentationSection, load_recipe
from SUREUncertaintyLib.training.training_cases import TrainingCase

ZSCORE = {"kind": "zscore"}
EVERYTHING = AugmentationSection(
    cut_mm=4.0,
    monotone_probability=1.0,
    damage_probability=1.0,
    damages=("gamma", "bias_field", "rician", "ghosting", "thick_slices", "blur"),
    damage_strength=(0.1, 0.6),
)


@pytest.fixture
def case() -> TrainingCase:
    rng = np.random.default_rng(2)
    image = rng.normal(0.0, 1.0, (20, 24, 22)).astype(np.float32)
    label = np.zeros(image.shape, np.uint8)
    label[8:12, 8:16, 8:14] = 1
    image[label == 1] += 3.0
    return TrainingCase("a", "a", image, label, (1.0, 1.0, 2.0))


def test_a_recipe_that_asks_for_nothing_has_no_appearance() -> None:
    assert create_appearance(AugmentationSection(rotate_degrees=20, blur_probability=0.5), ZSCORE) is None
    assert create_appearance(load_recipe("hippocampus-t1-wide").augmentation, ZSCORE) is not None


def test_the_result_is_normalised_as_inference_does_it_and_the_case_stays(case: TrainingCase) -> None:
    before = case.image.copy()
    image, label = Appearance(EVERYTHING, ZSCORE)(case, case.label, np.random.default_rng(3))
    assert image.dtype == np.float32
    assert image.shape == label.shape
    assert float(image.mean()) == pytest.approx(0.0, abs=1e-4)
    assert float(image.std()) == pytest.approx(1.0, abs=1e-4)
    assert np.array_equal(case.image, before)


def test_the_same_seed_gives_the_same_scan_and_another_one_another(case: TrainingCase) -> None:
    change = Appearance(EVERYTHING, ZSCORE)
    one, again, other = (change(case, case.label, np.random.default_rng(seed))[0] for seed in (5, 5, 6))
    assert np.array_equal(one, again)
    assert one.shape != other.shape or not np.allclose(one, other)


def test_a_cavity_contracts_as_often_as_the_recipe_asks() -> None:
    label = np.zeros((64, 64), np.uint8)
    label[20:44, 18:42] = 1
    case = TrainingCase("a", "a", label * np.float32(2), label, (1.35, 1.35))
    change = create_appearance(AugmentationSection(contraction_probability=0.5, contraction=(0.5, 0.5)), ZSCORE)
    assert change is not None
    areas = [change(case, label, np.random.default_rng(seed))[1].sum() / label.sum() for seed in range(40)]
    smaller = [area for area in areas if area < 1.0]
    assert smaller == pytest.approx([0.25] * len(smaller), abs=0.03)
    assert 10 < len(smaller) < 30


def test_damage_without_a_name_is_refused() -> None:
    with pytest.raises(TypeError, match="damages"):
        AugmentationSection(damage_probability=0.5)


def test_a_monotone_map_keeps_order_and_ends() -> None:
    image = np.linspace(0.0, 7.0, 200, dtype=np.float32)
    for seed in range(20):
        changed = monotone_map(image, 4, np.random.default_rng(seed))
        assert (np.diff(changed) > 0).all()
        assert changed[[0, -1]] == pytest.approx([0.0, 7.0], abs=1e-5)
    assert np.ptp([monotone_map(image, 4, np.random.default_rng(s))[100] for s in range(20)]) > 1.0


def test_a_cut_takes_at_most_so_many_millimetres_from_each_side() -> None:
    found = [cut((30, 30, 30), (1.0, 1.0, 2.0), 6.0, np.random.default_rng(seed)) for seed in range(200)]
    starts = np.array([[part.start for part in slices] for slices in found])
    ends = np.array([[30 - part.stop for part in slices] for slices in found])
    assert starts.max(axis=0).tolist() == [5, 5, 2]
    assert ends.max(axis=0).tolist() == [5, 5, 2]
    assert 0.4 < (starts[:, 0] == 0).mean() < 0.75


def test_what_is_cut_away_is_padding_without_a_label(case: TrainingCase) -> None:
    """As in inference, where nothing is analysed outside of a box."""
    section = AugmentationSection(cut_mm=12.0)
    augment = Augmentation(section, (20, 24, 22), create_appearance(section, ZSCORE))
    smaller = 0
    for seed in range(20):
        image, label = augment(case, (seed,))
        assert image.shape == label.shape == (1, 20, 24, 22)
        kept = image.numpy()[0] != 0
        assert not label.numpy()[0][~kept].any()
        smaller += int(label.sum()) < int(case.label.sum())
    assert smaller > 3


def test_each_damage_of_the_shipped_recipe_changes_a_scan(case: TrainingCase) -> None:
    section = load_recipe("hippocampus-t1-wide").augmentation
    plain = Appearance(AugmentationSection(), ZSCORE)(case, case.label, np.random.default_rng(0))[0]
    for name in section.damages:
        only = AugmentationSection(damage_probability=1.0, damages=(name,), damage_strength=(0.4, 0.6))
        changed = Appearance(only, ZSCORE)(case, case.label, np.random.default_rng(0))[0]
        assert float(np.abs(changed - plain).mean()) > 0.01, name
