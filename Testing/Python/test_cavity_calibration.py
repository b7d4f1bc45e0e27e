"""What tuning patients fix for an ejection fraction: by patient and phase, over the slices of a stack."""

import math
from dataclasses import replace

import numpy as np
import pytest
from needed_torch import REASON

pytest.importorskip("torch", reason=REASON)

from SUREUncertaintyLib.training.calibration import TuningPrediction, stacks, volume_probability, whole_stacks
from SUREUncertaintyLib.training.cavity_calibration import describe_cavity
from SUREUncertaintyLib.training.training_cases import TrainingCase

SHAPE = (10, 20)


def case(patient: str, phase: str, true: int) -> TrainingCase:
    label = np.zeros(SHAPE, np.uint8)
    label.ravel()[:true] = 1
    return TrainingCase(f"{patient}{phase}{true}", patient, np.zeros(SHAPE, np.float32), label, (1.0, 1.0), phase=phase)


def prediction(of: TrainingCase, found: int, unsure: int) -> TuningPrediction:
    """``found`` pixels of the cavity, of which ``unsure`` have P = 0.6; as many beside it have P = 0.4."""
    cavity = np.full(of.label.size, 0.01, np.float32)
    cavity[:found] = 0.99
    cavity[found - unsure : found] = 0.6
    cavity[found : found + unsure] = 0.4
    probability = np.stack([1 - cavity, cavity]).reshape(2, *SHAPE)
    return TuningPrediction(probability, np.zeros(SHAPE, np.float32), of.label)


def test_the_factor_is_what_the_patients_need():
    cases = [case("a", "ED", 60), case("a", "ED", 40), case("a", "ES", 50)]
    found = [prediction(cases[0], 64, 10), prediction(cases[1], 36, 10), prediction(cases[2], 60, 10)]
    section = describe_cavity(1, cases, found, 0.9)["cavity"]
    ed, es = math.log(120 / 80) / 2, math.log(70 / 50) / 2
    spread = math.hypot(es - ed, 0.1 * ed, 0.1 * es)
    needed = abs(math.log((60 / 100) / (50 / 100))) / spread
    assert section == {
        "value": 1,
        "outline_factor": math.ceil(100 * needed) / 100,
        "fitted_on": "1 tuning patients that were not trained on",
    }


def test_patients_without_both_phases_fit_nothing_and_other_models_have_no_cavity():
    cases = [case("a", "ED", 60), case("b", "", 40)]
    found = [prediction(each, 50, 5) for each in cases]
    assert describe_cavity(1, cases, found, 0.9) == {"cavity": {"value": 1}}
    assert describe_cavity(None, cases, found, 0.9) == {}


def test_slices_of_a_patient_and_phase_are_one_stack():
    cases = [case("a", "ES", 5), case("a", "ED", 9), case("a", "ES", 7), case("b", "", 5), case("b", "", 5)]
    assert stacks(cases) == [[0, 2], [1], [3], [4]]
    whole = whole_stacks(cases, [prediction(each, 8, 2) for each in cases])
    assert whole[0].probability.shape == (2, 2, *SHAPE)
    assert whole[0].label.sum() == 12


def test_the_range_is_promised_for_the_stack_and_not_for_every_slice():
    cases = [case("a", "ED", 60), case("a", "ED", 40)]
    # 15 pixels too many and 15 too few: each slice is wrong by more than its unsure pixels, the stack is right
    found = [prediction(cases[0], 75, 5), prediction(cases[1], 25, 5)]
    assert volume_probability(whole_stacks(cases, found)) == 0.5
    alone = [replace(each, phase="") for each in cases]
    assert volume_probability(whole_stacks(alone, found)) > 0.9
