"""Given masks or probability maps into a folder of results, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.progress import IsCancelled, Progress, never, part_of, silent
from ..files.writing import OutputFolder
from ..report.additions import Add
from ..report.result_folder import OutputOptions, write_results
from .analyse import FusionInput, analyse_masks, analyse_probabilities

ANALYSING = 0.6
"""Share of the progress that reading and counting take; writing takes the rest."""


@dataclass(frozen=True)
class FusionJob:
    """What to analyse and where the results go.

    Attributes:
        masks: whether the files are label maps; else they are probability maps.
        overwrite: whether earlier results in ``output`` may be replaced.
    """

    given: FusionInput
    masks: bool
    output: Path
    overwrite: bool = False
    wanted: OutputOptions = field(default_factory=OutputOptions)


def run_fusion(
    job: FusionJob, additions: Sequence[Add] = (), progress: Progress = silent, is_cancelled: IsCancelled = never
) -> dict[str, Any]:
    """Analyse and write. The output folder is claimed first.

    Returns:
        The content of ``report.json``.

    Raises:
        InputError, OutputError, Cancelled: nothing was written.
    """
    analyse = analyse_masks if job.masks else analyse_probabilities
    with OutputFolder(job.output, job.overwrite) as folder:
        result = analyse(job.given, part_of(progress, 0.0, ANALYSING), is_cancelled)
        writing = part_of(progress, ANALYSING, 1.0)
        document = write_results(result, folder, None, job.wanted, additions, writing, is_cancelled)
    progress(1.0, "done")
    return document
