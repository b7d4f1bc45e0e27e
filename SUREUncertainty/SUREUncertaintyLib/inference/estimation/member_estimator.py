"""What an estimator means for a package of another program: a choice of its passes, or copies of its one network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...arrays.heads import create_head
from ...core.errors import InputError
from ..engine import Engine
from ..engine_choice import create_engine, create_member_engine
from ..native.choice import MemberChoice
from ..native.engine import MemberEngine
from .averaged_engine import AveragedEngine
from .dropout import PASSES, monte_carlo_dropout
from .variation import CHANGES, varied_passes

if TYPE_CHECKING:
    from ...packages.package import Package


def create_member_estimator(
    package: Package,
    name: str,
    engine: str,
    device: str | None,
    threads: int | None,
    passes: int | None,
    seed: int,
    choice: MemberChoice | None,
) -> MemberEngine:
    """The engine of an estimator; arguments as for ``estimator_choice.create_estimator``.

    With folds or mirrored passes an estimator chooses among them. A single network runs on varied copies (``tta``:
    other contrasts and scales; not mirrored, as its axes need not be the patient's) or with its dropout on.

    Raises:
        InputError: what the package's kind cannot run.
    """
    pipeline = package.metadata.pipeline
    assert pipeline is not None
    is_single = len(pipeline.members) == 1 and not pipeline.mirror_axes
    if name not in ("tta", "dropout") or (name == "tta" and not is_single):
        return create_member_engine(package, engine, device, threads, name, choice)
    if not is_single:
        raise InputError(
            f"The model '{package.metadata.name}' has folds and mirrored passes instead of dropout. "
            "Choose the estimator 'native', 'ensemble', 'tta' or 'softmax'."
        )
    if pipeline.regions:
        raise InputError(
            f"The classes of '{package.metadata.name}' overlap, so that '{name}' cannot average them. Choose 'native'."
        )
    count = len(CHANGES) if name == "tta" else PASSES if passes is None else passes
    head = create_head(package.metadata.head)

    def start(one: Package) -> AveragedEngine:
        base: Engine = create_engine(
            one, "torch" if name == "dropout" and engine == "auto" else engine, device, threads
        )
        if name == "tta":
            return varied_passes(base, head, CHANGES)
        return monte_carlo_dropout(one, base, head, seed, count)

    return MemberEngine(package, start, name, choice, count, lambda one: create_engine(one, engine, device, threads))
