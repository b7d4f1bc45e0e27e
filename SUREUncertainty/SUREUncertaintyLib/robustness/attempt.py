"""A series, or why there is none, as a sentence."""

from __future__ import annotations

from ..core.errors import Cancelled, PackageError, SureError
from ..core.progress import Progress, silent
from ..corruptions.corruption import NotApplicable
from .results import SeriesResult
from .series import OpenCase, SeriesOptions, run_series


def attempt_series(
    opened: OpenCase, corruption: str, options: SeriesOptions, progress: Progress = silent, alone: bool = False
) -> SeriesResult:
    """Run a series; a failure is recorded in it, unless it stands ``alone``: then it is raised.

    Raises:
        PackageError: the model itself cannot be run. Cancelled: finished levels are kept.
    """
    case = opened.case
    try:
        return run_series(opened, corruption, options, progress)
    except Cancelled:
        raise Cancelled(
            "The run was cancelled. Finished levels are kept; the same command goes on from there."
        ) from None
    except PackageError:
        raise
    except NotApplicable as error:
        if alone:
            raise
        return SeriesResult(case.id, case.group, corruption, case.split, skipped=str(error))
    except SureError as error:
        if alone:
            raise
        return SeriesResult.failed(case, corruption, str(error))
    except Exception as error:  # one broken case never stops the rest
        if alone:
            raise
        text = f"The case {case.id} could not be run ({type(error).__name__}: {error})."
        return SeriesResult.failed(case, corruption, text)
