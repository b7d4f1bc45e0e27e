"""Extractors by name. Importing this needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...core.errors import InputError, PackageError
from ...inference.engine_choice import create_engine
from ...inference.fitted_run import without_head
from ...packages.catalogue import find_folder, find_package
from ...packages.package import is_package
from .checkpoints import require_checkpoint
from .class_logits import ClassLogits, CrossFitted
from .controls import MASK_CONTROLS, MaskControl, RandomNetwork
from .extractor import Extractor

DEFAULT_SAM2 = "configs/sam2.1/sam2.1_hiera_t.yaml@512"
DEFAULT_TIMM = "vit_small_patch14_dinov2"
DEFAULT_SWIN = "48"


@dataclass(frozen=True)
class ExtractorOptions:
    """How to build an extractor; plain values, so that every process of a cohort builds its own.

    Attributes:
        name: ``"NAME"`` or ``"NAME:ARGUMENT"``, see ``EXTRACTORS``; name or folder of a model package alone will do.
        checkpoint: local weights, where the kind needs them.
        known: names of label values, for kinds that read label maps.
    """

    name: str
    checkpoint: Path | None = None
    device: str | None = None
    engine: str = "auto"
    threads: int | None = None
    known: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Files and folders are kept as absolute paths, because another process may run elsewhere."""
        kind, mark, argument = self.name.rpartition(":")
        if kind in ("", "package", "crossfit") and Path(argument).is_dir():
            object.__setattr__(self, "name", f"{kind}{mark}{Path(argument).absolute()}")
        if self.checkpoint is not None:
            object.__setattr__(self, "checkpoint", Path(self.checkpoint).absolute())


def create_extractor(options: ExtractorOptions) -> Extractor:
    """Build an extractor.

    Raises:
        InputError: an unknown name, or a checkpoint that is missing (the sentence names the path) or does not fit.
        PackageError, EngineError: the model or a package that it needs is not there.
    """
    name, _, argument = options.name.partition(":")
    if name in EXTRACTORS:
        return EXTRACTORS[name](argument, options)
    try:
        find_folder(options.name)
    except PackageError as error:
        known = ", ".join(sorted(EXTRACTORS))
        raise InputError(
            f"There is no network '{options.name}' to score with. Choose a model package, or one of: {known}."
        ) from error
    return _package(options.name, options)


def _package(argument: str, options: ExtractorOptions) -> Extractor:
    package = without_head(find_package(argument))
    return ClassLogits(package, create_engine(package, options.engine, options.device, options.threads))


def _crossfit(argument: str, options: ExtractorOptions) -> Extractor:
    """Every package inside a folder is one fold."""
    folder = Path(argument)
    roots = sorted(root for root in folder.iterdir() if is_package(root)) if folder.is_dir() else []
    if not roots:
        raise InputError(f"There are no model packages in the folder {argument}; cross-fitting needs one a fold.")
    folds = [without_head(find_package(root)) for root in roots]
    engines = [create_engine(fold, options.engine, options.device, options.threads) for fold in folds]
    return CrossFitted(tuple(ClassLogits(fold, engine) for fold, engine in zip(folds, engines, strict=True)))


def _timm(argument: str, options: ExtractorOptions) -> Extractor:
    checkpoint = require_checkpoint(options.checkpoint, options.name)
    from .dense_features import timm_features

    return timm_features(argument or DEFAULT_TIMM, checkpoint, options.known, options.device)


def _swin(argument: str, options: ExtractorOptions) -> Extractor:
    checkpoint = require_checkpoint(options.checkpoint, options.name)
    from .dense_features import swin_features

    if not (argument or DEFAULT_SWIN).isdigit():
        raise InputError(f"swinunetr:{argument} is no feature size; give a whole number such as swinunetr:48.")
    return swin_features(int(argument or DEFAULT_SWIN), checkpoint, options.known, options.device)


def _sam2(argument: str, options: ExtractorOptions) -> Extractor:
    checkpoint = require_checkpoint(options.checkpoint, options.name)
    from .promptable import sam2_extractor

    return sam2_extractor(argument or DEFAULT_SAM2, checkpoint, options.known, options.device)


def _mask_control(name: str) -> Callable[[str, ExtractorOptions], Extractor]:
    return lambda argument, options: MaskControl(name, MASK_CONTROLS[name], options.known)


EXTRACTORS: dict[str, Callable[[str, ExtractorOptions], Extractor]] = {
    "package": _package,
    "crossfit": _crossfit,
    "sam2": _sam2,
    "timm": _timm,
    "swinunetr": _swin,
    "control-random": lambda argument, options: RandomNetwork(),
    **{name: _mask_control(name) for name in MASK_CONTROLS},
}
