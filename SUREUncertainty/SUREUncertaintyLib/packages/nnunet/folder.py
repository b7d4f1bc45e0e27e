"""Finds what nnU-Net v2 wrote: a results folder, the data set's folder around it, one fold inside it, or the folder of
all results with one data set in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import PackageError

CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_best.pth")
DOCUMENTS = ("dataset.json", "plans.json")
PREFERRED = ("3d_fullres", "3d_lowres", "2d")
DATASET_NAME = re.compile(r"^Dataset\d+_")
CASCADE = "3d_cascade_fullres"
RESULTS_NAME = re.compile(r"^(?P<trainer>.+?)__(?P<plans>.+)__(?P<configuration>[^_].*)$")


@dataclass(frozen=True)
class ResultsFolder:
    """One training of nnU-Net.

    Attributes:
        root: holds ``plans.json``, ``dataset.json`` and the folds.
        folds: their folders that hold a checkpoint, by number.
        also: names of other trainings beside it that were not taken; cascades: those of a cascade's second stage.
        unfinished: names of folds without a checkpoint.
    """

    root: Path
    folds: tuple[Path, ...]
    also: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    cascades: tuple[str, ...] = ()

    @property
    def configuration(self) -> str:
        """From the folder's name; empty where a person renamed it."""
        found = RESULTS_NAME.match(self.root.name)
        return found["configuration"] if found else ""

    def checkpoint(self, fold: Path) -> Path:
        """The final checkpoint of a fold, or its best one where the training was stopped."""
        return next(fold / name for name in CHECKPOINTS if (fold / name).is_file())


def is_nnunet(path: Path) -> bool:
    """Whether a folder looks like a training of nnU-Net, v1 or v2, a fold of one, or a data set's folder of several.

    Also true of its other folders, scans to train with and a fold without plans, for which ``find_training`` has words.
    """
    found = _is_fold(path) or _is_results(path) or bool(_trainings(path)) or is_version_1(path)
    return found or bool(_datasets(path)) or _has_checkpoint(path) or _is_data(path)


def is_version_1(path: Path) -> bool:
    """Whether a folder holds what nnU-Net v1 wrote: plans and models as pickles."""
    places = [path, *(part for part in _folders(path) if part.name.startswith(("fold_", "all", "nnUNetTrainer")))]
    return any((place / "plans.pkl").is_file() or any(place.glob("model_*.model.pkl")) for place in places)


def find_training(path: Path) -> ResultsFolder:
    """The training at ``path``.

    Of several trainings of one data set the full resolution in 3D is taken, then the low one, then 2D; with folds 0
    to 4 ``fold_all`` is left out, as nnU-Net does.

    Raises:
        PackageError: nnU-Net v1, no fold with a checkpoint, trainings of several data sets, or no training at all.
    """
    if is_version_1(path):
        raise PackageError(
            f"{path} was written by nnU-Net v1, whose models are pickles that run code when they are opened. "
            "Train with nnU-Net v2, or convert the data set and train again."
        )
    if _is_fold(path):
        return _checked(ResultsFolder(path.parent, (path,)))
    if _is_results(path):
        return _checked(ResultsFolder(path, _folds(path), (), _unfinished(path)))
    datasets = [] if _trainings(path) else _datasets(path)
    if not datasets and not _trainings(path):
        raise PackageError(_what_is_missing(path))
    if len(datasets) > 1:
        names = ", ".join(dataset.name for dataset in datasets)
        raise PackageError(f"{path} holds trainings of several data sets: {names}. Give the folder of one.")
    trainings = sorted(_trainings(datasets[0] if datasets else path), key=_preference)
    chosen, others = trainings[0], trainings[1:]
    cascades = tuple(other.name for other in others if ResultsFolder(other, ()).configuration == CASCADE)
    also = tuple(other.name for other in others if other.name not in cascades)
    return _checked(ResultsFolder(chosen, _folds(chosen), also, _unfinished(chosen), cascades))


def _checked(found: ResultsFolder) -> ResultsFolder:
    missing = [name for name in DOCUMENTS if not (found.root / name).is_file()]
    if missing:
        raise PackageError(
            f"The nnU-Net folder {found.root} has no {missing[0]}. Copy it from the machine that trained the model."
        )
    if not found.folds:
        raise PackageError(
            f"The nnU-Net folder {found.root} has no fold with a checkpoint ({' or '.join(CHECKPOINTS)}). "
            "Finish the training, or copy the fold_X folders as well."
        )
    return found


def _what_is_missing(path: Path) -> str:
    if _has_checkpoint(path):
        return (
            f"{path} holds a checkpoint of nnU-Net alone. How it works on a scan is written in the {DOCUMENTS[1]} and "
            f"{DOCUMENTS[0]} of the folder around the fold: give that folder, as nnU-Net wrote it."
        )
    return (
        f"{path} holds the scans that nnU-Net trains with, and no trained network. "
        "Give the folder of the same data set in nnUNet_results."
    )


def _preference(root: Path) -> tuple[int, str]:
    configuration = ResultsFolder(root, ()).configuration
    return (PREFERRED.index(configuration) if configuration in PREFERRED else len(PREFERRED), root.name)


def _folders(path: Path) -> Sequence[Path]:
    return sorted(part for part in path.iterdir() if part.is_dir()) if path.is_dir() else []


def _is_fold(path: Path) -> bool:
    return path.name.startswith("fold_") and _has_checkpoint(path)


def _has_checkpoint(path: Path) -> bool:
    return any((path / name).is_file() for name in CHECKPOINTS)


def _is_data(path: Path) -> bool:
    """Whether a folder is one of a data set in ``nnUNet_raw`` or ``nnUNet_preprocessed``, or holds such folders."""
    return any(
        (place / "dataset.json").is_file() and ((place / "imagesTr").is_dir() or any(place.glob("*Plans*.json")))
        for place in (path, *(part for part in _folders(path) if DATASET_NAME.match(part.name)))
    )


def _is_results(path: Path) -> bool:
    return (path / "plans.json").is_file() and (path / "dataset.json").is_file()


def _trainings(path: Path) -> list[Path]:
    return [part for part in _folders(path) if RESULTS_NAME.match(part.name) and _is_results(part)]


def _datasets(path: Path) -> list[Path]:
    """Folders of data sets in nnU-Net's folder of all results."""
    return [part for part in _folders(path) if DATASET_NAME.match(part.name) and _trainings(part)]


def _folds(root: Path) -> tuple[Path, ...]:
    found = [part for part in _folders(root) if _is_fold(part)]
    numbered = [part for part in found if part.name != "fold_all"]
    return tuple(numbered or found)


def _unfinished(root: Path) -> tuple[str, ...]:
    return tuple(part.name for part in _folders(root) if part.name.startswith("fold_") and not _is_fold(part))
