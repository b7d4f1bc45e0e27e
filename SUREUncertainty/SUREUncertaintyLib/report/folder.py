"""The files of one run."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from ..analysis.rows import Notice
from ..core.progress import IsCancelled
from ..core.progress import Progress
from ..core.progress import never
from ..core.progress import raise_if_cancelled
from ..core.progress import silent
from ..core.segment_header import write_segmentation
from ..core.writing import write_volume
from ..inference.result import SegmentationResult
from .document import describe_result
from .document import write_document
from .page import write_page
from .sample_pictures import draw_samples
from .sampling import write_sampling
from .slices import Picture
from .slices import draw_slices
from .tables import write_regions
from .tables import write_structures

if TYPE_CHECKING:
    from ..packages.package import Package

MODEL_CARD = "model-card.md"


@dataclass(frozen=True)
class Addition:
    """What a layer above put into the folder: pictures for the report, and what there is to say about it."""

    pictures: tuple[Picture, ...] = ()
    notices: tuple[Notice, ...] = ()


Add = Callable[[SegmentationResult, Path], Addition]
"""Writes more files of a result into a folder, for instance a scene."""


@dataclass(frozen=True)
class Wanted:
    """Which optional parts to write; tables, maps and ``report.json`` always are."""

    pictures: bool = True
    page: bool = True


def write_results(
    result: SegmentationResult,
    folder: Path,
    package: Package,
    wanted: Wanted | None = None,
    additions: Sequence[Add] = (),
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> dict[str, Any]:
    """Write segmentation, maps, tables, pictures, ``report.html`` and ``report.json``.

    Args:
        folder: an empty folder, best that of ``core.writing.OutputFolder``, which keeps it only when all went well.
        package: the model, for its card.
        additions: further writers; their pictures and notices enter the report.

    Returns:
        The content of ``report.json``.

    Raises:
        OutputError: a file cannot be written. Cancelled.
    """
    wanted = wanted or Wanted()
    progress(0.0, "writing maps and tables")
    write_maps(result, folder)
    pictures: list[Picture] = []
    if wanted.pictures:
        raise_if_cancelled(is_cancelled)
        progress(0.2, "drawing slices")
        pictures += draw_slices(result, folder)
        pictures += draw_samples(result, folder)
    for add in additions:
        raise_if_cancelled(is_cancelled)
        progress(0.5, "writing the scene")
        added = add(result, folder)
        pictures += added.pictures
        result = replace(result, notices=(*result.notices, *added.notices))
    raise_if_cancelled(is_cancelled)
    progress(0.9, "writing the report")
    document = describe_result(result)
    if wanted.page:
        _copy_card(package, folder)
        write_page(document, package.metadata, pictures, folder)
    return write_document(document, folder)


def write_maps(result: SegmentationResult, folder: Path) -> None:
    """Segmentation, maps of doubt and tables, as every run writes them. Raises ``OutputError``."""
    write_segmentation(result.labels, result.label_set, folder / "segmentation.seg.nrrd")
    write_volume(result.uncertainty, folder / "uncertainty.nrrd")
    write_volume(result.entropy, folder / "entropy.nrrd")
    write_structures(result.structures, folder / "structures.csv")
    write_regions(result.regions, folder / "regions.csv")
    if result.sampling is not None:
        write_sampling(result.sampling, result.label_set, folder)


def _copy_card(package: Package, folder: Path) -> None:
    card = package.root / "docs" / "README.md"
    if card.is_file():
        (folder / MODEL_CARD).write_bytes(card.read_bytes())
