"""The worker's command ``fit``: a model of the user's and scans in, the model's new version out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.errors import EngineError
from ..core.progress import IsCancelled, Progress
from .training import NEEDS


def fit_uncertainty(arguments: dict[str, Any], progress: Progress, is_cancelled: IsCancelled) -> dict[str, Any]:
    """Fit a head on a model's network, or go on with a fit that was stopped.

    Args:
        arguments: ``model``, its name or folder; ``scans``, a folder or table; ``output``, the folder of the fit.

    Returns:
        ``model``, its name; ``accepted`` and ``sentence``, whether the head is in it and why; ``left_out``, scans by
        name with the reason; ``page``, the report.

    Raises:
        InputError, EngineError, PackageError, OutputError, Cancelled.
    """
    try:
        from ..fitting.fit import fit_model
        from ..fitting.page import FILE
        from ..packages.catalogue import find_package
    except ImportError as error:
        raise EngineError(NEEDS.format(name=error.name)) from error
    package, output = find_package(arguments["model"]), Path(arguments["output"])
    found = fit_model(package, Path(arguments["scans"]), output, progress=progress, is_cancelled=is_cancelled)
    judged = {"accepted": found.judgement.accepted, "sentence": found.judgement.sentence}
    return {"model": found.package.name, **judged, "left_out": found.left_out, "page": str(output / FILE)}
