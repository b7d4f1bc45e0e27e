"""A result that is not on disk yet, exported by way of a folder that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..inference.result import SegmentationResult
from ..report.result_folder import OutputOptions, write_maps, write_results
from ..report.run_record import describe_result, write_document
from .export_result import ExportJob, export_result
from .formats import ExportFormat

if TYPE_CHECKING:
    from ..packages.package import Package

NO_PICTURES = "The report has no pictures, because matplotlib is not installed."


def export_directly(
    result: SegmentationResult,
    package: Package | None,
    output: Path,
    formats: Sequence[ExportFormat],
    source: Sequence[Path] = (),
) -> tuple[str, ...]:
    """Write a result in the formats; arguments, sentences and errors as for ``export_result``.

    Args:
        package: the model, which the report tells about; None without ``ExportFormat.HTML``, or where no model drew it.
    """
    wants_page = ExportFormat.HTML in formats
    can_draw = find_spec("matplotlib") is not None
    with tempfile.TemporaryDirectory(prefix="sure-export-") as scratch:
        folder = Path(scratch) / "result"
        folder.mkdir()
        if wants_page and (package is not None or not result.has_model):
            write_results(result, folder, package, OutputOptions(pictures=can_draw))
        else:
            write_maps(result, folder)
            write_document(describe_result(result), folder)
        notes = export_result(ExportJob(folder, output, formats, source))
    return notes if can_draw or not wants_page else (*notes, NO_PICTURES)
