"""The released heart package on patients it never saw: ACDC (another centre) and two Sunnybrook patients set aside.

    PYTHONPATH=Testing/Bench python Testing/Bench/heart_accuracy.py [--data DIR] [--model NAME_OR_FOLDER]

Writes Testing/Bench/results/heart-lv-cine.json, renews docs/heart.md and puts the numbers on the model card. ACDC was
never trained or tuned on: everything that could be chosen was chosen on Sunnybrook's tuning patients.
Refuses to run when the package was trained or tuned on a slice of the two patients. What an earlier package reached is
kept in the file with its fingerprint, so that nothing that was scored is lost.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from heart_page import PAGE, heart_page
from numpy.typing import NDArray
from SUREUncertaintyLib.cine.segment_frames import segment_frames
from SUREUncertaintyLib.comparison.held_out import refuse_seen
from SUREUncertaintyLib.core.plain_json import plain
from SUREUncertaintyLib.core.resampling import on_voxels_of
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.core.volume_sequence import VolumeSequence
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.files.reading import read_labels, read_volume
from SUREUncertaintyLib.inference.engine import Engine
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.metrics.bootstrap import grouped_bootstrap
from SUREUncertaintyLib.metrics.detection import UncertaintyRanking
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import amend_package
from SUREUncertaintyLib.training.recipe import load_recipe
from SUREUncertaintyLib.training.training_cases import list_held_out

ROOT = Path(__file__).resolve().parents[2]
MODEL = "heart-lv-cine"
RESULT = ROOT / "Testing" / "Bench" / "results" / f"{MODEL}.json"
ACDC_CAVITY, SUNNYBROOK_CAVITY = 3, 1
SET_ASIDE = {"SC-HF-I-02": "SCD0000201", "SC-HF-I-04": "SCD0000301"}
PHASES = ("ED", "ES")
CARD = ("dice_ed", "dice_es", "auroc_error", "ef_absolute_error", "ef_held")


@dataclass(frozen=True)
class Patient:
    """Both phases of one patient: files of scan and label, and the cavity's value in the labels."""

    id: str
    group: str
    scans: tuple[Path, Path]
    labels: tuple[Path, Path]
    cavity: int


@dataclass(frozen=True)
class PatientScore:
    """What was measured on one patient; fractions in points (0..100), volumes in ml.

    ``spare`` and ``missed`` are slices of a phase with a cavity in the result alone, and in the reference alone.
    """

    id: str
    group: str
    dice_ed: float
    dice_es: float
    auroc_ed: float
    auroc_es: float
    edv: float
    edv_true: float
    esv: float
    esv_true: float
    ef: float | None
    ef_low: float | None
    ef_high: float | None
    ef_true: float
    held: bool | None
    volume_held_ed: bool
    volume_held_es: bool
    spare_ed: int
    spare_es: int
    missed_ed: int
    missed_es: int
    status: str


def acdc_cropped(data: Path) -> list[Patient]:
    """All 100 patients in boxes around their labels."""
    root = data / "acdc_noncommercial"
    with (root / "index.csv").open(newline="", encoding="utf-8") as stream:
        groups = {row["patient"]: row["group"] for row in csv.DictReader(stream)}
    return [
        Patient(
            name,
            group,
            tuple(root / "roi" / f"{name}_{phase}.nii.gz" for phase in PHASES),  # type: ignore[arg-type]
            tuple(root / "roi" / f"{name}_{phase}_gt.nii.gz" for phase in PHASES),  # type: ignore[arg-type]
            ACDC_CAVITY,
        )
        for name, group in groups.items()
    ]


def acdc_full(data: Path) -> list[Patient]:
    """The ten patients whose whole field of view is there."""
    groups = {patient.id: patient.group for patient in acdc_cropped(data)}
    found = []
    for folder in sorted((data / "acdc_noncommercial" / "original").iterdir()):
        facts = dict(line.split(": ") for line in (folder / "Info.cfg").read_text().splitlines() if ": " in line)
        stems = [folder / f"{folder.name}_frame{int(facts[phase]):02d}" for phase in PHASES]
        scans, labels = (tuple(stem.with_name(stem.name + end) for stem in stems) for end in (".nii.gz", "_gt.nii.gz"))
        found.append(Patient(folder.name, groups[folder.name], scans, labels, ACDC_CAVITY))  # type: ignore[arg-type]
    return found


