"""Whether samples of ``lung-nodule-ct`` foretell how far readers will agree: nodules of LIDC-IDRI, four readers each.

    PYTHONPATH=Testing/Studies python Testing/Bench/quality_readers.py [--data DIR]

Agreement is the Dice of two outlines of a slice, mean over all pairs, then over the slices of a nodule; two outlines of
nothing agree. On the tuning patients that of the samples stands for that of the readers: as it is, and through a rising
curve that was fitted on the other patients. Writes ``readers`` of the model into results/quality-others.json and renews
docs/quality.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import ROOT
from numpy.typing import NDArray
from quality_others import RESULT
from quality_page import write_page
from quality_stacks import LUNG
from quality_table import Array, over_patients
from readers.shifted_slices import middle
from SUREUncertaintyLib.evaluation.raters import (
    RaterArrays,
    RaterSlice,
    find_rater_files,
    read_rater_arrays,
    read_rater_table,
)
from SUREUncertaintyLib.evaluation.slice_predictor import SlicePredictor, create_slice_predictor
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.metrics.bootstrap import grouped_bootstrap, paired_bootstrap
from SUREUncertaintyLib.metrics.conformal import patient_weights
from SUREUncertaintyLib.metrics.correlation import spearman
from SUREUncertaintyLib.metrics.monotone import fit_rising_curve
from SUREUncertaintyLib.metrics.multirater import iou_distances
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.training.recipe import load_recipe

SAMPLES = 16


@dataclass(frozen=True)
class Nodule:
    """Mean agreement of the readers and of the samples over the slices of a nodule."""

    patient: str
    readers: float
    samples: float


def agreement(masks: NDArray[Any]) -> float:
    """Mean Dice of all pairs of different masks (N, ...); two empty ones agree, 1."""
    distances = iou_distances(masks, masks)[np.triu_indices(len(masks), 1)]
    return float(np.mean(2.0 * (1.0 - distances) / (2.0 - distances)))


def nodules_of(arrays: RaterArrays, entries: Sequence[RaterSlice], predictor: SlicePredictor) -> list[Nodule]:
    """Every nodule of the slices, in their order; as ``sure evaluate --raters`` numbers what is drawn."""
    lesions = {lesion: number for number, lesion in enumerate(dict.fromkeys(entry.lesion for entry in entries))}
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for entry in entries:
        prediction = predictor.predict(arrays.images[entry.row], (lesions[entry.lesion],))
        drawn = prediction.samples.argmax(axis=1) != 0
        found.setdefault(entry.lesion, []).append((agreement(arrays.masks(entry.row)), agreement(drawn)))
    means = {lesion: np.mean(pairs, axis=0) for lesion, pairs in found.items()}
    return [Nodule(lesion[0], float(readers), float(samples)) for lesion, (readers, samples) in means.items()]


def left_out(nodules: Sequence[Nodule]) -> tuple[Array, Array]:
    """The readers' agreement by a curve, and by the mean, of all other patients; every patient has the same weight."""
    true, drawn = (np.array([getattr(one, name) for one in nodules]) for name in ("readers", "samples"))
    patients = np.array([one.patient for one in nodules])
    curve, constant = np.empty(true.size), np.empty(true.size)
    for patient in np.unique(patients):
        own = patients == patient
        weights = patient_weights(patients[~own].tolist())
        curve[own] = fit_rising_curve(drawn[~own], true[~own], weights).at(drawn[own])
        constant[own] = np.average(true[~own], weights=weights)
    return curve, constant


def table_of(nodules: Sequence[Nodule]) -> dict[str, Any]:
    """How far each way is from the readers' agreement; intervals over patients."""
    true, drawn = (np.array([getattr(one, name) for one in nodules]) for name in ("readers", "samples"))
    patients = [one.patient for one in nodules]
    curve, constant = left_out(nodules)
    ways = {"samples": drawn, "curve": curve, "constant": constant}
    errors = {name: np.abs(values - true) for name, values in ways.items()}
    return {
        "nodules": len(nodules),
        "patients": len(set(patients)),
        "agreement": {
            name: vars(grouped_bootstrap(values, patients)) for name, values in {"readers": true, **ways}.items()
        },
        "error": {name: vars(grouped_bootstrap(values, patients)) for name, values in errors.items()},
        "less_than_constant": {
            name: vars(paired_bootstrap(errors["constant"], errors[name], patients)) for name in ("samples", "curve")
        },
        "spearman": {
            name: over_patients(lambda chosen, v=ways[name]: spearman(v[chosen], true[chosen]), patients)
            for name in ("samples", "curve")
        },
    }


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    section = load_recipe(LUNG).data
    archive, table = find_rater_files(parser.parse_args().data / section.folder)
    whole, package = read_rater_arrays(archive), find_package(LUNG)
    side, patients = package.metadata.patch[0], {str(group) for group in section.tuning_groups}
    arrays = RaterArrays(middle(whole.images, side), middle(whole.bits, side), whole.raters)
    entries = [entry for entry in read_rater_table(table, len(arrays.images)) if entry.patient in patients]
    predictor = create_slice_predictor(package, create_engine(package, "openvino"), SAMPLES, sizes=False)
    document = json.loads(RESULT.read_text(encoding="utf-8"))
    document[LUNG]["readers"] = table_of(nodules_of(arrays, entries, predictor))
    RESULT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    write_page()


if __name__ == "__main__":
    main()
