"""Models of several images: in lists of cases, in evaluation and robustness, through the worker and in the panel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import FIRST, LOAD, SLIDING, UNET, config, document, write_bundle
from needed_torch import torch  # noqa: F401 - skips where it is missing
from nnunet_phantoms import make_phantom
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.corruptions.registry import make_recipe
from SUREUncertaintyLib.evaluation.case_evaluation import EvaluationOptions
from SUREUncertaintyLib.evaluation.cases import Case, read_cases, single_case
from SUREUncertaintyLib.evaluation.evaluate import evaluate_cases
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.evaluation.progress_file import ProgressFile
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.presenters.further_images import further_names, further_obstacle
from SUREUncertaintyLib.robustness.measure import run_robustness
from SUREUncertaintyLib.robustness.series import SeriesOptions
from SUREUncertaintyLib.worker.client import WorkerClient

LONG = 300.0


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """A model of T1 and T2."""
    folder = tmp_path_factory.mktemp("two")
    scaled = {"_target_": "ScaleIntensityd", "keys": "image", "channel_wise": True}
    facts = document(2, ("background", "one", "two"))
    facts["network_data_format"]["inputs"]["image"]["channel_def"] = {"0": "T1", "1": "T2"}
    after = [{"_target_": "AsDiscreted", "keys": "pred", "argmax": True}]
    settings = config({**UNET, "in_channels": 2, "out_channels": 3}, [LOAD, FIRST, scaled], after, SLIDING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SURE_MODELS", str(folder / "models"))
        return import_package(write_bundle(folder / "two", settings, facts))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("scans")
    phantom = make_phantom(11, (18, 20, 22), (1.0, 1.0, 1.0), 2)
    paths = folder / "t1.nii.gz", folder / "t2.nii.gz"
    for path, array in zip(paths, phantom.channels, strict=True):
        write_volume(Volume(array, Grid(phantom.labels.shape), "scan"), path)
    return paths


@pytest.fixture(scope="module")
def expected(package: Package, files: tuple[Path, Path]) -> Volume:
    """What the main job says."""
    first, second = (read_volume(path) for path in files)
    return segment(first, package, create_engine(package, "openvino"), channels={"T2": second}).labels


def case_of(files: tuple[Path, Path], label: Path | None = None) -> Case:
    return single_case(files[0], label, channels=[f"T2={files[1]}"])


def test_a_list_names_further_images_in_columns_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "CASES.csv"
    path.write_text("image,image_T2,id,image_FLAIR\na.nii,b/t2.nii,1,\nc.nii,/d.nii,2,e.nii\n", encoding="utf-8")
    first, second = read_cases(path)
    assert first.channels == (("T2", tmp_path / "b" / "t2.nii"),)
    assert second.channels == (("T2", Path("/d.nii")), ("FLAIR", tmp_path / "e.nii"))
    path.write_text("image,image_\na.nii,b.nii\n", encoding="utf-8")
    with pytest.raises(InputError, match="unknown columns: image_"):
        read_cases(path)


def test_a_changed_image_makes_another_case(files: tuple[Path, Path]) -> None:
    assert ProgressFile.key(case_of(files)) != ProgressFile.key(single_case(files[0]))


def test_evaluation_sees_every_image(
    package: Package, files: tuple[Path, Path], expected: Volume, tmp_path: Path
) -> None:
    write_volume(expected, tmp_path / "label.nrrd")
    cases = [case_of(files, tmp_path / "label.nrrd"), single_case(files[1], tmp_path / "label.nrrd")]
    engine = create_engine(package, "openvino")
    found = evaluate_cases(cases, package, engine, tmp_path / "out", EvaluationOptions(noise_levels=(0.2, 0.5, 0.9)))
    first, second = found.results
    assert first.values["dice"]["one"] == pytest.approx(1.0)
    assert "'T2' was not given" in second.error
    assert "image_T2" in second.error


def test_damage_acts_on_every_image_with_noise_of_its_own(package: Package, files: tuple[Path, Path]) -> None:
    first, second = (read_volume(path) for path in files)
    predictor = NativePredictor(package, create_engine(package, "openvino")).within(None, None, {"T2": second})
    region = predictor._region(first)
    clean = predictor._prepared(first, region)
    for kind in ("gaussian", "rician"):
        recipe = make_recipe(kind, 0.5, 0, "case", first.grid.spacing_kji)
        damaged = predictor._damaged_input(first, region, recipe, clean)
        changes: list[Any] = [new - old for new, old in zip(damaged.image, clean.image, strict=True)]  # type: ignore[union-attr]
        assert all(float(np.abs(change).max()) > 0.01 for change in changes)
        assert abs(float(np.corrcoef(changes[0].ravel(), changes[1].ravel())[0, 1])) < 0.2


def test_robustness_takes_them_too(package: Package, files: tuple[Path, Path], tmp_path: Path) -> None:
    predictor = NativePredictor(package, create_engine(package, "openvino"))
    found = run_robustness([case_of(files)], predictor, ("blur",), tmp_path / "out", SeriesOptions((0.3, 0.6, 0.9)))
    assert [series.error for series in found.series] == [""]


def test_the_worker_hands_them_over(package: Package, files: tuple[Path, Path], expected: Volume) -> None:
    first, second = (read_volume(path) for path in files)
    with WorkerClient() as client:
        client.load(package.root, "openvino", threads=1).wait(LONG)
        result = client.segment(first, channels={"T2": second}).wait(LONG)
        assert np.array_equal(result.labels.array, expected.array)
        again = client.resegment(first.array).wait(LONG)
        assert np.array_equal(again.labels.array, expected.array)


def test_what_panel_and_page_ask_for(package: Package) -> None:
    names = further_names(package.metadata)
    assert names == ("T2",)
    assert further_names(None) == ()
    assert "further images" in further_obstacle(names, (None, None, None))
    assert not further_obstacle(names, (object(), None, None))
    assert "--channel" in further_obstacle(("a", "b", "c", "d"), (1, 2, 3))
