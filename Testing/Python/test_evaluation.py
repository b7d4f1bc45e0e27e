"""Evaluating a list of cases: numbers, failures, resuming, files."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from SUREUncertaintyLib.core.errors import Cancelled, InputError, OutputError, PackageError
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.progress import never, silent
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.evaluation.case_evaluation import EvaluationOptions, evaluate_case
from SUREUncertaintyLib.evaluation.case_result import METRICS, CaseResult
from SUREUncertaintyLib.evaluation.cases import Case, read_cases
from SUREUncertaintyLib.evaluation.evaluate import evaluate_cases
from SUREUncertaintyLib.evaluation.predictor import NativePredictor, Prediction
from SUREUncertaintyLib.evaluation.scored_region import ScoredRegion
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.packages.package import Package
from tiny import PointEngine

SHAPE = (20, 24, 28)
SPACING = (1.0, 1.5, 2.0)
NAMES = {
    *("dice", "hd95_mm", "assd_mm", "ece", "brier", "auroc_error", "aupr_error", "aurc", "ueo"),
    *("ucc_gradient", "ur_gradient", "ur_star_gradient", "ucc_distance", "ur_distance", "ur_star_distance"),
    *("ur_sigma", "ur_star_sigma", "tau_sigma", "far_uncertainty"),
}


def phantom(shift: int = 0) -> NDArray[np.int16]:
    """A core of value 2 in a shell of value 1, ``shift`` voxels along i."""
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[6:14, 6:16, 4 + shift : 14 + shift] = 1
    labels[8:12, 8:14, 6 + shift : 12 + shift] = 2
    return labels


class Reader:
    """A model that reads its answer from the image: class = rounded value, surest far from any boundary."""

    name = "reader"
    passes = 1
    classes = (Label(0, "background"), Label(1, "shell"), Label(2, "core"))

    def __init__(self) -> None:
        self.calls = 0

    def within(self, roi: Roi | None, turn: object = None, channels: object = None) -> "Reader":
        assert roi is None
        return self

    def forget(self) -> None:
        """Nothing is kept."""

    def judged(self, volume: Volume) -> ScoredRegion:
        return ScoredRegion((slice(0, SHAPE[0]), slice(0, SHAPE[1]), slice(0, SHAPE[2])))

    def predict(self, volume: Volume, progress: Any = silent, is_cancelled: Any = never) -> Prediction:
        self.calls += 1
        labels = np.rint(volume.array).astype(np.uint8)
        one_hot = np.stack([labels == label.value for label in self.classes])
        uncertainty = 0.05 + 0.4 * np.abs(volume.array - labels)
        return Prediction(labels, (0.1 + 0.7 * one_hot).astype(np.float32), uncertainty.astype(np.float32))

    def noisy(
        self, volume: Volume, levels: Sequence[float], seed: int, case_id: str, is_cancelled: Any = never
    ) -> Iterator[NDArray[np.float32]]:
        clean = self.predict(volume).uncertainty
        for level in levels:
            yield clean * np.float32(1 + level)


def saved(folder: Path, name: str, array: NDArray[Any], spacing: tuple[float, float, float] = SPACING) -> Path:
    grid = Grid((array.shape[0], array.shape[1], array.shape[2]), spacing)
    write_volume(Volume(array, grid), folder / name)
    return folder / name


def make_case(folder: Path, name: str, predicted_shift: int = 0, group: str = "") -> Case:
    """A case whose predicted segmentation is the label moved by ``predicted_shift`` voxels."""
    jitter = np.random.default_rng(predicted_shift).uniform(-0.3, 0.3, SHAPE)
    image = saved(folder, f"{name}.nrrd", (phantom(predicted_shift) + jitter).astype(np.float32))
    label = saved(folder, f"{name}-label.nrrd", phantom().astype(np.uint8))
    return Case(image, label, name, group or name)


def run(cases: Sequence[Case], package: Package, output: Path, **options: Any) -> Any:
    options.setdefault("predictor", Reader())
    return evaluate_cases(cases, package, PointEngine(), output, **options)


def test_a_perfect_prediction_has_perfect_overlap_and_no_error_to_find(tmp_path: Path) -> None:
    result = evaluate_case(make_case(tmp_path, "a"), Reader(), EvaluationOptions())
    for structure in ("shell", "core", "mean"):
        assert result.value("dice", structure) == 1.0
        assert result.value("hd95_mm", structure) == 0.0
        assert result.value("aurc", structure) == 0.0
        assert np.isnan(result.value("auroc_error", structure))
        assert result.undefined["auroc_error"][structure] == "no wrong voxel"
    assert result.boundary == "label"


def test_a_shifted_prediction_gives_the_hand_computed_numbers(tmp_path: Path) -> None:
    result = evaluate_case(make_case(tmp_path, "a", 1), Reader(), EvaluationOptions())
    core = 2 * 5 / (6 + 6)
    assert result.value("dice", "core") == pytest.approx(core)
    shell = phantom() == 1
    moved = phantom(1) == 1
    expected = 2 * (shell & moved).sum() / (shell.sum() + moved.sum())
    assert result.value("dice", "shell") == pytest.approx(expected)
    assert result.value("dice", "mean") == pytest.approx((core + expected) / 2)
    assert result.value("hd95_mm", "core") == pytest.approx(1.0)


def test_calibration_uses_the_channel_of_the_class(tmp_path: Path) -> None:
    result = evaluate_case(make_case(tmp_path, "a"), Reader(), EvaluationOptions())
    share = float((phantom() == 2).mean())
    assert result.value("ece", "core") == pytest.approx(share * 0.2 + (1 - share) * 0.1, abs=1e-6)
    assert result.value("brier", "core") == pytest.approx(share * 0.04 + (1 - share) * 0.01, abs=1e-6)


def test_noise_that_always_raises_uncertainty_scores_one_over_levels(tmp_path: Path) -> None:
    result = evaluate_case(make_case(tmp_path, "a"), Reader(), EvaluationOptions())
    assert result.value("ur_sigma", "mean") == result.value("tau_sigma", "mean") == 1.0
    assert list(result.far_by_level) == ["0", "0.1", "0.3", "0.5", "0.7", "0.9"]
    ratio = result.far_by_level["0.9"] / result.far_by_level["0"]
    assert ratio == pytest.approx(1.9, rel=1e-5)
    assert result.value("far_uncertainty", "mean") == pytest.approx(np.mean(list(result.far_by_level.values())))
    assert result.details["unit"] == "mm"
    assert result.details["delta"] == 1.5


def test_without_noise_the_noise_relations_say_so(tmp_path: Path) -> None:
    result = evaluate_case(make_case(tmp_path, "a"), Reader(), EvaluationOptions(noise_levels=()))
    assert result.undefined["ur_distance"]["mean"] == "no noise level was run"
    assert "ur_sigma" in result.undefined
    assert not np.isnan(result.value("ur_gradient", "mean"))
    assert list(result.far_by_level) == ["0"]


def test_a_case_without_label_takes_its_boundary_from_the_prediction(tmp_path: Path, tiny_package: Package) -> None:
    case = replace(make_case(tmp_path, "a"), label=None)
    outcome = run([case], tiny_package, tmp_path / "out")
    (result,) = outcome.results
    assert result.boundary == "prediction"
    assert result.undefined["dice"] == dict.fromkeys(("shell", "core", "mean"), "no reference label")
    assert not np.isnan(result.value("ur_gradient", "mean"))
    assert outcome.summary["boundary"] == {"prediction": 1}
    assert outcome.summary["metrics"]["dice"]["mean"]["n"] == 0


def test_an_empty_label_leaves_the_relations_undefined_and_counts_spurious_structures(tmp_path: Path) -> None:
    case = make_case(tmp_path, "a")
    saved(tmp_path, "a-label.nrrd", np.zeros(SHAPE, dtype=np.uint8))
    result = evaluate_case(case, Reader(), EvaluationOptions())
    assert result.value("dice", "mean") == 0.0
    assert result.undefined["hd95_mm"]["core"] == "spurious"
    assert result.undefined["ur_gradient"]["mean"] == "no boundary between labels"
    assert np.isnan(result.value("far_uncertainty", "mean"))


def test_a_missed_structure_is_left_out_or_costs_the_diagonal(tmp_path: Path) -> None:
    case = make_case(tmp_path, "a")
    saved(tmp_path, "a.nrrd", np.minimum(phantom(), 1).astype(np.float32))
    left_out = evaluate_case(case, Reader(), EvaluationOptions())
    assert left_out.undefined["hd95_mm"] == {"core": "missed"}
    assert left_out.value("hd95_mm", "mean") == left_out.value("hd95_mm", "shell")
    punished = evaluate_case(case, Reader(), EvaluationOptions(empty="diagonal"))
    diagonal = np.linalg.norm([28 * 1.0, 24 * 1.5, 20 * 2.0])
    assert punished.value("hd95_mm", "core") == pytest.approx(diagonal)


def test_values_that_the_model_does_not_know_count_as_background(tmp_path: Path) -> None:
    case = make_case(tmp_path, "a")
    labels = phantom().astype(np.uint8)
    labels[0, 0, 0] = 7
    saved(tmp_path, "a-label.nrrd", labels)
    assert evaluate_case(case, Reader(), EvaluationOptions()).value("dice", "mean") == 1.0


def test_a_label_without_any_of_the_models_structures_is_refused_with_a_sentence(tmp_path: Path) -> None:
    case = make_case(tmp_path, "a")
    saved(tmp_path, "a-label.nrrd", np.full(SHAPE, 9, dtype=np.uint8))
    with pytest.raises(InputError, match=r"none of the model's structures\. Expected are: 1 shell, 2 core"):
        evaluate_case(case, Reader(), EvaluationOptions())


def test_a_label_on_another_grid_is_refused_with_a_sentence(tmp_path: Path) -> None:
    case = make_case(tmp_path, "a")
    saved(tmp_path, "a-label.nrrd", phantom().astype(np.uint8), (1.0, 1.0, 1.0))
    with pytest.raises(InputError, match=r"does not lie on the voxels of a\.nrrd: 28 x 24 x 20 voxels of 1 x 1 x 1 mm"):
        evaluate_case(case, Reader(), EvaluationOptions())


def test_broken_cases_do_not_stop_the_others(tmp_path: Path, tiny_package: Package) -> None:
    good, broken = make_case(tmp_path, "good"), make_case(tmp_path, "broken")
    missing = Case(tmp_path / "absent.nrrd", None, "missing", "missing")
    broken.image.write_bytes(b"NRRD0005\nnot an image")
    outcome = run([missing, broken, good], tiny_package, tmp_path / "out")
    assert [bool(result.error) for result in outcome.results] == [True, True, False]
    assert outcome.n_failed == outcome.summary["n_failed"] == 2
    assert "does not exist" in outcome.summary["failed"][0]["error"]
    assert outcome.summary["metrics"]["dice"]["mean"] == {"mean": 1.0, "low": None, "high": None, "n": 1}


def test_an_unexpected_error_is_a_failed_case_and_a_broken_model_ends_the_run(
    tmp_path: Path, tiny_package: Package
) -> None:
    class Bursting(Reader):
        def __init__(self, error: Exception) -> None:
            self.error = error

        def predict(self, *_: Any, **__: Any) -> Prediction:
            raise self.error

    case = make_case(tmp_path, "a")
    outcome = run([case], tiny_package, tmp_path / "out", predictor=Bursting(RuntimeError("no memory")))
    assert outcome.results[0].error == "The case a could not be evaluated (RuntimeError: no memory)."
    with pytest.raises(PackageError):
        run([case], tiny_package, tmp_path / "out2", predictor=Bursting(PackageError("The model is broken.")))
    assert not (tmp_path / "out2").exists()


def test_the_summary_has_the_agreed_form_and_means_over_groups(tmp_path: Path, tiny_package: Package) -> None:
    cases = [make_case(tmp_path, "a", 0, "one"), make_case(tmp_path, "b", 1, "one"), make_case(tmp_path, "c", 2, "two")]
    outcome = run(cases, tiny_package, tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary == json.loads(json.dumps(outcome.summary))
    assert {"schema", "model", "fingerprint", "estimator", "seed", "n_failed", "undefined", "metrics"} <= set(summary)
    assert (summary["model"], summary["estimator"], summary["n_groups"]) == ("tiny", "reader", 2)
    assert summary["fingerprint"] == tiny_package.fingerprint
    assert set(summary["metrics"]) >= NAMES
    assert set(summary["metrics"]["dice"]) == {"shell", "core", "mean"}
    assert set(summary["metrics"]["ur_gradient"]) == set(summary["metrics"]["ueo"]) == {"mean"}
    a, b, c = (result.value("dice", "mean") for result in outcome.results)
    dice = summary["metrics"]["dice"]["mean"]
    assert dice["mean"] == pytest.approx(((a + b) / 2 + c) / 2)
    assert dice["n"] == 2
    assert dice["low"] <= dice["mean"] <= dice["high"]
    assert summary["undefined"]["auroc_error"]["mean"] == {"no wrong voxel": 1}


def test_the_case_table_holds_one_row_a_case_and_structure(tmp_path: Path, tiny_package: Package) -> None:
    cases = [make_case(tmp_path, "a", 1), Case(tmp_path / "no.nrrd", None, "b", "b", "val")]
    outcome = run(cases, tiny_package, tmp_path / "out")
    with (tmp_path / "out" / "cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["structure"]) for row in rows] == [("a", "shell"), ("a", "core"), ("a", "mean"), ("b", "")]
    assert set(METRICS) <= set(rows[0])
    assert float(rows[1]["dice"]) == pytest.approx(outcome.results[0].value("dice", "core"))
    assert rows[0]["ur_gradient"] == ""
    assert float(rows[2]["ur_gradient"]) == pytest.approx(outcome.results[0].value("ur_gradient", "mean"))
    assert (rows[3]["split"], rows[3]["dice"]) == ("val", "")
    assert "does not exist" in rows[3]["error"]


def test_a_cancelled_run_keeps_finished_cases_and_goes_on_from_there(tmp_path: Path, tiny_package: Package) -> None:
    class Impatient(Reader):
        def predict(self, volume: Volume, progress: Any = silent, is_cancelled: Any = never) -> Prediction:
            if "c" in volume.name and is_cancelled():
                raise Cancelled()
            return super().predict(volume)

    cases = [make_case(tmp_path, name) for name in "abc"]
    with pytest.raises(Cancelled, match="the same command goes on"):
        run(cases, tiny_package, tmp_path / "out", predictor=Impatient(), is_cancelled=lambda: True)
    assert not (tmp_path / "out").exists()
    again = Reader()
    outcome = run(cases, tiny_package, tmp_path / "out", predictor=again)
    assert again.calls == 2  # the clean and the noisy passes of the one case that was left
    fresh = run(cases, tiny_package, tmp_path / "fresh")
    assert outcome.summary == fresh.summary
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


class StoppedAtB(Reader):
    """Ctrl-C while case b runs."""

    def noisy(self, volume: Volume, *rest: Any, **options: Any) -> Iterator[NDArray[np.float32]]:
        if "b" in volume.name:
            raise KeyboardInterrupt
        return super().noisy(volume, *rest, **options)


def stopped_run(folder: Path, package: Package) -> list[Case]:
    """Two cases of which only the first was finished."""
    cases = [make_case(folder, "a"), make_case(folder, "b")]
    with pytest.raises(KeyboardInterrupt):
        run(cases, package, folder / "out", predictor=StoppedAtB())
    return cases


def passes_of_the_next_run(folder: Path, package: Package, cases: list[Case], **options: Any) -> int:
    """Calls of the model, two a case that is evaluated anew."""
    model = Reader()
    run(cases, package, folder / "out", predictor=model, **options)
    return model.calls


def test_a_run_stopped_by_ctrl_c_goes_on(tmp_path: Path, tiny_package: Package) -> None:
    cases = stopped_run(tmp_path, tiny_package)
    assert passes_of_the_next_run(tmp_path, tiny_package, cases) == 2


def test_finished_cases_of_other_settings_are_not_taken_up(tmp_path: Path, tiny_package: Package) -> None:
    cases = stopped_run(tmp_path, tiny_package)
    assert passes_of_the_next_run(tmp_path, tiny_package, cases, options=EvaluationOptions(seed=5)) == 4


def test_a_finished_case_whose_files_have_changed_is_evaluated_again(tmp_path: Path, tiny_package: Package) -> None:
    cases = stopped_run(tmp_path, tiny_package)
    saved(tmp_path, "a-label.nrrd", phantom(1).astype(np.uint8))
    assert passes_of_the_next_run(tmp_path, tiny_package, cases) == 4


def test_half_a_line_of_a_killed_run_is_not_taken_up(tmp_path: Path, tiny_package: Package) -> None:
    cases = stopped_run(tmp_path, tiny_package)
    progress = tmp_path / ".out.progress.jsonl"
    progress.write_text(progress.read_text(encoding="utf-8")[:-40])
    assert passes_of_the_next_run(tmp_path, tiny_package, cases) == 4


def test_earlier_results_are_replaced_only_on_request(tmp_path: Path, tiny_package: Package) -> None:
    case, model = make_case(tmp_path, "a"), Reader()
    run([case], tiny_package, tmp_path / "out")
    with pytest.raises(OutputError, match="already holds files"):
        run([case], tiny_package, tmp_path / "out", predictor=model)
    assert model.calls == 0
    assert run([case], tiny_package, tmp_path / "out", overwrite=True).n_failed == 0


def test_a_case_result_survives_the_progress_file(tmp_path: Path) -> None:
    result = evaluate_case(make_case(tmp_path, "a", 1), Reader(), EvaluationOptions())
    again = CaseResult.from_json(json.loads(json.dumps(result.to_json())))
    assert repr(again) == repr(result)


def test_a_case_does_not_depend_on_the_others_of_its_list(tmp_path: Path, tiny_package: Package) -> None:
    cases = [make_case(tmp_path, "a"), make_case(tmp_path, "b", 1)]
    model = NativePredictor(tiny_package, PointEngine())
    both = run(cases, tiny_package, tmp_path / "both", predictor=model).results
    alone = run(cases[1:], tiny_package, tmp_path / "alone", predictor=model).results
    assert repr(both[1].values) == repr(alone[0].values)


def test_a_real_network_is_evaluated_end_to_end(tmp_path: Path, tiny_package: Package) -> None:
    cases = [make_case(tmp_path, "a"), make_case(tmp_path, "b", 1)]
    outcome = evaluate_cases(cases, tiny_package, PointEngine(), tmp_path / "out")
    assert outcome.n_failed == 0
    metrics = outcome.summary["metrics"]
    for name in ("ece", "brier", "auroc_error", "ur_star_distance", "ur_sigma", "far_uncertainty"):
        assert 0.0 <= metrics[name]["mean"]["mean"] <= 1.0, name


@pytest.mark.data
def test_real_hippocampi_with_float_labels_are_read_and_scored(
    tmp_path: Path, tiny_package: Package, data_root: Path
) -> None:
    folder = data_root / "msd_hippocampus"
    (tmp_path / "cases.csv").write_text(
        "image,label,id,group\n"
        + "".join(f"{folder}/images/{name},{folder}/labels/{name},{name},2\n" for name in _first_cases(folder))
    )
    outcome = evaluate_cases(
        read_cases(tmp_path / "cases.csv"), tiny_package, PointEngine(), tmp_path / "out", EvaluationOptions()
    )
    assert outcome.n_failed == 0
    assert outcome.summary["n_groups"] == 1
    assert outcome.summary["metrics"]["dice"]["mean"]["n"] == 1


def _first_cases(folder: Path) -> list[str]:
    with (folder / "splits.csv").open(newline="") as file:
        return [row["file"] for row in csv.DictReader(file)][:2]
