"""The runs that forecasts are measured on, kept in a folder so that a table can be made again without running.

Tuning scans for what is chosen, validation scans for scoring once, both intact and under every kind of damage; and
scans that are foreign to the model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from accuracy import validation_cases
from quality_fit import run_all, tuning_cases
from SUREUncertaintyLib.analysis.quality.run_measures import RunMeasures
from SUREUncertaintyLib.analysis.verdict import is_outside
from SUREUncertaintyLib.core.dataclass_json import from_json, to_json
from SUREUncertaintyLib.core.errors import SureError
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.quality.calibrate import CalibrationOptions, CaseRuns
from SUREUncertaintyLib.quality.labelled_run import FITTED, UNSEEN, LabelledRun
from warnings_scans import FOREIGN, Scan, unlabelled

KINDS = (*FITTED, *UNSEEN)


def labelled(package: Package, data: Path, split: str, work: Path) -> list[LabelledRun]:
    """Every run on the tuning or validation scans, from the folder where it is there for these weights."""
    kept = work / f"{split}-{package.metadata.version}.json"
    if not kept.is_file():
        cases = tuning_cases(package, data) if split == "tuning" else validation_cases(data, "val")
        options = CalibrationOptions(kinds=KINDS, mild_copies=True)
        found = run_all(cases, package, options, work / split)
        kept.write_text(json.dumps([case.to_json() for case in found]), encoding="utf-8")
    cases_found = [from_json(CaseRuns, one) for one in json.loads(kept.read_text(encoding="utf-8"))]
    if failed := [f"{case.id}: {case.error}" for case in cases_found if case.error]:
        raise SystemExit("\n".join(failed))
    return [run for case in cases_found for run in case.runs]


@dataclass(frozen=True)
class ForeignRun:
    """What a scan that the model does not know gave; ``measures`` None where the run refused it, with the ``error``."""

    kind: str
    name: str
    what: str
    measures: RunMeasures | None
    outside: bool
    status: str
    error: str = ""


def foreign(package: Package, data: Path, work: Path) -> list[ForeignRun]:
    """Every scan without labels: of another source, and foreign to the model."""
    return foreign_runs(package, list(_scans(data)), work / f"foreign-{package.metadata.version}.json", True)


def foreign_runs(package: Package, scans: Sequence[Scan], kept: Path, copies: bool) -> list[ForeignRun]:
    """Runs on scans that a model does not know, kept in a file; ``copies``: whether its forecast needs them."""
    if not kept.is_file():
        found = list(_run_foreign(package, scans, copies))
        kept.write_text(json.dumps([to_json(one) for one in found]), encoding="utf-8")
    return [_read(one) for one in json.loads(kept.read_text(encoding="utf-8"))]


def _read(document: dict[str, object]) -> ForeignRun:
    return from_json(ForeignRun, document)


def _run_foreign(package: Package, scans: Sequence[Scan], copies: bool) -> Iterator[ForeignRun]:
    engine = create_engine(package, "openvino")
    for scan in scans:
        print(scan.name, flush=True)
        try:
            result = segment(scan.volume, package, engine, scan.rois, copies=False)
            outside = is_outside(result.notices)
            if copies and not outside:  # elsewhere there is no forecast whatever the copies say
                result = segment(scan.volume, package, engine, scan.rois, copies=True)
        except SureError as error:
            yield ForeignRun(scan.kind, scan.name, what_is(scan.name), None, True, "refused", str(error))
            continue
        yield ForeignRun(scan.kind, scan.name, what_is(scan.name), result.measures[0], outside, result.verdict.status)


def _scans(data: Path) -> Iterator[Scan]:
    """Those of the warnings' table, and more hearts."""
    yield from unlabelled(data)
    hearts = sorted((data / "acdc_noncommercial" / "roi").glob("*_ED.nii.gz"))
    for path in [path for number, path in enumerate(hearts) if number % 10 == 5]:
        yield Scan(FOREIGN, path.name, read_volume(path))


def what_is(name: str) -> str:
    """The kind of scan that a name of the list stands for."""
    if "phantom" in name:
        return "phantom"
    if name.startswith("patient") and ("_T2_" in name or "_FLAIR_" in name):
        return "T2 or FLAIR crop"
    if "_T1_" in name or "template, Left" in name or "template, Right" in name:
        return "T1 of another source"
    if "T1" in name:
        return "T1, box without a hippocampus"
    return "abdomen or spine" if any(part in name for part in ("example_", "spleen")) else "heart"
