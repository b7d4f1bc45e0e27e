"""The table of held-out scans that a released package compares every new scan with, made by the release command."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from SUREUncertaintyLib.difficulty.case_scale import ScaleOptions
from SUREUncertaintyLib.difficulty.cohort import CohortOptions, score_cohort
from SUREUncertaintyLib.difficulty.extractors.registry import ExtractorOptions
from SUREUncertaintyLib.difficulty.table import reference_document
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.packages.package import Package

SCALE = ScaleOptions(center="row")
"""Row-centred: on the tuning split it finds damaged scans far better than the published form; see the experiments."""


def reference_of(
    package: Package, cases: Sequence[Case], dice: Mapping[str, float]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The package's ``reference`` field over held-out cases, and the whole gate as JSON.

    Args:
        dice: mean Dice by case id, for the correlation with S.
    """
    options = CohortOptions(ExtractorOptions(str(package.root)), SCALE, dice=dict(dice))
    with tempfile.TemporaryDirectory() as folder:
        scored = score_cohort(cases, Path(folder) / "reference", options)
    assert scored.gate is not None
    return reference_document(scored.table), scored.gate.to_json()
