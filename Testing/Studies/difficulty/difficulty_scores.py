"""The rows that need no training, or only fold models: does AUV find damaged scans, does S follow Dice?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from difficulty.damaged_sets import BASE, Plan, Rows, case_list
from SUREUncertaintyLib.difficulty.case_scale import ScaleOptions
from SUREUncertaintyLib.difficulty.cohort import CohortOptions, score_cohort
from SUREUncertaintyLib.difficulty.cohort_folder import FilterOptions, assess_cohort
from SUREUncertaintyLib.difficulty.extractors.registry import ExtractorOptions, create_extractor
from SUREUncertaintyLib.difficulty.gate import damage_test
from SUREUncertaintyLib.difficulty.table import DifficultyTable, read_table
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.evaluation.reference_label import read_reference
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine import Engine
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.packages.package import Package

SHARES = (0.95, 0.9)
CONTROLS = ("control-random", "control-intensity", "control-variance", "control-volume")


@dataclass(frozen=True)
class Variant:
    """An extractor with the toggles of S; ``short`` names it in files and tables."""

    short: str
    name: str
    scale: ScaleOptions = field(default_factory=ScaleOptions)

    @property
    def file(self) -> str:
        """Its name without blanks."""
        return self.short.replace(", ", "-").replace(" ", "-")


def variants(short: str, name: str) -> tuple[Variant, ...]:
    """The published score and both ablations of it."""
    return (
        Variant(short, name),
        Variant(f"{short}, row-centred", name, ScaleOptions(center="row")),
        Variant(f"{short}, power 1", name, ScaleOptions(power=1)),
    )


def free_variants() -> tuple[Variant, ...]:
    """What needs no training here: the shipped package and the controls."""
    return (*variants(BASE, BASE), *(Variant(name, name) for name in CONTROLS))


def score(plan: Plan, name: str, rows: Rows, variant: Variant, gate: bool = True) -> bool:
    """Score one set by one extractor, unless that is done for these very weights. Returns whether it was done now."""
    digest = create_extractor(_options(variant)).fingerprint.digest
    if _is_done(plan, name, variant, digest):
        return False
    output = plan.tables / "difficulty" / name / variant.file
    cohort = CohortOptions(_options(variant), variant.scale, gate, workers=plan.workers)
    assess_cohort(case_list(plan, name, rows), output, cohort, FilterOptions(SHARES), overwrite=True)
    table = read_table(output)
    facts = {"seen": sum(scan.seen for scan in table.scans), "gate": _gate_of(table)}
    _keep(plan, name, variant, digest, _scales(table), rows, facts)
    return True


def score_changed(plan: Plan, name: str, rows: Rows, variant: Variant) -> bool:
    """As ``score``, for an extractor that is the same for every set: what is not damaged has the S of the clean set."""
    extractor = create_extractor(_options(variant))
    if _is_done(plan, name, variant, extractor.fingerprint.digest):
        return False
    earlier = plan.results.get(result_of("clean", variant))
    assert earlier["digest"] == extractor.fingerprint.digest
    hurt = [row for row in rows if row["damage"]]
    sees = extractor.needs_labels or name == "images"
    found = _changed_scales(plan, name, hurt, variant) if sees else {}
    scales = {key: value for key, value in earlier["scales"].items() if not sees or key not in {r["id"] for r in hurt}}
    facts = {"seen": earlier["seen"], "gate": None}
    _keep(plan, name, variant, earlier["digest"], scales | found, rows, facts)
    return True


def _changed_scales(plan: Plan, name: str, hurt: Rows, variant: Variant) -> dict[str, float]:
    cohort = CohortOptions(_options(variant), variant.scale, gate=False, workers=plan.workers)
    folder = plan.tables / "difficulty" / name / variant.file
    folder.parent.mkdir(parents=True, exist_ok=True)
    scored = score_cohort(case_list(plan, f"{name}-damaged", hurt), folder, cohort)
    scored.finished.remove()
    return _scales(scored.table)


def result_of(name: str, variant: Variant) -> str:
    """What the row is kept as."""
    return f"score-{name}-{variant.file}"


def _is_done(plan: Plan, name: str, variant: Variant, digest: str) -> bool:
    return bool(plan.results.get(result_of(name, variant)).get("digest") == digest)


def _options(variant: Variant) -> ExtractorOptions:
    return ExtractorOptions(variant.name, threads=1)


def _scales(table: DifficultyTable) -> dict[str, float]:
    return {scan.id: round(scan.scale, 8) for scan in table.scans if np.isfinite(scan.scale)}


def _gate_of(table: DifficultyTable) -> dict[str, Any] | None:
    gate = table.header["gate"]
    return {key: value for key, value in gate.items() if key != "verdict"} if gate else None


def _keep(
    plan: Plan,
    name: str,
    variant: Variant,
    digest: str,
    scales: dict[str, float],
    rows: Rows,
    facts: dict[str, Any],
) -> None:
    """Write a row: S of every scan, and the AUROC of AUV for "damaged" with its interval."""
    hurt = {row["id"] for row in rows if row["damage"]} & scales.keys()
    groups = {row["id"]: row["group"] for row in rows if row["id"] in scales}
    test = damage_test("any", scales, {key: scales[key] for key in hurt}, groups) if hurt else None
    document = {
        "set": name,
        "extractor": variant.short,
        "digest": digest,
        **facts,
        "damaged": len(hurt),
        "auroc": [test.auroc, test.low, test.high] if test else None,
        "scales": scales,
        "groups": groups,
    }
    plan.results.save(result_of(name, variant), document)


def keep_dice(plan: Plan, name: str, network: str, found: dict[str, float]) -> None:
    """Dice by scan of a network that was not trained on it, for the correlations of a set."""
    document = {"set": name, "network": network, "dice": {key: round(value, 6) for key, value in found.items()}}
    plan.results.save(f"dice-{name}", document)


def mean_dice(package: Package, cases: Sequence[Case]) -> dict[str, float]:
    """Mean Dice over the structures of the label, by case id."""
    engine = create_engine(package, threads=1)
    return {case.id: _dice(package, engine, case) for case in cases}


def _dice(package: Package, engine: Engine, case: Case) -> float:
    image = read_volume(case.image)
    reference = read_reference(case, image, package.metadata.labels)
    labels = segment(image, package, engine).labels.array
    assert reference is not None
    values = [label.value for label in package.metadata.foreground]
    return float(np.nanmean([dice(labels == value, reference == value) for value in values]))
