"""A study from its file to the arms' results: what is finished is skipped, what was interrupted goes on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, part_of, raise_if_cancelled, silent
from ..evaluation.cases import Case
from ..evaluation.progress_file import ProgressFile
from ..files.checksum import document_sha256
from ..inference.engine_choice import create_engine
from ..inference.estimation.estimator_choice import Estimate, estimate, estimate_ensemble
from ..metrics.relations import NOISE_LEVELS
from ..packages.package import Package
from ..robustness.finished_cases import Store
from ..training.recipe import parse_recipe
from .arm_case import ArmCase, Plan, measure_case
from .arm_result import SCHEMA, read_result, rows_of, skipped_series, write_result
from .foreign_scans import score_outside
from .further_files import measure_further
from .held_out import held_out_cases, refuse_seen
from .predictor import RememberingPredictor
from .study import Arm, Study
from .study_summary import settings_checksum
from .trainings import Training, Workplace, train_missing, trainings_of


@dataclass(frozen=True)
class Limits:
    """What the command line may restrict: the arms, whether they are only trained, and CPU threads."""

    arms: tuple[str, ...] = ()
    only_train: bool = False
    threads: int | None = None


def run_study(
    study: Study,
    place: Workplace,
    limits: Limits | None = None,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> list[Path]:
    """Train and evaluate every arm that is not finished; the result files of arms that have one.

    An arm is finished when it has a result file, or stands in the place's summary file.

    Raises:
        InputError: the study makes no sense, a network has seen a held-out case, or a result of other settings lies
            where an arm's belongs.
        EngineError, PackageError: a network cannot be trained or run.
        Cancelled: ``is_cancelled`` said so; the same call goes on.
    """
    chosen = limits or Limits()
    files = []
    for arm in [study.arm(name) for name in chosen.arms] or study.compared:
        raise_if_cancelled(is_cancelled)
        path = place.results / f"{arm.name}.json"
        if not _is_finished(path, study, arm, place.summary):
            networks = [_networks(study, arm, fold, place, progress, is_cancelled) for fold in arm.folds or (None,)]
            if chosen.only_train or arm.hidden:
                continue
            write_result(path, _evaluate(study, arm, networks, place, chosen, progress, is_cancelled))
        files += [path] if path.is_file() else []
    return files


@dataclass(frozen=True)
class _Networks:
    """The packages of an arm on one fold, with the recipes that made them."""

    trainings: tuple[Training, ...]
    packages: tuple[Package, ...]


def _networks(
    study: Study, arm: Arm, fold: int | None, place: Workplace, progress: Progress, is_cancelled: IsCancelled
) -> _Networks:
    trainings = trainings_of(study, arm, fold)
    packages = [
        train_missing(one, place, part_of(progress, 0.0, 1.0, f"{one.name}: "), is_cancelled) for one in trainings
    ]
    return _Networks(tuple(trainings), tuple(packages))


def _is_finished(path: Path, study: Study, arm: Arm, summary: Path | None) -> bool:
    if path.is_file():
        holder, found = path, document_sha256(read_result(path).facts["settings"])
    elif summary is not None and (known := settings_checksum(summary, study, arm.name)):
        holder, found = summary, known
    else:
        return False
    if found != document_sha256(_settings(study, arm)):
        raise InputError(
            f"{holder} holds a result of other settings. Results are kept: give the arm {arm.name} another name, "
            "or move the file."
        )
    return True


def _settings(study: Study, arm: Arm) -> dict[str, Any]:
    """What an arm's numbers follow from, apart from data and code."""
    import json

    owner = study.arm(arm.of) if arm.of else arm
    content = {
        "recipe": study.recipe,
        "changes": study.changes,
        "arm": asdict(arm),
        "owner": asdict(owner),
        "corruptions": study.corruptions,
        "levels": study.levels,
        "seed": study.seed,
        "split": study.split,
    }
    plain: dict[str, Any] = json.loads(json.dumps(content))
    return plain


