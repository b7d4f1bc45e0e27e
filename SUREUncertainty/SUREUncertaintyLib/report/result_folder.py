"""The files of one run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.progress import IsCancelled, Progress, never, raise_if_cancelled, silent
from ..files.segment_header import write_segmentation
from ..files.writing import write_volume
from ..inference.result import SegmentationResult
from .additions import Add, Picture
from .members import write_members
from .result_page import write_page
from .result_tables import write_regions, write_structures
from .run_record import describe_result, write_document
from .sample_files import write_sampling
from .sample_pictures import draw_samples
from .slice_pictures import draw_slices

if TYPE_CHECKING:
    from ..packages.package import Package

MODEL_CARD = "model-card.md"


@dataclass(frozen=True)
class OutputOptions:
    """Which optional parts to write; tables, maps and ``report.json`` always are."""

    pictures: bool = True
    page: bool = True


def write_results(
    result: SegmentationResult,
    folder: Path,
    package: Package | None,
    wanted: OutputOptions | None = None,
    additions: Sequence[Add] = (),
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> dict[str, Any]:
    """Write segmentation, maps, tables, pictures, ``report.html`` and ``report.json``.

    Args:
        folder: an empty folder, best that of ``files.writing.OutputFolder``, which keeps it only when all went well.
        package: the model, for its card; None for results that were made from given masks or probabilities.
        additions: further writers; their pictures and notices enter the report.

    Returns:
        The content of ``report.json``.

    Raises:
        OutputError: a file cannot be written. Cancelled.
    """
    wanted = wanted or OutputOptions()
    progress(0.0, "writing maps and tables")
    write_maps(result, folder)
    unfinished = [add(result, folder) for add in additions]
    pictures: list[Picture] = []
    if wanted.pictures:
        raise_if_cancelled(is_cancelled)
        progress(0.2, "drawing slices")
        pictures += draw_slices(result, folder)
        pictures += draw_samples(result, folder)
    for finish in unfinished:
        raise_if_cancelled(is_cancelled)
        progress(0.5, "writing the scene")
        added = finish(result)
        pictures += added.pictures
        result = replace(result, notices=(*result.notices, *added.notices))
    raise_if_cancelled(is_cancelled)
    progress(0.9, "writing the report")
    document = describe_result(result)
    if wanted.page:
        if package is not None:
            _copy_card(package, folder)
        write_page(document, None if package is None else package.metadata, pictures, folder)
    return write_document(document, folder)


def write_maps(result: SegmentationResult, folder: Path) -> None:
    """Segmentation, uncertainty maps and tables, as every run writes them. Raises ``OutputError``."""
    write_segmentation(result.labels, result.label_set, folder / "segmentation.seg.nrrd")
    write_volume(result.uncertainty, folder / "uncertainty.nrrd")
    write_volume(result.entropy, folder / "entropy.nrrd")
    write_structures(result.structures, folder / "structures.csv")
    write_regions(result.regions, folder / "regions.csv")
    if result.sampling is not None:
        write_sampling(result.sampling, result.label_set, folder)
    if result.members is not None:
        write_members(result.members, folder)


def _copy_card(package: Package, folder: Path) -> None:
    card = package.root / "docs" / "README.md"
    if card.is_file():
        (folder / MODEL_CARD).write_bytes(card.read_bytes())
