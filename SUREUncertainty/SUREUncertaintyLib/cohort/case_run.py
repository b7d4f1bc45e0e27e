"""One case of a cohort: segmented into a folder of its own, by whichever process or machine takes it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import Cancelled, PackageError, SureError
from ..evaluation.cases import Case
from ..evaluation.progress_file import ProgressFile
from ..files.reading import read_volume
from ..inference.estimation.model_options import ModelOptions, open_model
from ..inference.result import SegmentationResult
from ..inference.turned import Turn
from ..location.choice import chosen_boxes
from ..quality.true_scores import dice_with_label
from ..report.additions import Add, Addition, Finish
from ..report.result_folder import OutputOptions
from ..report.run_record import describe_result
from ..report.segment_to_folder import Job, run_job
from .case_folder import RECORD
from .case_row import CaseRow, case_row
from .thumbnail import draw_thumbnail

if TYPE_CHECKING:
    from ..packages.package import Package


@dataclass(frozen=True)
class CohortJob:
    """A case as it travels: paths and parameters, never voxels.

    Attributes:
        folder: where its result goes.
        pictures: whether the report has pictures; they take longer than a small network.
        additions: further writers, such as the scene's.
    """

    case: Case
    model: ModelOptions
    folder: Path
    pictures: bool = True
    additions: tuple[Add, ...] = ()


def run_case(job: CohortJob) -> CaseRow:
    """Segment a case; one that cannot be segmented comes back with its sentence.

    Raises:
        PackageError: the model itself cannot be run. Cancelled.
    """
    try:
        return _run(job)
    except (Cancelled, PackageError):
        raise
    except SureError as error:
        return CaseRow.failed(job.case, str(error))
    except Exception as error:  # one broken case never stops the rest
        text = f"The case {job.case.id} could not be segmented ({type(error).__name__}: {error})."
        return CaseRow.failed(job.case, text)


def _run(job: CohortJob) -> CaseRow:
    opened, case = open_model(job.model), job.case
    key = ProgressFile.key(case)  # before the scan is read: what changes afterwards is found out
    scan = read_volume(case.image)
    boxes = chosen_boxes((case.roi,) if case.roi else (), scan, opened.package)
    record = AddRecord(case, key, job.folder.name, opened.package, boxes.turn)
    work = Job(
        scan,
        opened.package,
        job.folder,
        boxes.rois,
        overwrite=True,
        wanted=OutputOptions(pictures=job.pictures),
        runner=opened.engine,
        turn=boxes.turn,
    )
    run_job(work, (*job.additions, record))
    return CaseRow.from_json(json.loads((job.folder / RECORD).read_text(encoding="utf-8"))["row"])


@dataclass(frozen=True, eq=False)
class AddRecord:
    """Puts the thumbnail and the case's record into its folder, with which it counts as finished."""

    case: Case
    key: str
    name: str
    package: Package
    turn: Turn | None

    def __call__(self, result: SegmentationResult, folder: Path) -> Finish:
        """See ``report.additions.Add``."""
        return partial(self._finish, folder)

    def _finish(self, folder: Path, result: SegmentationResult) -> Addition:
        scores = dice_with_label(self.case, result, self.package, self.turn)
        draw_thumbnail(result, folder)
        row = case_row(self.case, self.name, describe_result(result), scores)
        document = {"id": self.case.id, "key": self.key, "row": row.to_json()}
        (folder / RECORD).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        return Addition()
