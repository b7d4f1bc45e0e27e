"""Fits the forecast of Dice of ``hippocampus-t1`` on the scans that it was tuned on, none of which it was trained on.

    python Testing/Bench/quality_fit.py [--data DIR] [--work DIR]

The same as ``sure calibrate hippocampus-t1`` on a list of those scans; also renews the fingerprint that the accuracy
page keeps. To be run again after every training, before ``make quality``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from accuracy import MODEL, ROOT, validation_cases
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.estimation.model_options import ModelOptions
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.quality.calibrate import CalibrationOptions, CaseRuns, calibrate, run_cases

DATA = "the tuning scans of the Medical Segmentation Decathlon, Task04 Hippocampus"
RESULTS = ROOT / "Testing" / "Bench" / "results"


def tuning_cases(package: Package, data: Path) -> list[Case]:
    """The scans that settings of the model were chosen on; its weights have not seen them."""
    tuned = set(package.metadata.training.tuning_ids)
    return [case for case in validation_cases(data, "train") if case.id in tuned]


def run_all(
    cases: list[Case], package: Package, options: CalibrationOptions, kept: Path, workers: int | None = None
) -> tuple[CaseRuns, ...]:
    """Every copy of every case on OpenVINO; a stopped run goes on."""
    travels = ModelOptions(package.name, engine="openvino", fingerprint=package.fingerprint, threads=1)
    return run_cases(cases, travels, package, options, kept, workers, progress=tell)


def tell(fraction: float, text: str) -> None:
    """A line for every case."""
    print(f"{fraction:4.0%} {text}", flush=True)


def renew_fingerprint(name: str, before: str, amended: Package) -> None:
    """Let the accuracy that is recorded for a model belong to its package with the forecast inside.

    Args:
        before: fingerprint without the new forecast; accuracy of another package stays that one's.
    """
    card = RESULTS / f"{name}.json"
    recorded = json.loads(card.read_text(encoding="utf-8"))
    if before in (recorded["fingerprint"], recorded.get("fingerprint_of_card")):
        recorded |= {"fingerprint_of_card": amended.fingerprint}
        card.write_text(json.dumps(recorded, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def main() -> None:
    """Run, fit, store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "quality")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    package, options = find_package(MODEL), CalibrationOptions(mild_copies=True)
    found = run_all(tuning_cases(package, arguments.data), package, options, arguments.work / "tuning")
    if failed := [f"{case.id}: {case.error}" for case in found if case.error]:
        raise SystemExit("\n".join(failed))
    model, amended = calibrate(found, package, create_engine(package, "openvino"), DATA, options)
    renew_fingerprint(MODEL, package.fingerprint, amended)
    print(json.dumps({score: {name: fit.errors for name, fit in fits.items()} for score, fits in model.scores.items()}))


if __name__ == "__main__":
    main()
