"""``sure fit`` from scans to the package's new version: what it learns from, the guard, stopping, and bad input."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fit_scans import QUICK, imported_nnunet, noise_scan, write_scans
from needed_torch import torch
from safetensors.torch import load_file
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.errors import Cancelled, InputError
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.fitting.fit import fit_model
from SUREUncertaintyLib.fitting.frozen_network import open_network
from SUREUncertaintyLib.fitting.judging import MapScores, verdict
from SUREUncertaintyLib.fitting.learning import FitObjective, fit_head, sample_inputs
from SUREUncertaintyLib.fitting.samples import Sample, window_samples
from SUREUncertaintyLib.fitting.scan_list import list_scans
from SUREUncertaintyLib.fitting.scan_windows import see, windows_of
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.nn.frozen_scale import FrozenEvidenceScale
from SUREUncertaintyLib.nn.losses.scaled_uncertainty import OutputKind
from SUREUncertaintyLib.packages.package import Package, load_package
from SUREUncertaintyLib.packages.staging import copy_files

GOOD = MapScores(0.90, 0.70, 0.80, 0.60, 0.50)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Package]:
    folder = tmp_path_factory.mktemp("nnunet")
    return {
        "plain": imported_nnunet(folder / "one", "plain"),
        "two folds": imported_nnunet(folder / "two", "plain", 2),
        "regions": imported_nnunet(folder / "three", "regions"),
        "slices": imported_nnunet(folder / "four", "slices"),
    }


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    return write_scans(folder / "scans", "plain", 6, folder / "labels")


def copied(package: Package, folder: Path) -> Package:
    copy_files(package.root, folder / package.name)
    return load_package(folder / package.name)


def taken(own: MapScores, head: MapScores) -> tuple[bool, str]:
    return True, "taken for the test"


@pytest.mark.parametrize("name", ["plain", "regions", "slices"])
def test_a_fit_leaves_a_package_whose_segmentation_is_the_same(
    name: str, made: dict[str, Package], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("SUREUncertaintyLib.fitting.judging.verdict", taken)
    package = copied(made[name], tmp_path)
    folder = write_scans(tmp_path / "scans", name, 5)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    graphs = {path.name: path.read_bytes() for path in (package.root / "models").iterdir()}
    found = fit_model(package, folder, tmp_path / "out", settings=QUICK, threads=1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert {n: found.package.root.joinpath("models", n).read_bytes() for n in graphs} == graphs
    assert found.judgement.accepted
    assert found.judgement.identical == found.judgement.passes > 10
    assert not found.judgement.labelled
    fitted = found.package.metadata.fitted
    assert fitted is not None
    assert (fitted.member, len(fitted.taps)) == ("fold_0", 4)
    assert 0.0 < fitted.threshold <= 0.5
    assert (len(found.fitted_on), len(found.set_aside)) == (3, 2)
    document = json.loads((tmp_path / "out" / "fit.json").read_text(encoding="utf-8"))
    assert document["sentence"] == "taken for the test"
    page = (tmp_path / "out" / "fit.html").read_text(encoding="utf-8")
    assert "There were no labels" in page
    assert "to the last bit" in page
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["fit.html", "fit.json", "log.csv"]


def test_a_head_that_is_no_better_is_left_out_and_the_package_says_so(
    made: dict[str, Package], scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("SUREUncertaintyLib.fitting.judging.verdict", lambda own, head: (False, "no better"))
    package = copied(made["plain"], tmp_path)
    found = fit_model(package, scans, tmp_path / "out", settings=QUICK, threads=1)
    assert found.package.metadata.fitted is None
    record = json.loads((found.package.root / "configs" / "metadata.json").read_text(encoding="utf-8"))["fitted"]
    assert (record["accepted"], record["sentence"]) == (False, "no better")
    assert not (found.package.root / "models" / "fitted_head.onnx").exists()
    assert run(["fit", str(package.root), "--remove"]) == 0
    assert load_package(package.root).fingerprint == package.fingerprint


@pytest.mark.parametrize(
    ("head", "accepted", "words"),
    [
        (replace(GOOD, gradient=0.8, distance=0.7), True, "head is taken"),
        (replace(GOOD, gradient=0.8, errors=0.896), True, "head is taken"),
        (replace(GOOD, gradient=0.8, errors=0.88), False, "finds mistakes less well"),
        (replace(GOOD, gradient=0.8, scans=0.3), False, "orders good and bad results less well"),
        (replace(GOOD, gradient=0.71), False, "no better than"),
        (replace(GOOD, errors=float("nan")), False, "do not let"),
    ],
)
def test_the_guard_takes_what_is_no_worse_at_mistakes_and_better_at_what_it_is_for(
    head: MapScores, accepted: bool, words: str
) -> None:
    found, sentence = verdict(GOOD, head)
    assert found is accepted
    assert words in sentence


class Stop:
    """Cancels as soon as the progress says some words."""

    def __init__(self, words: str) -> None:
        self.words, self.heard = words, False

    def progress(self, fraction: float, text: str) -> None:
        self.heard = self.heard or self.words in text

    def __call__(self) -> bool:
        return self.heard


def stopped(package: Package, scans: Path, output: Path, words: str) -> None:
    stop = Stop(words)
    with pytest.raises(Cancelled):
        fit_model(package, scans, output, None, QUICK, stop.progress, stop, threads=1)


def test_a_fit_that_was_stopped_twice_ends_as_one_that_never_was(
    made: dict[str, Package], scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("SUREUncertaintyLib.fitting.judging.verdict", taken)
    one, two = (copied(made["plain"], tmp_path / name) for name in ("one", "two"))
    fit_model(one, scans, tmp_path / "whole", settings=QUICK, threads=1)
    stops = []
    for words in ("disturbed copies of scan4", "step 3 of 6"):
        stopped(two, scans, tmp_path / "parts", words)
        assert load_package(two.root).fingerprint == two.fingerprint
        stops.append({path.name for path in (tmp_path / "parts").rglob("*")})
    assert any(name.endswith(".done") for name in stops[0])
    assert "checkpoint" in stops[1] - stops[0]
    fit_model(two, scans, tmp_path / "parts", settings=QUICK, threads=1)
    heads = [(package.root / "models" / "fitted_head.onnx").read_bytes() for package in (one, two)]
    assert heads[0] == heads[1]


def test_a_folder_of_another_fit_is_refused(made: dict[str, Package], scans: Path, tmp_path: Path) -> None:
    stopped(made["plain"], scans, tmp_path / "out", "looking at scan1")
    with pytest.raises(InputError, match="was begun in"):
        fit_model(made["plain"], scans, tmp_path / "out", settings=replace(QUICK, seed=4), threads=1)


def samples_of(package: Package, case: Case) -> list[Sample]:
    network = open_network(package, threads=1)
    seen = see(case, network)
    (window,) = windows_of(seen, network, 1, (0,))
    return window_samples(window, network, QUICK, (0, 2))


def case_of(folder: Path, label: Path | None = None) -> Case:
    return Case(folder / "scan0.nii.gz", label, "scan0", "scan0")


def without_mirrors(package: Package) -> Package:
    """The package as one whose single pass is all there is."""
    pipeline = package.metadata.pipeline
    assert pipeline is not None
    return replace(package, metadata=replace(package.metadata, pipeline=replace(pipeline, mirror_axes=())))


def test_without_labels_mistakes_are_answers_that_change_under_damage(made: dict[str, Package], scans: Path) -> None:
    package = without_mirrors(made["plain"])
    samples = samples_of(package, case_of(scans))
    network = open_network(package, threads=1)
    for sample in samples:
        answers = [network.labels(logits.astype(np.float32)) for logits in sample.logits]
        for number in (1, 2):
            assert np.mean(sample.wrong[number] == (answers[number] != answers[0])) > 0.999  # but for half precision
        milder = 1 + int(sample.levels[1] < sample.levels[0])
        assert np.array_equal(sample.wrong[0], sample.wrong[milder])
        assert (sample.losses[1:] >= sample.losses[0]).all()
        assert sample.taught.size == 0


def test_without_labels_a_copy_counts_as_no_better_than_the_scan_itself(
    made: dict[str, Package], scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("SUREUncertaintyLib.fitting.samples.MILD", np.inf)  # the scan's loss: the mean of all copies
    losses = np.array([sample.losses for sample in samples_of(without_mirrors(made["plain"]), case_of(scans))])
    assert len(set(losses[:, 0])) == 1
    assert losses.max() > losses[0, 0] > 0.0
    assert losses[:, 1:].min() == losses[0, 0]  # those below the mean are lifted to it


@pytest.mark.parametrize("name", ["plain", "slices"])
def test_with_labels_mistakes_are_against_them(name: str, made: dict[str, Package], tmp_path: Path) -> None:
    folder = write_scans(tmp_path / "scans", name, 1, tmp_path / "labels")
    case = case_of(folder, tmp_path / "labels" / "scan0.nii.gz")
    seen = see(case, open_network(made[name], threads=1))
    assert seen.label is not None
    assert seen.label.shape == seen.answer.shape
    assert dice(seen.label == 2, seen.answer == 2) > 0.9  # one voxel aside it would be 0.7
    for sample in samples_of(made[name], case):
        assert 0.0 < sample.losses[0] < 0.4
        assert sample.labelled
        assert sample.wrong[0].any()


def test_folds_and_mirrors_are_the_teacher(made: dict[str, Package], scans: Path) -> None:
    samples = samples_of(made["two folds"], case_of(scans))
    assert all(sample.taught.shape == sample.distance.shape for sample in samples)
    assert 0.0 <= float(samples[0].taught.min()) < float(samples[0].taught.max()) <= 1.0
    kind = open_network(made["two folds"], threads=1).kind
    head = FrozenEvidenceScale(shape_of(samples[0], kind))
    parts = FitObjective([], kind, QUICK, head).parts(samples[0], 5)
    assert float(parts["teacher"].detach()) > 0.0
    assert "order" not in parts
    alone = replace(samples[0], taught=np.empty(0, np.float32))
    assert float(FitObjective([], kind, QUICK, head).parts(alone, 5)["order"].detach()) > 0.0
    labelled = FitObjective([], kind, QUICK, head).parts(replace(alone, labelled=True), 5)
    assert "order" not in labelled


def shape_of(sample: Sample, kind: OutputKind) -> Any:
    from SUREUncertaintyLib.fitting.learning import head_shape

    return head_shape(sample, kind, QUICK)


def test_samples_come_back_from_their_files_as_they_were(made: dict[str, Package], scans: Path, tmp_path: Path) -> None:
    (sample, *_) = samples_of(made["plain"], case_of(scans))
    sample.save(tmp_path / "a.npz")
    back = Sample.load(tmp_path / "a.npz")
    assert (back.kind, back.labelled) == (sample.kind, sample.labelled) == (sample.kind, False)
    assert all(np.array_equal(a, b) for a, b in zip(back.features, sample.features, strict=True))
    assert np.array_equal(back.wrong, sample.wrong)
    coarse = [tuple(np.array(sample.images.shape[2:]) // n) for n in (1, 2, 4)]
    assert [one.shape[2:] for one in sample.features] == coarse


def test_a_fit_teaches_uncertainty_to_rise_where_answers_change(
    made: dict[str, Package], scans: Path, tmp_path: Path
) -> None:
    package, files = made["plain"], []
    for number, sample in enumerate(samples_of(package, case_of(scans))):
        files.append(tmp_path / f"{number}.npz")
        sample.save(files[-1])
    kind = open_network(package, threads=1).kind
    learnt = fit_head(files, kind, replace(QUICK, steps=60, learning_rate=0.004), tmp_path / "out")
    sample = Sample.load(files[0])
    new = FrozenEvidenceScale(shape_of(sample, kind))
    new.standardise([sample_inputs(sample, 0)])
    before, after = (FitObjective(files, kind, QUICK, head).parts(sample, 59) for head in (new, learnt))
    assert float(after["mu"].detach()) < 0.8 * float(before["mu"].detach())
    assert load_file(tmp_path / "out" / "checkpoint" / "average.safetensors")


def test_scans_of_another_kind_and_broken_ones_are_named_and_left_out(
    made: dict[str, Package], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("SUREUncertaintyLib.fitting.judging.verdict", taken)
    folder = write_scans(tmp_path / "scans", "plain", 6)
    write_volume(noise_scan(), folder / "other.nii.gz")
    (folder / "broken.nii.gz").write_bytes(b"no scan at all")
    found = fit_model(copied(made["plain"], tmp_path), folder, tmp_path / "out", settings=QUICK, threads=1)
    assert set(found.left_out) == {"other", "broken"}
    assert "other" in (tmp_path / "out" / "fit.html").read_text(encoding="utf-8")
    assert len(found.fitted_on) + len(found.set_aside) == 6


def test_too_few_usable_scans_say_why_each_was_left_out(made: dict[str, Package], tmp_path: Path) -> None:
    folder = write_scans(tmp_path / "scans", "plain", 4)
    (folder / "broken.nii.gz").write_bytes(b"no scan at all")
    with pytest.raises(InputError, match=r"Of 5 scans only 4 can be used.*broken: "):
        fit_model(made["plain"], folder, tmp_path / "out", settings=QUICK, threads=1)


def test_labels_are_found_by_name_and_those_that_fit_no_scan_are_refused(scans: Path, tmp_path: Path) -> None:
    labels = scans.parent / "labels"
    some = tmp_path / "some"
    some.mkdir()
    shutil.copy(labels / "scan3.nii.gz", some / "scan3_seg.nii.gz")
    found = list_scans(scans, (), some)
    assert [case.id for case in found if case.label] == ["scan3"]
    (some / "scan3_seg.nii.gz").rename(some / "liver.nii.gz")
    with pytest.raises(InputError, match=r"No label in .*\(labels: liver; scans: scan0"):
        list_scans(scans, (), some)


def test_a_label_on_another_grid_or_with_foreign_values_leaves_its_scan_out(
    made: dict[str, Package], scans: Path, tmp_path: Path
) -> None:
    network = open_network(made["plain"], threads=1)
    wrong = tmp_path / "wrong.nii.gz"
    write_volume(noise_scan((9, 9, 9)).with_array(np.ones((9, 9, 9), np.uint8)), wrong)
    with pytest.raises(InputError, match="another grid"):
        see(case_of(scans, wrong), network)
    from SUREUncertaintyLib.files.reading import read_labels

    label = read_labels(scans.parent / "labels" / "scan0.nii.gz")
    write_volume(label.with_array((label.array * 7).astype(np.uint8)), wrong)
    with pytest.raises(InputError, match="value 7, which is no structure"):
        see(case_of(scans, wrong), network)


def test_the_command_fits_shows_and_undoes(
    made: dict[str, Package],
    scans: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("SUREUncertaintyLib.fitting.judging.verdict", taken)
    monkeypatch.setattr("SUREUncertaintyLib.fitting.settings.FitSettings", lambda seed: replace(QUICK, seed=seed))
    package = copied(made["plain"], tmp_path)
    assert run(["fit", str(package.root), "--output", str(tmp_path / "out")]) == 2
    assert "Give the folder of your scans with --scans" in capsys.readouterr().err
    command = ["fit", str(package.root), "--scans", str(scans), "--output", str(tmp_path / "out"), "--threads", "1"]
    assert run(command) == 0
    printed = capsys.readouterr().out
    assert "taken for the test" in printed
    assert "--folds 0 --mirrors none" in printed
    from SUREUncertaintyLib.files.reading import read_volume

    volume = read_volume(scans / "scan1.nii.gz")
    from SUREUncertaintyLib.inference.engine_choice import create_member_engine
    from SUREUncertaintyLib.inference.native.choice import MemberChoice

    fitted = load_package(package.root)
    engine = create_member_engine(fitted, threads=1, choice=MemberChoice(("0",), False))
    plain = create_member_engine(package, threads=1, choice=MemberChoice(("0",), False))
    one, two = segment(volume, fitted, engine), segment(volume, package, plain)
    assert np.array_equal(one.labels.array, two.labels.array)
    assert run(["fit", str(package.root), "--remove"]) == 0
    assert load_package(package.root).fingerprint == package.fingerprint
    assert torch.get_num_threads() >= 1
