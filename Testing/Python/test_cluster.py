"""Evaluation and robustness on a Dask cluster: the same numbers, resumable, and a killed worker loses nothing."""

import json
import os
import pickle
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core import tasks
from SUREUncertaintyLib.core.errors import Cancelled, PackageError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.evaluation.case_evaluation import EvaluationOptions
from SUREUncertaintyLib.evaluation.case_jobs import Cluster
from SUREUncertaintyLib.evaluation.case_result import CaseResult
from SUREUncertaintyLib.evaluation.cases import read_cases
from SUREUncertaintyLib.evaluation.cluster import EvaluationJob, run_evaluation_job
from SUREUncertaintyLib.evaluation.evaluate import Evaluation, evaluate_cases
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.estimation.model_options import ModelOptions, open_model
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.robustness.measure import Robustness, run_robustness
from SUREUncertaintyLib.robustness.series import SeriesOptions

GRID = Grid((16, 16, 16))
COUNT = 6
OPTIONS = EvaluationOptions(noise_levels=(0.1, 0.3, 0.5))
LEVELS = SeriesOptions((0.1, 0.3, 0.5))


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of six labelled scans; the last one's label lies on another grid."""
    folder, rows = tmp_path_factory.mktemp("scans"), ["image,label,id"]
    for number in range(COUNT):
        labels = np.zeros(GRID.shape, np.uint8)
        labels[4 : 10 + number % 3, 4:12, 4:12] = 1
        labels[6:9, 6:9, 6:9] = 2
        image = 100 * labels + np.random.default_rng(number).normal(0, 10, GRID.shape)
        write_volume(Volume(image.astype(np.float32), GRID), folder / f"s{number}.nrrd")
        grid = GRID if number < COUNT - 1 else Grid(GRID.shape, origin=(5.0, 0.0, 0.0))
        write_volume(Volume(labels, grid), folder / f"l{number}.nrrd")
        rows.append(f"s{number}.nrrd,l{number}.nrrd,s{number}")
    (folder / "CASES.csv").write_text("\n".join(rows) + "\n")
    return folder / "CASES.csv"


@pytest.fixture(scope="module")
def dask_cluster() -> Iterator[Any]:
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        yield cluster


def evaluated(cases: Path, package: Package, output: Path, scheduler: str | None = None, **more: Any) -> Evaluation:
    model = ModelOptions(str(package.root), engine="openvino", fingerprint=package.fingerprint)
    cluster = Cluster(scheduler, model) if scheduler else None
    engine = create_engine(package, "openvino", threads=1)
    return evaluate_cases(read_cases(cases), package, engine, output, OPTIONS, cluster=cluster, **more)


def series_of(cases: Path, package: Package, output: Path, scheduler: str | None = None) -> Robustness:
    model = ModelOptions(str(package.root), engine="openvino", fingerprint=package.fingerprint)
    cluster = Cluster(scheduler, model) if scheduler else None
    predictor = NativePredictor(package, create_engine(package, "openvino", threads=1))
    return run_robustness(read_cases(cases), predictor, ("gaussian", "blur"), output, LEVELS, cluster=cluster)


def without_time(result: CaseResult) -> str:
    document = result.to_json()
    document["details"].pop("seconds", None)
    return json.dumps(document, sort_keys=True)


@pytest.mark.slow
def test_a_cluster_evaluates_as_this_machine_does_and_a_killed_worker_loses_nothing(
    listed: Path, tiny_package: Package, tmp_path: Path, dask_cluster: Any
) -> None:
    victims = [worker.pid for worker in dask_cluster.workers.values()]

    def kill_one(fraction: float, text: str) -> None:
        if victims:
            os.kill(victims.pop(), signal.SIGKILL)
            victims.clear()

    spread = evaluated(listed, tiny_package, tmp_path / "b", dask_cluster.scheduler_address, progress=kill_one)
    here = evaluated(listed, tiny_package, tmp_path / "a")
    assert not victims
    assert [without_time(result) for result in spread.results] == [without_time(result) for result in here.results]
    assert spread.n_failed == 1
    assert "s5" in [result.id for result in spread.results if result.error]
    assert json.dumps(spread.summary["metrics"]) == json.dumps(here.summary["metrics"])
    assert not list(tmp_path.glob(".b*"))


