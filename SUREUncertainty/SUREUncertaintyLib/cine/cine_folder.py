"""The folder of a scan over time: curve, numbers, label maps of all frames, and both phases as ordinary results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from ..core.progress import IsCancelled, Progress, never, part_of, raise_if_cancelled, silent
from ..core.resampling import to_itk
from ..core.volume import Volume
from ..core.volume_sequence import VolumeSequence
from ..files.writing import write_image
from ..report.result_folder import OutputOptions, write_results
from .chart import draw_curve
from .cine_record import describe_cine, write_record
from .cine_result import CineResult
from .page import write_page
from .phase_picture import draw_phases

if TYPE_CHECKING:
    from ..packages.package import Package

END_DIASTOLE, END_SYSTOLE = "end-diastole", "end-systole"
LABELS, UNCERTAINTY = "segmentation.nii.gz", "uncertainty.nii.gz"

AddToCine = Callable[[CineResult, Path], Sequence[str]]
"""Writes more files of a scan over time into its folder, for instance a scene; what there is to say about it."""


def write_cine(
    result: CineResult,
    folder: Path,
    package: Package | None,
    wanted: OutputOptions | None = None,
    additions: Sequence[AddToCine] = (),
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> dict[str, Any]:
    """Write everything into an empty folder, best that of ``files.writing.OutputFolder``.

    Returns:
        The content of ``cine.json``.

    Raises:
        OutputError: a file cannot be written. Cancelled.
    """
    wanted = wanted or OutputOptions()
    document = describe_cine(result)
    progress(0.0, "writing frames")
    _write_frames(result.labels, result.sequence, folder / LABELS)
    _write_frames(result.uncertainty.astype(np.float32), result.sequence, folder / UNCERTAINTY)
    curve = draw_curve(document, folder) if wanted.pictures else None
    slices = draw_phases(result, folder) if wanted.pictures else None
    phases = ((END_DIASTOLE, result.end_diastole), (END_SYSTOLE, result.end_systole))
    for number, (name, phase) in enumerate(phases):
        (folder / name).mkdir()
        share = part_of(progress, 0.2 + 0.3 * number, 0.5 + 0.3 * number)
        write_results(phase, folder / name, package, wanted, (), share, is_cancelled)
    said: list[str] = []
    for add in additions:
        raise_if_cancelled(is_cancelled)
        progress(0.85, "writing the scene")
        said += add(result, folder)
    document["notices"] = said
    write_record(document, folder)
    if wanted.page:
        write_page(document, curve, slices, folder)
    return document


def _write_frames(frames: NDArray[Any], sequence: VolumeSequence, path: Path) -> None:
    """A 4D file with time as its last axis, in seconds where the times are known."""
    image = sitk.JoinSeries([to_itk(Volume(frame, sequence.grid)) for frame in frames])
    times = sequence.times_ms
    step = (times[-1] - times[0]) / (len(times) - 1) / 1000 if times else 1.0
    image.SetSpacing((*sequence.grid.spacing, max(step, 1e-6)))
    write_image(image, path)
