"""Which model runs and how, as plain values that travel to another process or machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...core.errors import PackageError
from ...core.tasks import threads_of_worker
from .estimator_choice import Estimate, create_estimator


@dataclass(frozen=True)
class ModelOptions:
    """Arguments of ``create_estimator``.

    Attributes:
        fingerprint: of the model that the run began with; another one under the same name is refused.
        threads: of the processor; None takes as many as a Dask worker has, or leaves it to the engine.
    """

    model: str
    estimator: str = "native"
    engine: str = "auto"
    device: str | None = None
    seed: int = 0
    fingerprint: str = ""
    threads: int | None = None

    def __post_init__(self) -> None:
        """A folder is kept as an absolute path, because another process may run elsewhere."""
        if Path(self.model).is_dir():
            object.__setattr__(self, "model", str(Path(self.model).absolute()))


@lru_cache(maxsize=1)
def open_model(options: ModelOptions) -> Estimate:
    """The model, loaded once a process; inside a Dask worker on as many threads as the worker has.

    Raises:
        InputError, PackageError, EngineError: as ``create_estimator``; PackageError also for other weights.
    """
    threads = options.threads or threads_of_worker()
    opened = create_estimator(
        options.estimator, options.model, options.engine, options.device, threads, seed=options.seed
    )
    if options.fingerprint not in ("", opened.package.fingerprint):
        raise PackageError(
            f"The model '{options.model}' on this worker is another one than on the machine that started the run. "
            "Put the same package there."
        )
    return opened
