"""Estimators and noise tests work on a model that other people made, not only on ours."""

from pathlib import Path

import numpy as np
import pytest
from damaged import write_case
from needed_torch import torch
from safetensors.torch import save_file
from SUREUncertaintyLib.evaluation.evaluate import evaluate_cases
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.estimation.estimator_choice import create_estimator
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.robustness.measure import run_robustness
from SUREUncertaintyLib.robustness.series import SeriesOptions

pytestmark = pytest.mark.usefixtures("user_models")


@pytest.fixture
def imported(bundle: Path, foreign_network: torch.nn.Module) -> Package:
    """The foreign bundle as a package of the user."""
    save_file(foreign_network.state_dict(), bundle / "models" / "model.safetensors")
    return import_package(bundle)


def test_test_time_augmentation_is_uncertain_where_varied_copies_disagree(imported: Package, tmp_path: Path) -> None:
    volume = read_volume(write_case(tmp_path).image)
    plain, varied = (create_estimator(name, imported.root, "openvino") for name in ("softmax", "tta"))
    assert (plain.passes, varied.passes) == (1, 5)
    one, many = (segment(volume, entry.package, entry.engine) for entry in (plain, varied))
    assert many.uncertainty.array.shape == one.uncertainty.array.shape
    assert 0.0 < float(np.abs(many.uncertainty.array - one.uncertainty.array).max()) <= 1.0


def test_every_number_of_evaluate_and_robustness_exists_for_it(imported: Package, tmp_path: Path) -> None:
    case = write_case(tmp_path)
    varied = create_estimator("tta", imported.root, "openvino")
    summary = evaluate_cases([case], varied.package, varied.engine, tmp_path / "evaluation").summary
    assert (summary["n_failed"], summary["estimator"], summary["passes"]) == (0, "tta", 5)
    for name in ("dice", "ece", "ueo", "ur_star_gradient", "ur_star_distance", "ur_star_sigma", "far_uncertainty"):
        assert 0.0 <= summary["metrics"][name]["mean"]["mean"] <= 1.0, name
    predictor = NativePredictor(varied.package, varied.engine)
    found = run_robustness([case], predictor, ("gaussian",), tmp_path / "damage", SeriesOptions((0.2, 0.5, 0.9)))
    (series,) = found.series
    assert not series.error
    assert [row.level for row in series.levels] == [0.2, 0.5, 0.9]
    assert 0.0 <= series.relation["ur_star_sigma"] <= 1.0
