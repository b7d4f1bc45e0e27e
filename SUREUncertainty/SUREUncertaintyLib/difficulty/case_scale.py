"""The difficulty of one scan of a cohort, and the job that finds it out in whatever process it runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..analysis.auv import mean_scale
from ..analysis.image_measures import measure_scan
from ..analysis.perception_scale import Centring, perception_scale
from ..core.errors import InputError, SureError
from ..core.plain_json import plain
from ..core.resampling import on_voxels_of
from ..core.roi import roi_slices
from ..core.tasks import threads_of_worker
from ..core.volume import Volume
from ..evaluation.cases import Case
from ..evaluation.scored_region import ScoredRegion
from ..files.reading import read_labels, read_volume
from .damage import IMAGE_DAMAGE, damage_image, damage_labels
from .extractors.extractor import ClassMap, Extractor, label_values
from .extractors.registry import ExtractorOptions, create_extractor

NAN = float("nan")


@dataclass(frozen=True)
class ScaleOptions:
    """The toggles of S."""

    power: int = 2
    center: Centring = "none"


@dataclass(frozen=True)
class CaseScale:
    """One scan.

    Attributes:
        scales: S by class, NaN where undefined; ``reasons`` say why.
        volumes_ml: volume by class of the label map, where there is one.
        measures: see ``measures.measure_scan``.
        rank: r by class.
        seen: whether the extractor's network was trained on the scan.
        error: the sentence of a scan that failed; everything else is then empty.
    """

    id: str
    group: str
    split: str = ""
    scales: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    volumes_ml: dict[str, float] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)
    rank: dict[str, int] = field(default_factory=dict)
    seen: bool = False
    error: str = ""

    @classmethod
    def failed(cls, case: Case, sentence: str) -> CaseScale:
        """What stands in the place of a scan that could not be scored."""
        return cls(case.id, case.group, case.split, error=sentence)

    @property
    def scale(self) -> float:
        """S of the scan: the mean over its valid classes."""
        return mean_scale(self.scales.values())

    @property
    def volume_ml(self) -> float:
        """Volume of all classes together; NaN without a label map."""
        return float(sum(self.volumes_ml.values())) if self.volumes_ml else NAN

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; NaN becomes None."""
        scales = plain(self.scales)
        return {**asdict(self), "scales": scales}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> CaseScale:
        """The inverse of ``to_json``."""
        scales = {name: NAN if value is None else float(value) for name, value in document["scales"].items()}
        return cls(**{**document, "scales": scales})


@dataclass(frozen=True)
class Job:
    """One scan to score, as it travels to a process: paths and parameters, never voxels.

    Attributes:
        damage: kind of damage to do first, empty for none; see ``damage``.
    """

    case: Case
    extractor: ExtractorOptions
    scale: ScaleOptions
    damage: str = ""
    seed: int = 0


def run_job(job: Job) -> CaseScale:
    """Score one scan; a scan that cannot be scored comes back with its sentence."""
    case = job.case
    try:
        return score_case(job, _extractor(_text(job.extractor)))
    except SureError as error:
        return CaseScale.failed(case, str(error))
    except Exception as error:  # one broken scan never stops the rest
        text = f"The scan {case.id} could not be scored ({type(error).__name__}: {error})."
        return CaseScale.failed(case, text)


def score_case(job: Job, extractor: Extractor) -> CaseScale:
    """S of every class of one scan; it depends on this scan and the extractor alone.

    Raises:
        InputError: a file is missing, or the label does not lie on the scan.
    """
    case = job.case
    if case.roi and extractor.centred:
        raise InputError(
            f"The network sees a window around the middle of a box, so it cannot score the box of '{case.id}' cut "
            "out of its scan. Leave out the column roi and give scans of about the size of the window."
        )
    scan, labels = read_case(case)
    if job.damage in IMAGE_DAMAGE:
        scan = damage_image(scan, job.damage, case.id, job.seed)
    elif job.damage and labels is not None:
        labels = damage_labels(labels, job.damage, case.id, job.seed)
    found = CaseScale(case.id, case.group, case.split, seen=extractor.seen(case.id))
    for class_map in extractor.extract(scan, labels, case.id):
        _add(found, class_map, job.scale)
    volumes = _volumes(labels, extractor.known)
    mask = None if labels is None else labels.array
    return replace(found, volumes_ml=volumes, measures=measure_scan(scan.array, mask, scan.grid.voxel_volume_mm3))


def _add(found: CaseScale, class_map: ClassMap, options: ScaleOptions) -> None:
    name = class_map.name
    if class_map.score is not None:
        found.scales[name] = class_map.score
    elif class_map.matrix is None:
        found.scales[name], found.reasons[name] = NAN, class_map.reason
    else:
        scale = perception_scale(class_map.matrix, options.power, options.center)
        found.scales[name], found.rank[name] = scale.value, scale.rank
        if scale.reason:
            found.reasons[name] = scale.reason


def read_case(case: Case) -> tuple[Volume, Volume | None]:
    """Scan and labels, or the box of them that the case names. Raises InputError when a file or box cannot be used."""
    scan, region = read_volume(case.image), case.region
    part = None if region is None else ScoredRegion(roi_slices(scan.grid, region))
    if case.label is None:
        return scan if part is None else part.of_volume(scan), None
    labels = on_voxels_of(read_labels(case.label), scan.grid)
    if labels is None:
        raise InputError(f"The label {case.label.name} does not lie on the voxels of {case.image.name}.")
    return (scan, labels) if part is None else (part.of_volume(scan), part.of_volume(labels))


def _volumes(labels: Volume | None, known: dict[int, str]) -> dict[str, float]:
    if labels is None:
        return {}
    voxel_ml = labels.grid.voxel_volume_mm3 / 1000.0
    values = label_values(labels)
    return {
        known.get(value, f"label {value}"): float(np.count_nonzero(labels.array == value)) * voxel_ml
        for value in values
    }


def _text(options: ExtractorOptions) -> str:
    checkpoint = str(options.checkpoint) if options.checkpoint else None
    return json.dumps({**asdict(options), "checkpoint": checkpoint, "known": sorted(options.known.items())})


@lru_cache(maxsize=2)
def _extractor(text: str) -> Extractor:
    """Built once a process."""
    document = json.loads(text)
    checkpoint = Path(document["checkpoint"]) if document["checkpoint"] else None
    threads = document["threads"] or threads_of_worker()
    return create_extractor(
        ExtractorOptions(**{**document, "checkpoint": checkpoint, "threads": threads, "known": dict(document["known"])})
    )