def sunnybrook_volumes(data: Path) -> list[Patient]:
    """The two patients that no training opens, whole slices."""
    root = data / "sunnybrook_lv" / "volumes"
    return [
        Patient(
            name,
            "HF-I",
            tuple(root / f"{file}_{phase}.nii.gz" for phase in PHASES),  # type: ignore[arg-type]
            tuple(root / f"{file}_{phase}_gt.nii.gz" for phase in PHASES),  # type: ignore[arg-type]
            SUNNYBROOK_CAVITY,
        )
        for name, file in SET_ASIDE.items()
    ]


def score(patient: Patient, package: Package, engine: Engine) -> PatientScore:
    """Segment both phases as a scan over time of two frames, and compare with the reference."""
    scans = [read_volume(path) for path in patient.scans]
    references = [_reference(path, scan, patient.cavity) for path, scan in zip(patient.labels, scans, strict=True)]
    found = segment_frames(VolumeSequence(tuple(scans), patient.id), package, engine, phases=(0, 1))
    value = found.structure.value
    masks = [labels == value for labels in found.labels]
    maps = [found.end_diastole.uncertainty.array, found.end_systole.uncertainty.array]
    voxel_ml = scans[0].grid.voxel_volume_mm3 / 1000
    edv_true, esv_true = (float(reference.sum()) * voxel_ml for reference in references)
    true = 100 * (1 - esv_true / edv_true)
    beat = found.ejection
    ef, low, high = (None, None, None) if beat is None else (100 * x for x in (beat.fraction, beat.low, beat.high))
    slices = [_slices(mask, reference) for mask, reference in zip(masks, references, strict=True)]
    ranges = [frame.volume.whole_range for frame in found.frames]
    return PatientScore(
        id=patient.id,
        group=patient.group,
        dice_ed=dice(masks[0], references[0]),
        dice_es=dice(masks[1], references[1]),
        auroc_ed=UncertaintyRanking(maps[0]).detect(masks[0] != references[0]).auroc,
        auroc_es=UncertaintyRanking(maps[1]).detect(masks[1] != references[1]).auroc,
        edv=found.volumes[0],
        edv_true=edv_true,
        esv=found.volumes[1],
        esv_true=esv_true,
        ef=ef,
        ef_low=low,
        ef_high=high,
        ef_true=true,
        held=None if low is None or high is None else bool(low <= true <= high),
        volume_held_ed=ranges[0][0] <= edv_true <= ranges[0][1],
        volume_held_es=ranges[1][0] <= esv_true <= ranges[1][1],
        spare_ed=slices[0][0],
        spare_es=slices[1][0],
        missed_ed=slices[0][1],
        missed_es=slices[1][1],
        status=max((frame.verdict.status for frame in found.frames), key=["usable", "check", "do_not_use"].index),
    )


def _reference(path: Path, scan: Volume, cavity: int) -> NDArray[np.bool_]:
    labels = read_labels(path)
    found = on_voxels_of(labels, scan.grid)
    assert found is not None, f"{path} lies on another grid than its scan"
    return np.asarray(found.array == cavity)


def _slices(mask: NDArray[np.bool_], reference: NDArray[np.bool_]) -> tuple[int, int]:
    """Slices with a cavity in the result alone and in the reference alone; all sets here have slices first."""
    found, true = mask.any(axis=(1, 2)), reference.any(axis=(1, 2))
    return int((found & ~true).sum()), int((true & ~found).sum())


