"""What the live slider's lower precision changes, on the tuning cases (never trained on, never reported on)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from SUREUncertaintyLib.analysis.noise_series import damaged
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.openvino_engine import OpenVinoEngine
from SUREUncertaintyLib.inference.preview import preview, preview_engine
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.training.recipe import load_recipe
from SUREUncertaintyLib.training.training_cases import list_cases

DATA = Path(os.environ.get("SURE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
LEVELS = (0.0, 0.3)


def bench_previews(model: str) -> dict[str, Any]:
    """Agreement of previews with float32 on every tuning scan, undamaged and with Gaussian noise.

    Raises:
        InputError: the data that the model's recipe names is not there (SURE_DATA).
    """
    package = find_package(model)
    exact = OpenVinoEngine(package)
    quick = preview_engine(package, exact)
    cases = list_cases(load_recipe(model).data, DATA).tuning
    rows = []
    for case in cases:
        scan = read_volume(case.image)
        for level in LEVELS:
            volume = scan.with_array(damaged(scan, "gaussian", level, 0))
            one, two = (preview(volume, package, engine) for engine in (exact, quick))
            difference = np.abs(one.uncertainty.array - two.uncertainty.array)
            overlap = dice(one.labels.array != 0, two.labels.array != 0)
            rows.append((overlap, np.count_nonzero(one.labels.array != two.labels.array), difference.max()))
    overlaps, voxels, uncertainties = np.array(rows).T
    return {
        "precision": quick.precision,
        "scans": len(cases),
        "levels": list(LEVELS),
        "least_dice": round(float(overlaps.min()), 4),
        "median_dice": round(float(np.median(overlaps)), 4),
        "most_voxels": int(voxels.max()),
        "largest_uncertainty": round(float(uncertainties.max()), 4),
    }