def _evaluate(
    study: Study,
    arm: Arm,
    networks: Sequence[_Networks],
    place: Workplace,
    limits: Limits,
    progress: Progress,
    is_cancelled: IsCancelled,
) -> dict[str, Any]:
    """The content of an arm's result file."""
    start, measured, outside = time.perf_counter(), list[ArmCase](), dict[str, list[dict[str, Any]]]()
    further: dict[str, dict[str, dict[str, Any]]] = {kind.name: {} for kind in study.further}
    opened: Estimate | None = None
    for number, entry in enumerate(networks):
        cases = held_out_cases(parse_recipe(dict(entry.trainings[0].recipe)), place.data, study.split)
        for package in entry.packages:
            refuse_seen(package, cases, study.split)
        opened = _estimate(arm, entry.packages, limits.threads, study.seed)
        predictor = RememberingPredictor(opened.package, opened.engine)
        measured += _measure(
            study, arm, cases, predictor, place, part_of(progress, 0.0, 1.0, f"{arm.name}: "), is_cancelled
        )
        for kind in study.further:
            recipe = entry.trainings[0].recipe
            further[kind.name] |= measure_further(study, kind, recipe, place.data, predictor, is_cancelled)
        if number == 0:
            outside = {kind.name: score_outside(kind, place.data, predictor) for kind in study.outside}
    assert opened is not None  # an arm has at least one network
    table, points = rows_of(measured)
    return {
        **_facts(study, arm, networks, opened),
        "evaluation_seconds": round(time.perf_counter() - start, 1),
        "failed": {case.result.id: case.result.error for case in measured if case.result.error},
        "skipped": skipped_series(measured),
        "cases": table,
        "outside": outside,
        "further": further,
        "points": points,
    }


def _measure(
    study: Study,
    arm: Arm,
    cases: Sequence[Case],
    predictor: RememberingPredictor,
    place: Workplace,
    progress: Progress,
    is_cancelled: IsCancelled,
) -> list[ArmCase]:
    """Every case, from the progress file where it is there; only every n-th runs through all corruptions."""
    whole, short = Plan(study.corruptions, study.levels, study.seed), Plan((), study.levels, study.seed)
    run = {"fingerprint": predictor.package.fingerprint, "settings": _settings(study, arm)}
    target = place.work / "evaluations" / f"{arm.name}-{predictor.package.fingerprint[:8]}"
    target.parent.mkdir(parents=True, exist_ok=True)
    store, finished = Store(target, run), ProgressFile(target, run, ArmCase.from_json)
    earlier, measured = finished.start(), []
    for number, case in enumerate(cases):
        raise_if_cancelled(is_cancelled)
        progress(number / len(cases), f"case {number + 1} of {len(cases)}")
        key = finished.key(case)
        found = earlier.get(key)
        if found is None:
            found = measure_case(case, predictor, whole if number % arm.every == 0 else short, store, is_cancelled)
            finished.append(key, found)
        measured.append(found)
    store.remove()
    return measured


def _estimate(arm: Arm, packages: Sequence[Package], threads: int | None, seed: int) -> Estimate:
    engine = "torch" if arm.estimator == "dropout" else "openvino"
    engines = [create_engine(package, engine, "cpu", threads) for package in packages]
    if arm.estimator == "ensemble":
        return estimate_ensemble(packages, engines)
    return estimate(packages[0], engines[0], arm.estimator, arm.passes, seed)


def _facts(study: Study, arm: Arm, networks: Sequence[_Networks], opened: Estimate) -> dict[str, Any]:
    trainings = [training for entry in networks for training in entry.trainings]
    packages = [package for entry in networks for package in entry.packages]
    return {
        "schema": SCHEMA,
        "study": study.name,
        "arm": arm.name,
        "title": arm.title or arm.name,
        "estimator": opened.name,
        "passes": opened.passes,
        "engine": opened.engine.name,
        "folds": list(arm.folds),
        "seed": study.seed,
        "noise_levels": list(NOISE_LEVELS),
        "levels": list(study.levels),
        "models": [
            {
                "name": package.name,
                "fingerprint": package.fingerprint,
                "seed": training.recipe["seed"],
                "steps": training.recipe["optimisation"]["steps"],
                "loss": training.recipe["loss"]["name"],
                "start": package.metadata.training.start,
            }
            for training, package in zip(trainings, packages, strict=True)
        ],
        "settings": _settings(study, arm),
    }
