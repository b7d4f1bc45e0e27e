"""How often the width of the samples' sizes warns on LIDC tuning slices: ``warnings_sampled.py [--data DIR]``.

Every fourth tuning slice of ``lung-nodule-ct``, intact and under every fourth kind of damage. A slice is good or poor
by the mean Dice of the result with the four readers. Writes results/warnings-sampled.json beside it and renews
docs/warnings.md from it and from warnings.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from SUREUncertaintyLib.analysis.noise_series import KINDS, damaged
from SUREUncertaintyLib.analysis.notices import relative_widths
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.evaluation.raters import RaterArrays, find_rater_files, read_rater_arrays, read_rater_table
from SUREUncertaintyLib.inference.engine import Engine
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.sampling.samples_result import SamplingOptions
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from warnings_page import warnings_page
from warnings_scans import DAMAGED, INTACT, STRENGTHS
from warnings_table import summary

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "Testing" / "Bench" / "results"
MODEL = "lung-nodule-ct"
EVERY, SAMPLES = 4, 50
GOOD, POOR = 0.7, 0.5
"""Mean Dice with the readers."""
NONE = "nothing found"


def slices(arrays: RaterArrays, rows: Sequence[int]) -> Iterator[tuple[str, int, Volume]]:
    """Kind, row and scan: each slice as it is, then damaged."""
    for number, row in enumerate(rows):
        scan = Volume(arrays.images[row][np.newaxis].astype(np.float32), Grid((1, *arrays.images[row].shape)), "", "CT")
        yield INTACT, row, scan
        for turn, kind in enumerate(KINDS[number % EVERY :: EVERY]):
            strength = STRENGTHS[(number + turn) % len(STRENGTHS)]
            yield DAMAGED, row, scan.with_array(damaged(scan, kind, strength, seed=number))


def measured(arrays: RaterArrays, rows: Sequence[int], package: Package, engine: Engine) -> Iterator[dict[str, Any]]:
    """One row a slice: its group, width of the range over the size, verdict, and what fired."""
    for kind, row, scan in slices(arrays, rows):
        result = segment(scan, package, engine, sampling=SamplingOptions(SAMPLES, row))
        value = result.label_set[0].value
        overlaps = [dice(result.labels.array[0] == value, mask.astype(bool)) for mask in arrays.masks(row)]
        widths = relative_widths(result.structures)
        fired = sorted(notice.code for notice in result.notices)
        overlap = float(np.mean(overlaps))
        quality = NONE if not widths else "good" if overlap >= GOOD else "poor" if overlap < POOR else "between"
        width = next(iter(widths.values()), None)
        facts = {"row": row, "dice": overlap, "width": width, "status": result.verdict.status, "fired": fired}
        yield {"group": f"{kind}, {quality}", **facts}


def main() -> None:
    """Measure, and write table and page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "lidc_multirater")
    package = find_package(MODEL)
    images, table = find_rater_files(parser.parse_args().data)
    arrays = read_rater_arrays(images)
    tuning = {str(name) for name in package.metadata.raw["training"]["tuning_ids"]}
    rows = [e.row for e in read_rater_table(table, len(arrays.images)) if str(e.row) in tuning][::EVERY]
    found = list(measured(arrays, rows, package, create_engine(package, "openvino", threads=1)))
    document = {"model": MODEL, "fingerprint": package.fingerprint, "tuning": summary(found) | {"rows": found}}
    (RESULTS / "warnings-sampled.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    others = json.loads((RESULTS / "warnings.json").read_text(encoding="utf-8"))
    (ROOT / "docs" / "warnings.md").write_text(warnings_page(others, document), encoding="utf-8")


if __name__ == "__main__":
    main()
