"""Training on slices that one reader outlined: npz with packed masks, patients set aside, smaller fields of view."""

import csv
from pathlib import Path

import numpy as np
import pytest
from needed_torch import REASON

pytest.importorskip("torch", reason=REASON)
pytest.importorskip("monai")

from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.training.appearance import create_appearance
from SUREUncertaintyLib.training.augmentation import Augmentation
from SUREUncertaintyLib.training.field_of_view import smaller_field
from SUREUncertaintyLib.training.masked_slices import inset, read_masked_slices
from SUREUncertaintyLib.training.recipe import AugmentationSection, DataSection, InputSection, load_recipe
from SUREUncertaintyLib.training.training_cases import TrainingCase, list_cases, list_held_out, load_cases

PATIENTS = ("A", "A", "B", "C", "D")
SECTION = DataSection(
    table="slices.csv",
    arrays="slices.npz",
    mask_array="cavity",
    id_column="row",
    group_column="patient",
    train_split="",
    validation_groups=("D",),
    tuning_groups=("C",),
)
INPUT = InputSection("stack", (1.35, 1.35, 0.0), {"kind": "zscore", "per_slice": True}, (32, 32))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    random = np.random.default_rng(4)
    images = random.integers(0, 200, (5, 32, 48), np.uint8)
    np.savez(tmp_path / "slices.npz", images=images, cavity=np.packbits(marks(), axis=-1), plain=marks())
    with (tmp_path / "slices.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["row", "patient", "split"])
        rows.writerows((n, patient, "train" if n < 3 else "test") for n, patient in enumerate(PATIENTS))
    return tmp_path


def marks() -> np.ndarray:
    found = np.zeros((5, 32, 48), np.uint8)
    for n in range(5):
        found[n, 8 + n : 20, 10 : 25 + n] = 1
    return found


def test_packed_and_plain_masks_are_the_same(data):
    assert np.array_equal(read_masked_slices(data / "slices.npz", "cavity").marked, marks())
    assert np.array_equal(read_masked_slices(data / "slices.npz", "plain").marked, marks())


def test_masks_filled_up_to_every_pixel_that_an_outline_crosses_shrink_to_its_area():
    fine = 8
    j, i = (np.indices((64 * fine, 64 * fine)) + 0.5) / fine
    errors = []
    for radius in (5.0, 8.0, 13.0, 21.0):
        for shift in (0.0, 0.3, 0.6):
            inside = (j - 32 - shift) ** 2 + (i - 32.2) ** 2 < radius**2
            touched = inside.reshape(64, fine, 64, fine).any(axis=(1, 3)).astype(np.uint8)
            area = np.pi * radius**2
            assert touched.sum() > 1.04 * area
            errors.append(inset(touched, 0.5).sum() / area - 1)
    assert abs(np.mean(errors)) < 0.02
    assert np.abs(errors).max() < 0.06


def test_masks_that_are_missing_or_do_not_fit_are_refused_by_name(data):
    with pytest.raises(InputError, match="lacks an array"):
        read_masked_slices(data / "slices.npz", "lung")
    np.savez(data / "odd.npz", images=np.zeros((2, 8, 8), np.uint8), cavity=np.zeros((2, 8, 7), np.uint8))
    with pytest.raises(InputError, match="must be"):
        read_masked_slices(data / "odd.npz", "cavity")
    with pytest.raises(InputError, match="no file"):
        read_masked_slices(data / "none.npz", "cavity")


def test_patients_stay_in_one_part_and_validation_is_never_opened(data):
    files = list_cases(SECTION, data)
    assert [case.id for case in files.training] == ["0", "1", "2"]
    assert [case.id for case in files.tuning] == ["3"]
    assert [case.id for case in list_held_out(SECTION, data, "validation")] == ["4"]
    assert [case.id for case in list_held_out(SECTION, data, "tuning")] == ["3"]


def test_a_slice_is_normalised_alone_and_has_one_label(data):
    cases = load_cases(list_cases(SECTION, data).training, INPUT, data=SECTION)
    assert cases[2].image.shape == (32, 48)
    assert cases[2].image.mean() == pytest.approx(0.0, abs=1e-5)
    assert np.array_equal(cases[2].label, marks()[2])
    assert cases[2].readings is None
    assert cases[2].spacing == (1.35, 1.35)


def test_a_smaller_field_is_a_block_of_the_slice_normalised_anew():
    random = np.random.default_rng(1)
    image = random.normal(3, 2, (64, 80)).astype(np.float32)
    label = np.zeros((64, 80), np.float32)
    label[30:40, 50:58] = 1
    whole = 0
    for seed in range(40):
        cut, kept = smaller_field(image, label, (0.3, 0.9), {"kind": "zscore"}, np.random.default_rng(seed))
        assert cut.shape == kept.shape
        assert all(0.29 * n <= m <= 0.91 * n for n, m in zip(image.shape, cut.shape, strict=True))
        assert cut.mean() == pytest.approx(0.0, abs=1e-5)
        assert cut.std() == pytest.approx(1.0, abs=1e-4)
        whole += int(kept.sum() == label.sum())
    assert 28 <= whole < 40, "mostly with the whole structure, sometimes anywhere"


def test_every_augmentation_of_slices_can_be_replayed():
    recipe = load_recipe("heart-lv-cine-plain")
    section = AugmentationSection(
        **{
            **{name: getattr(recipe.augmentation, name) for name in AugmentationSection.__dataclass_fields__},
            **{name: 1.0 for name in AugmentationSection.__dataclass_fields__ if name.endswith("_probability")},
            "elastic_probability": 0.0,
            "damage_probability": 0.0,
        }
    )
    random = np.random.default_rng(2)
    label = np.zeros((90, 90), np.uint8)
    label[30:60, 30:60] = 1
    case = TrainingCase("a", "a", random.normal(size=(90, 90)).astype(np.float32), label, (1.35, 1.35))
    augment = Augmentation(section, (64, 64), create_appearance(section, recipe.input.normalisation))
    first, again, other = augment(case, (1, 2)), augment(case, (1, 2)), augment(case, (1, 3))
    assert first[0].shape == (1, 64, 64)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])
    assert set(np.unique(first[1])) <= {0.0, 1.0}


def test_the_recipes_of_the_heart_keep_patients_apart():
    sections = [load_recipe(name).data for name in ("heart-lv-cine-plain", "heart-lv-cine-fine", "heart-lv-cine")]
    for section in sections:
        assert not set(section.tuning_groups) & set(section.validation_groups)
        assert len(section.tuning_groups) == 12
        assert section.tuning_groups == sections[0].tuning_groups
        assert section.validation_groups == sections[0].validation_groups