def summarise(scores: Sequence[PatientScore]) -> dict[str, Any]:
    """Means over patients with their intervals, and the patients themselves."""
    names = [one.id for one in scores]

    def mean(values: Sequence[float]) -> dict[str, Any]:
        return asdict(grouped_bootstrap(values, names, 0))

    given = [one for one in scores if one.ef is not None]
    errors = [one.ef - one.ef_true for one in given]  # type: ignore[operator]
    spans = [one.ef_high - one.ef_low for one in given]  # type: ignore[operator]
    return {
        "patients": len(scores),
        "without_fraction": [one.id for one in scores if one.ef is None],
        "dice_ed": mean([one.dice_ed for one in scores]),
        "dice_es": mean([one.dice_es for one in scores]),
        "auroc_error": mean([float(np.nanmean([one.auroc_ed, one.auroc_es])) for one in scores]),
        "ef_error": _of(errors, given),
        "ef_absolute_error": _of(np.abs(errors).tolist(), given),
        "ef_held": _of([float(bool(one.held)) for one in given], given),
        "ef_interval_points": float(np.mean(spans)) if spans else None,
        "ef_correlation": float(np.corrcoef([g.ef for g in given], [g.ef_true for g in given])[0, 1])  # type: ignore[arg-type]
        if len(given) > 2
        else None,
        "edv_error_ml": mean([one.edv - one.edv_true for one in scores]),
        "esv_error_ml": mean([one.esv - one.esv_true for one in scores]),
        "volume_held": mean([(one.volume_held_ed + one.volume_held_es) / 2 for one in scores]),
        "slices": {
            key: [int(sum(getattr(one, f"{key}_{phase}") for one in scores)) for phase in ("ed", "es")]
            for key in ("spare", "missed")
        },
        "status": {name: sum(one.status == name for one in scores) for name in ("usable", "check", "do_not_use")},
        "by_patient": [asdict(one) for one in scores],
    }


def _of(values: Sequence[float], scores: Sequence[PatientScore]) -> dict[str, Any]:
    return asdict(grouped_bootstrap(values, [one.id for one in scores], 0))


def require_unseen(package: Package, data: Path) -> None:
    """Raise ``InputError`` when a slice of the two set-aside patients is among the package's cases."""
    files = list_held_out(load_recipe(MODEL).data, data, "validation")
    refuse_seen(package, [Case(file.image, file.label, file.id, file.group, "validation") for file in files])


def earlier_results(path: Path, fingerprint: str) -> list[dict[str, Any]]:
    """The means of packages that were scored before this one, the first one first."""
    if not path.is_file():
        return []
    before = json.loads(path.read_text(encoding="utf-8"))
    known: list[dict[str, Any]] = before.get("earlier", [])
    if fingerprint in (before["fingerprint"], before.get("fingerprint_of_card")):
        return known
    means = {
        name: {key: value for key, value in found.items() if key != "by_patient"}
        for name, found in before["sets"].items()
    }
    return [*known, {"fingerprint": before["fingerprint"], "sets": means}]


def main() -> None:
    """Measure, write, and put the numbers on the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--model", default=MODEL)
    options = parser.parse_args()
    package = find_package(options.model)
    require_unseen(package, options.data)
    engine = create_engine(package, "openvino")
    sets = {"acdc_roi": acdc_cropped, "acdc_original": acdc_full, "sunnybrook": sunnybrook_volumes}
    document: dict[str, Any] = {"model": package.name, "fingerprint": package.fingerprint, "sets": {}}
    for name, patients in sets.items():
        scores = []
        for patient in patients(options.data):
            scores.append(score(patient, package, engine))
            print(name, patient.id, f"{scores[-1].dice_ed:.3f} {scores[-1].dice_es:.3f}", flush=True)
        document["sets"][name] = summarise(scores)
    document["earlier"] = earlier_results(RESULT, package.fingerprint)
    document = dict(plain(document))
    amended = amend_package(package, {"metrics": card_of(document)})
    document["fingerprint_of_card"] = amended.fingerprint
    RESULT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(heart_page(document), encoding="utf-8")


def card_of(document: dict[str, Any]) -> dict[str, Any]:
    """What stands on the model card: the hundred external patients."""
    external = document["sets"]["acdc_roi"]
    return {f"acdc_{name}": {"mean": external[name]} for name in CARD}


if __name__ == "__main__":
    main()
