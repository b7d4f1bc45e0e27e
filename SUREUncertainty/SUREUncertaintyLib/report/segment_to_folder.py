"""One run from a scan to a folder of results, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.progress import IsCancelled, Progress, never, part_of, silent
from ..core.roi import Roi
from ..core.volume import Volume
from ..files.writing import OutputFolder
from ..inference.engine import Engine
from ..inference.engine_choice import create_engine
from ..inference.sampling.samples_result import SamplingOptions
from ..inference.segmenter import segment
from ..inference.turned import Turn
from .additions import Add
from .result_folder import OutputOptions, write_results

if TYPE_CHECKING:
    from ..packages.package import Package

SEGMENTING = 0.8
"""Share of the progress that the segmentation takes; writing takes the rest."""


@dataclass(frozen=True)
class Job:
    """What to run and where the results go.

    Attributes:
        engine, device: as for ``create_engine``; not looked at when there is a ``runner``.
        overwrite: whether earlier results in ``output`` may be replaced.
        sampling, turn: as for ``segment``.
        runner: an engine that is ready, for instance that of an estimator, whose package is ``package``.
        channels: as for ``segment``.
    """

    volume: Volume
    package: Package
    output: Path
    rois: Sequence[Roi] = ()
    engine: str = "auto"
    device: str | None = None
    overwrite: bool = False
    wanted: OutputOptions = field(default_factory=OutputOptions)
    sampling: SamplingOptions | None = None
    runner: Engine | None = None
    channels: Mapping[str, Volume] = field(default_factory=dict)
    turn: Turn | None = None


def run_job(
    job: Job, additions: Sequence[Add] = (), progress: Progress = silent, is_cancelled: IsCancelled = never
) -> dict[str, Any]:
    """Segment and write. The output folder is claimed first, so that a run is not lost to a mistyped path.

    Returns:
        The content of ``report.json``.

    Raises:
        InputError, PackageError, EngineError, OutputError, Cancelled: nothing was written.
    """
    with OutputFolder(job.output, job.overwrite) as folder:
        progress(0.0, "loading the model")
        engine = job.runner or create_engine(job.package, job.engine, job.device)
        result = segment(
            job.volume,
            job.package,
            engine,
            job.rois,
            progress=part_of(progress, 0.0, SEGMENTING),
            is_cancelled=is_cancelled,
            sampling=job.sampling,
            channels=job.channels,
            turn=job.turn,
        )
        writing = part_of(progress, SEGMENTING, 1.0)
        document = write_results(result, folder, job.package, job.wanted, additions, writing, is_cancelled)
    progress(1.0, "done")
    return document
