"""Does uncertainty rise on another kind of scan? T2 and FLAIR crops against T1 crops of the same patients and side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from SUREUncertaintyLib.comparison.foreign_scans import uncertainty_of_scan
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine import Engine
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.package import Package

FOLDER = Path("ood_io") / "ms_brain_mri" / "hippocampus_region_crops"
WARNING = "contrast-unlike-training"


def other_kinds(package: Package, data: Path, cases: Sequence[Case]) -> dict[str, Any]:
    """Pairs in the right order, AUROC against the validation scans, and how often the report warns.

    A scan's score is the mean uncertainty over the predicted structures dilated by 5 voxels.
    """
    engine = create_engine(package, "openvino")
    crops = {path.name: _score(path, package, engine) for path in sorted((data / FOLDER).glob("*.nii.gz"))}
    inside = np.array([_score(case.image, package, engine)[0] for case in cases])
    others = {name: score for name, score in crops.items() if "_T1_" not in name}
    pairs = [score[0] > crops[_t1_of(name)][0] for name, score in others.items()]
    outside = np.array([score[0] for score in others.values()])
    higher = (outside[:, None] > inside).mean() + 0.5 * (outside[:, None] == inside).mean()
    return {
        "scans": len(others),
        "pairs_ordered": int(sum(pairs)),
        "pairs": len(pairs),
        "auroc_against_validation": float(higher),
        "warned": int(sum(score[1] for score in others.values())),
        "mean_score": float(outside.mean()),
        "mean_score_validation": float(inside.mean()),
    }


def _t1_of(name: str) -> str:
    return name.replace("_T2_", "_T1_").replace("_FLAIR_", "_T1_")


def _score(path: Path, package: Package, engine: Engine) -> tuple[float, bool]:
    result = segment(read_volume(path), package, engine)
    warned = any(notice.code == WARNING for notice in result.notices)
    return uncertainty_of_scan(result.labels.array, result.uncertainty.array)["score"], warned
