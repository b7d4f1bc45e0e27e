"""The agreement of readers and of samples: pairs of outlines, and no curve that has seen its own patient."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import quality_table
from needed_torch import torch  # noqa: F401 - the readers study is read with it
from numpy.typing import NDArray
from quality_readers import Nodule, agreement, left_out, nodules_of, table_of
from SUREUncertaintyLib.evaluation.raters import RaterArrays, RaterSlice


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals of fewer draws, so that a table is there at once."""
    monkeypatch.setattr(quality_table, "RESAMPLES", 50)


def outlines(*ends: int) -> NDArray[np.uint8]:
    """(N, 1, 8): the first so many pixels of a row each."""
    return np.array([[[1] * end + [0] * (8 - end)] for end in ends], np.uint8)


def test_agreement_is_the_mean_dice_of_pairs_of_different_outlines() -> None:
    assert agreement(outlines(4, 4)) == 1.0
    assert agreement(outlines(2, 4, 4)) == pytest.approx((2 * 2 * 2 / 6 + 1) / 3)
    assert agreement(outlines(0, 0, 3)) == pytest.approx(1 / 3)  # two outlines of nothing agree


class Drawn:
    """A predictor whose samples are those given for the grey value of a slice."""

    def __init__(self, masks: dict[int, NDArray[np.uint8]]) -> None:
        self.masks = masks

    def predict(self, image: NDArray[np.uint8], key: tuple[int, ...]) -> SimpleNamespace:
        """Two classes, all or nothing."""
        inside = self.masks[int(image[0, 0])].astype(np.float64)
        return SimpleNamespace(samples=np.stack([1.0 - inside, inside], axis=1))


def test_slices_of_a_nodule_are_averaged() -> None:
    readers = [outlines(4, 4), outlines(2, 4), outlines(8, 8)]
    bits = np.stack([one[0] | (one[1] << 1) for one in readers]).astype(np.uint8)
    images = np.stack([np.full((1, 8), number, np.uint8) for number in range(3)])
    entries = [RaterSlice(0, "p", "n", 0, ""), RaterSlice(1, "p", "n", 1, ""), RaterSlice(2, "q", "n", 0, "")]
    samples = Drawn({0: outlines(0, 8), 1: outlines(4, 4), 2: outlines(1, 3)})
    found = nodules_of(RaterArrays(images, bits, 2), entries, samples)  # type: ignore[arg-type]
    assert found == [
        Nodule("p", pytest.approx((1 + 2 / 3) / 2), pytest.approx(0.5)),
        Nodule("q", 1.0, pytest.approx(0.5)),
    ]


def test_a_curve_finds_what_samples_tell_and_sees_no_patient_that_it_is_about() -> None:
    rng = np.random.default_rng(0)
    nodules = [Nodule(f"p{n // 2}", float(x), 0.5 * float(x)) for n, x in enumerate(rng.uniform(0.4, 1.0, 60))]
    table = table_of(nodules)
    assert (table["nodules"], table["patients"]) == (60, 30)
    assert table["less_than_constant"]["curve"]["low"] > 0.05
    assert table["less_than_constant"]["samples"]["high"] < 0.0  # half of what readers have
    assert table["spearman"]["samples"]["mean"] == pytest.approx(1.0)
    wild = [Nodule("p0", -9.0, one.samples) if one.patient == "p0" else one for one in nodules]
    for before, after in zip(left_out(nodules), left_out(wild), strict=True):
        assert after[:2] == pytest.approx(before[:2])
        assert after[2:].min() < before[2:].min()