@pytest.mark.slow
def test_a_cluster_gives_the_robustness_of_this_machine(
    listed: Path, tiny_package: Package, tmp_path: Path, dask_cluster: Any
) -> None:
    spread = series_of(listed, tiny_package, tmp_path / "b", dask_cluster.scheduler_address)
    here = series_of(listed, tiny_package, tmp_path / "a")
    assert json.dumps(spread.document, sort_keys=True) == json.dumps(here.document, sort_keys=True)
    assert spread.n_failed == 1
    assert not list(tmp_path.glob(".b*"))


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The cluster's tasks run here, one after the other; the list fills with the jobs that were sent."""
    sent: list[Any] = []

    def run_here(function: Any, items: Any, workers: Any, scheduler: Any, is_cancelled: Any) -> Iterator[tasks.Outcome]:
        sent.extend(items)
        yield from tasks.run_tasks(function, items, 1, None, is_cancelled)

    monkeypatch.setattr("SUREUncertaintyLib.evaluation.case_jobs.run_tasks", run_here)
    return sent


def test_a_stopped_evaluation_goes_on_and_finished_cases_are_not_sent_again(
    listed: Path, tiny_package: Package, tmp_path: Path, in_process: list[Any]
) -> None:
    done: list[str] = []

    def note(fraction: float, text: str) -> None:
        done.append(text)

    with pytest.raises(Cancelled, match="goes on from there"):
        evaluated(
            listed, tiny_package, tmp_path / "out", "tcp://x:1", progress=note, is_cancelled=lambda: len(done) > 1
        )
    assert done == ["1 of 6: s0", "2 of 6: s1"]
    in_process.clear()
    found = evaluated(listed, tiny_package, tmp_path / "out", "tcp://x:1")
    assert [job.case.id for job in in_process] == ["s2", "s3", "s4", "s5"]
    assert [result.id for result in found.results] == [f"s{number}" for number in range(COUNT)]


def test_finished_series_are_not_sent_again(
    listed: Path, tiny_package: Package, tmp_path: Path, in_process: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("SUREUncertaintyLib.robustness.finished_cases.Store.remove", lambda self: None)
    first = series_of(listed, tiny_package, tmp_path / "out", "tcp://x:1")
    assert len(in_process) == 2 * COUNT
    in_process.clear()
    (tmp_path / "out").rename(tmp_path / "earlier")
    again = series_of(listed, tiny_package, tmp_path / "out", "tcp://x:1")
    assert {job.case.id for job in in_process} == {"s5"}
    assert json.dumps(again.document, sort_keys=True) == json.dumps(first.document, sort_keys=True)


def test_what_travels_is_small_whatever_the_scan(listed: Path, tiny_package: Package) -> None:
    job = EvaluationJob(read_cases(listed)[0], ModelOptions(str(tiny_package.root)), OPTIONS)
    assert len(pickle.dumps(job)) < 2000
    assert len(pickle.dumps(run_evaluation_job(job))) < 8000


def test_a_worker_with_other_weights_under_the_same_name_says_so(listed: Path, tiny_package: Package) -> None:
    wrong = ModelOptions(str(tiny_package.root), fingerprint="0" * 64)
    with pytest.raises(PackageError, match="another one than on the machine that started the run"):
        open_model(wrong)
    result = run_evaluation_job(EvaluationJob(read_cases(listed)[0], wrong, OPTIONS))
    assert "another one" in result.error


def test_a_models_folder_travels_as_an_absolute_path(tiny_package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny_package.root.parent)
    assert Path(ModelOptions(tiny_package.root.name).model) == tiny_package.root
    assert ModelOptions("hippocampus-t1").model == "hippocampus-t1"


def command(name: str, cases: Path, package: Package, output: Path, *more: str) -> list[str]:
    model = "--extractor" if name == "difficulty" else "--model"
    return [name, "--cases", str(cases), model, str(package.root), "--output", str(output), *more]


@pytest.mark.parametrize(
    ("name", "more"), [("evaluate", ()), ("robustness", ("--corruption", "blur")), ("difficulty", ("--no-gate",))]
)
def test_an_address_without_an_answer_is_wrong_input_and_leaves_nothing(
    name: str,
    more: tuple[str, ...],
    listed: Path,
    tiny_package: Package,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("SUREUncertaintyLib.core.tasks.CONNECT_S", 1)
    asked = command(name, listed, tiny_package, tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9", *more)
    assert run(asked) == 2
    assert "No Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_scheduler_needs_a_list_of_cases(tiny_package: Package, tmp_path: Path, listed: Path) -> None:
    scan, where = str(listed.parent / "s0.nrrd"), ["--scheduler", "tcp://127.0.0.1:9"]
    model = ["--model", str(tiny_package.root), "--output", str(tmp_path / "out")]
    assert run(["robustness", scan, "--corruption", "blur", *model, *where]) == 2
    assert run(["evaluate", "--raters", str(listed.parent), *model, *where]) == 2
