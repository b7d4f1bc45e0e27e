"""Whether a fit is believed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..core.errors import PackageError
from ..packages.locator import Judgement


def belief(judgement: Judgement, measures: Mapping[str, float]) -> float:
    """Probability in 0..1 that a fit is right. Raises ``PackageError`` for a measure that is not known."""
    unknown = [term.measure for term in judgement.terms if term.measure not in measures]
    if unknown:
        raise PackageError(f"The package's locator judges by '{unknown[0]}'. Known are: {', '.join(measures)}.")
    terms = ((measures[term.measure] - term.mean) / term.scale * term.weight for term in judgement.terms)
    return float(1.0 / (1.0 + np.exp(-np.clip(judgement.bias + sum(terms), -500.0, 500.0))))
