"""A result in which no field is empty, and the leaves of any dataclass, to compare what comes back with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
from SUREUncertaintyLib.analysis.agreement import Members, StructureAgreement
from SUREUncertaintyLib.analysis.difficulty_reference import CaseDifficulty
from SUREUncertaintyLib.analysis.image_measures import MeasurePlace
from SUREUncertaintyLib.analysis.quality.forecast import PredictedQuality
from SUREUncertaintyLib.analysis.quality.quality_model import PredictedScore
from SUREUncertaintyLib.analysis.quality.run_measures import RunMeasures
from SUREUncertaintyLib.analysis.wholes import Asymmetry, WholeRow
from SUREUncertaintyLib.core.labels import Code
from SUREUncertaintyLib.core.latent_levels import LatentLevel
from SUREUncertaintyLib.core.nifti_forms import NiftiForm, NiftiForms
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.sampling.samples_result import Sampling, SamplingOptions, StructureSize
from SUREUncertaintyLib.inference.sampling.sizes import Diameter, SampleSize, SizeInterval
from two_blobs import two_blobs

THIRD = 1.0 / 3.0
"""A number that no decimal fraction holds."""


def full_result(left_handed: bool = False) -> SegmentationResult:
    """Two blobs with samples, levels, contours, sizes, difficulty, regions and probabilities."""
    given = two_blobs(left_handed)
    rng = np.random.default_rng(7)
    noise = [given.labels.with_array(rng.random(given.labels.grid.shape, np.float32), f"map {n}") for n in range(5)]
    drawn = [given.labels.with_array(np.roll(given.labels.array, n, axis=1), f"sample {n}") for n in range(3)]
    sampling = Sampling(
        options=SamplingOptions(3, 11, (0, 1), True, True, 12.5, 7),
        maps={"vacuity": given.uncertainty, "fg_variance": noise[0], "class_variance": noise[1]},
        levels=(noise[2], noise[3]),
        bands={"left blob": drawn[1], 'right: "blob" / é': drawn[2]},
        samples=tuple(drawn),
        most_different=(2, 0),
        sizes=(
            StructureSize(
                5,
                "left blob",
                SizeInterval(10 * THIRD, 2.0, 5.5, 100, 0.8),
                THIRD,
                (SampleSize(9, THIRD, 2 * THIRD), SampleSize(3, 0.5, 0.75), SampleSize(6, 1.5, THIRD)),
                Diameter(THIRD, SizeInterval(THIRD, 0.25, 1.5, 100)),
                Diameter(2 * THIRD, SizeInterval(0.75, THIRD, 1.0, 100)),
                (THIRD, -2.5, 8 * THIRD),
                2,
            ),
        ),
        scales=(LatentLevel(0, 1, THIRD, True), LatentLevel(1, 8, 8 * THIRD)),
    )
    measure = MeasurePlace("noise", "Noise", THIRD, 0.1, 0.2, 0.3, 9, 10, "it is noisier than 9 of 10")
    hard = CaseDifficulty(
        "left", THIRD, {"left blob": THIRD}, 9, 10, 0.9, True, ("it is noisier",), (measure,), (0.1, THIRD), "untested"
    )
    unknown = CaseDifficulty("right", float("nan"), {"right blob": float("nan")}, 0, 10, float("nan"), False)
    rows = (
        replace(
            given.structures[0],
            perception_scale=THIRD,
            difficulty="harder than 9 of 10",
            predicted_dice=0.5 + THIRD,
            predicted_dice_low=2 * THIRD,
            predicted_dice_high=0.9,
            predicted_dice_at_least=0.7,
            predicted_surface_dice=0.75,
            predicted_surface_dice_low=THIRD,
            predicted_surface_dice_high=0.8,
            axial_mm=10 * THIRD,
            axial_low_mm=2.5,
            axial_high_mm=4.5,
            longest_mm=11 * THIRD,
            longest_low_mm=2.75,
            longest_high_mm=4.75,
        ),
        replace(given.structures[1], no_forecast="no forecast: absent was not found"),
        *given.structures[2:],
    )
    score = PredictedScore(0.5 + THIRD, 2 * THIRD, 0.9, 0.7)
    told = PredictedQuality("left", score, PredictedScore(0.75, THIRD, 0.8, 0.5), 1.0, 22, 0.75, 0.6)
    codes = {"category": given.label_set[0].category, "type": given.label_set[0].type}  # a scene gives every label some
    left = replace(given.label_set[0], modifier=Code("7771000", "SCT", "Left"))
    forms = NiftiForms(NiftiForm(1, np.eye(4)), NiftiForm(2, 2 * np.eye(4)), (1.0, 1.0, THIRD))
    return replace(
        given,
        image=replace(given.image, modality="MR", placed=False, remarks=("What the file left open.",), forms=forms),
        label_set=(left, *(replace(label, **codes) for label in given.label_set[1:])),
        rois=(Roi("left", (-30.0, THIRD, -10.5), (-12.0, 0.5, 40.0)), Roi("right", (0.0, 0.0, 0.0), (1.0, 2.0, 3.0))),
        structures=rows,
        wholes=(WholeRow("Left blob", ("left blob", "absent"), 80, 0.5 + THIRD, THIRD, 0.9, 0.25),),
        asymmetries=(Asymmetry("blob", THIRD, -THIRD, 0.5),),
        regions=tuple(replace(region, reason="inside") for region in given.regions),
        probabilities=rng.random((4, *given.labels.grid.shape), np.float32),
        sampling=sampling,
        members=Members(
            ("fold 0", "fold 1"),
            "fold",
            (StructureAgreement(5, "left blob", (THIRD, 2 * THIRD), ((0, 1, THIRD),)),),
            {"expected_entropy": noise[3], "mutual_information": noise[4]},
        ),
        difficulty=(hard, unknown),
        measures=(RunMeasures("left", {"skewness": THIRD}, {"blob": {"islands": THIRD}}, {"blob": 3.3}, ("absent",)),),
        quality=(told, PredictedQuality("right", reason="no forecast: absent was not found")),
        provenance={**given.provenance, "seed": 11, "sampling": {"samples": 3, "levels": "all"}, "share": THIRD},
    )


def leaves(value: Any, path: str = "", stop: type | tuple[type, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every number, text and array of a value with the path to it; a ``stop`` is taken as a whole."""
    if is_dataclass(value) and not isinstance(value, stop):
        inner = {f".{field.name}": getattr(value, field.name) for field in fields(value)}
    elif isinstance(value, Mapping):
        inner = {f"[{key}]": part for key, part in value.items()}
    elif isinstance(value, tuple):
        inner = {f"[{number}]": part for number, part in enumerate(value)}
    else:
        yield path, value
        return
    for name, part in inner.items():
        yield from leaves(part, path + name, stop)


def comparable(value: Any) -> Any:
    """A leaf in a form whose equality means bit for bit; NaN equals NaN."""
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    return value.hex() if isinstance(value, float) else value


def empty_leaves(value: Any) -> list[str]:
    """Fields of the value and of all that it holds that are filled in no object of their type."""
    filled = dict.fromkeys((name for name, _ in _fields_in(value)), False)
    for name, holds in _fields_in(value):
        filled[name] |= holds
    return [name for name, holds in filled.items() if not holds]


def _fields_in(value: Any) -> Iterator[tuple[str, bool]]:
    parts = {field.name: getattr(value, field.name) for field in fields(value)} if is_dataclass(value) else {}
    for name, part in parts.items():
        yield f"{type(value).__name__}.{name}", part is not None and not (isinstance(part, tuple | dict) and not part)
        inner = list(part.values()) if isinstance(part, Mapping) else list(part) if isinstance(part, tuple) else [part]
        for each in inner[:1]:
            yield from _fields_in(each)
