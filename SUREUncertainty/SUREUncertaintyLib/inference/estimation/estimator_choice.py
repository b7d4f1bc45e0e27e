"""Which estimator makes the probabilities and the uncertainty: one interface, each with the number of passes it costs.

========  ===========================================  =================
name      uncertainty                                        passes a window
========  ===========================================  =================
native    the package's own kind                       1
softmax   entropy of the class probabilities           1
dropout   entropy of the mean over dropout masks       20 (torch only)
tta       entropy of the mean over varied copies       10, or 5
ensemble  entropy of the mean over packages            one a package
========  ===========================================  =================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...arrays.heads import Head, create_head
from ...core.errors import InputError
from ...core.progress import IsCancelled, Progress, never, silent
from ..engine import Engine
from ..engine_choice import create_engine
from ..fitted_run import head_of, without_head
from ..native.choice import MemberChoice
from ..network_run import run_network
from ..sampling.encoding import has_latents
from .averaged_engine import AveragedEngine, single_pass
from .dropout import PASSES, monte_carlo_dropout
from .ensemble import ensemble, fingerprint, load_members
from .member_estimator import create_member_estimator
from .variation import variations, varied_passes

if TYPE_CHECKING:
    from ...packages.package import Package

ESTIMATORS = ("native", "softmax", "dropout", "tta", "ensemble")


@dataclass(frozen=True, eq=False)
class Estimate:
    """A package and an engine that together are an estimator: give both to ``segment``, or call it on an image.

    Attributes:
        package: as loaded; reading mean probabilities and their entropy unless ``name`` is ``"native"``.
        engine: one pass, or all of them behind one call.
        name: one of ``ESTIMATORS``; passes: runs of a network a window.
    """

    package: Package
    engine: Engine
    name: str = "native"
    passes: int = 1

    @property
    def head(self) -> Head:
        """Reads what a call returns: the package's own head, or that of mean probabilities."""
        return head_of(self.package, self.engine)

    def __call__(
        self, image: NDArray[np.float32], progress: Progress = silent, is_cancelled: IsCancelled = never
    ) -> NDArray[np.float32]:
        """As ``run_network``."""
        return run_network(image, self.package, self.engine, self.head, progress, is_cancelled)


def create_estimator(
    name: str,
    model: str | Path,
    engine: str = "auto",
    device: str | None = None,
    threads: int | None = None,
    passes: int | None = None,
    seed: int = 0,
    choice: MemberChoice | None = None,
) -> Estimate:
    """Load a model and run it by an estimator.

    Args:
        name: one of ``ESTIMATORS``.
        model: name in the catalogue or a package's folder; for ``"ensemble"`` a folder of packages.
        engine, device, threads: as for ``choose.create_engine``; ``"auto"`` is torch for dropout.
        passes, seed: of dropout; the others have a fixed number of passes and draw nothing.
        choice: folds and mirrors of a model that holds several networks; None leaves them to the estimator.

    Raises:
        InputError: unknown estimator, or one that the engine or the model's kind cannot run.
        PackageError: unknown or broken package, no ensemble, or a network that the estimator cannot use.
        EngineError: the engine is not available.
    """
    from ...packages.catalogue import find_package
    from ...packages.package import is_package

    check_estimator(name)
    if name == "ensemble" and not is_package(Path(model)) and Path(model).is_dir():
        members = [without_head(member) for member in load_members(Path(model))]
        return estimate_ensemble(members, [create_engine(member, engine, device, threads) for member in members])
    package = find_package(str(model))
    if name != "native":
        package = without_head(package)
    if package.metadata.pipeline is not None:
        runner = create_member_estimator(package, name, engine, device, threads, passes, seed, choice)
        return Estimate(package, runner, name, runner.passes)
    if choice:
        raise InputError(
            f"The model '{package.metadata.name}' holds one network, so that there are no folds or mirrors to choose."
        )
    chosen = "torch" if name == "dropout" and engine == "auto" else engine
    return estimate(package, create_engine(package, chosen, device, threads), name, passes, seed)


def estimate(package: Package, engine: Engine, name: str, passes: int | None = None, seed: int = 0) -> Estimate:
    """An estimator over a loaded package and its engine; see ``create_estimator``."""
    check_estimator(name)
    if name == "native":
        return Estimate(package, engine)
    if engine.scales:
        raise ValueError(f"the estimator {name} needs an engine without a fitted head")
    if name == "ensemble":
        raise InputError("An ensemble is a folder of packages; one package is not enough.")
    _refuse_latents(package, name)
    head = create_head(package.metadata.head)
    if name == "softmax":
        return _averaged(package, single_pass(engine, head))
    if name == "tta":
        return _averaged(package, varied_passes(engine, head, variations(package.metadata)))
    return _averaged(package, monte_carlo_dropout(package, engine, head, seed, PASSES if passes is None else passes))


def estimate_ensemble(members: Sequence[Package], engines: Sequence[Engine]) -> Estimate:
    """An ensemble of loaded packages and their engines; facts other than the weights are the first one's."""
    for member in members:
        _refuse_latents(member, "ensemble")
    runner = ensemble(engines, [create_head(member.metadata.head) for member in members])
    return _averaged(replace(members[0], fingerprint=fingerprint(members)), runner)


def check_estimator(name: str) -> None:
    """Raise ``InputError`` for an estimator that does not exist."""
    if name not in ESTIMATORS:
        raise InputError(f"There is no estimator '{name}'. Choose one of: {', '.join(ESTIMATORS)}.")


def _averaged(package: Package, engine: AveragedEngine) -> Estimate:
    metadata = replace(package.metadata.without_fit(), head="softmax", primary="entropy", kinds=("entropy",))
    return Estimate(replace(package, metadata=metadata), engine, engine.estimator, engine.passes)


def _refuse_latents(package: Package, estimator: str) -> None:
    if has_latents(package.metadata):
        raise InputError(
            f"The model '{package.metadata.name}' draws samples by itself, so that '{estimator}' is not possible. "
            "Choose the estimator 'native'."
        )
