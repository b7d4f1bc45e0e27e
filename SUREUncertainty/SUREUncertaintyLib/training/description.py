"""The metadata document of a package, from the recipe, the training cases and what was fitted on the tuning cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from torch import nn

from ..analysis.intensity_fingerprint import measure
from ..analysis.volume_range import MM3_PER_ML
from ..core.centred_window import middle_slices
from ..nn.hierarchical.sampled_networks import SampledNetwork
from ..packages.metadata import TUNING_DICE
from .calibration import (
    TuningPrediction,
    predict_tuning,
    uncertainty_threshold,
    volume_probability,
    whole_stacks,
)
from .cavity_calibration import describe_cavity
from .latent_description import describe_latents
from .recipe import Recipe
from .training_cases import TrainingCase
from .validation import mean_dice

HEAD_OF_LOSS = {"softmax": "softmax", "hierarchical": "softmax"}
MARGIN = 0.1
TEXTS = (
    "task",
    "description",
    "modality",
    "authors",
    "copyright",
    "intended_use",
    "limits",
    "references",
    "data_source",
)


def describe_package(
    recipe: Recipe, network: nn.Module, cases: Sequence[TrainingCase], tuning: Sequence[TrainingCase]
) -> dict[str, Any]:
    """``configs/metadata.json`` of the network that the recipe trained."""
    head = HEAD_OF_LOSS.get(recipe.loss.base, "evidential")
    texts = recipe.package
    if texts.get("centred"):
        cases, tuning = ([_middle(case, recipe.input.patch) for case in given] for given in (cases, tuning))
    version = str(texts.get("version", "0.1.0"))
    labels = texts.get("labels") or _plain_labels(recipe)
    whole = bool(texts.get("one_piece"))
    fitted = (
        [] if isinstance(network, SampledNetwork) else predict_tuning(network, tuning, recipe.input.patch, head, whole)
    )
    uncertainty = _uncertainty(recipe, network, tuning, head, fitted)
    described = {key: texts[key] for key in TEXTS if key in texts}
    return {
        "task": recipe.name,
        "description": recipe.name,
        "modality": "MR",
        **described,
        "data_source": texts.get("data_source", "not given"),
        "name": recipe.name,
        "version": version,
        "changelog": texts.get("changelog") or {version: f"Trained on {date.today().isoformat()}"},
        "network": {"name": recipe.network.name, "arguments": recipe.network.arguments},
        "head": head,
        "orientation": recipe.input.orientation,
        "spacing": recipe.input.spacing and list(recipe.input.spacing),
        "normalisation": recipe.input.normalisation,
        "patch": list(recipe.input.patch),
        "overlap": texts.get("overlap", 0.5),
        **({"centred": True} if texts.get("centred") else {}),
        **({"one_piece": True} if texts.get("one_piece") else {}),
        "labels": labels,
        **({"wholes": texts["wholes"]} if "wholes" in texts else {}),
        "uncertainty": uncertainty,
        **describe_cavity(texts.get("cavity"), tuning, fitted, uncertainty.get("volume_probability")),
        # slices in an npz do not say how large their pixels are: what is known in mm, the recipe says
        "expected": _expected(cases, labels, in_pixels=recipe.input.spacing is None or bool(recipe.data.mask_array))
        | dict(texts.get("expected") or {}),
        "training": _training(recipe, cases, tuning, _held_out(recipe, network, tuning)),
        "metrics": {},
    }


def _middle(case: TrainingCase, patch: tuple[int, ...]) -> TrainingCase:
    """What a model that outlines one thing in the middle of a box sees of a case."""
    where = middle_slices(case.image.shape, patch)
    readings = None if case.readings is None else case.readings[(slice(None), *where)]
    return replace(case, image=case.image[where], label=case.label[where], readings=readings)


def _plain_labels(recipe: Recipe) -> list[dict[str, Any]]:
    classes = int(recipe.network.arguments["out_channels"])
    names = ["background", *(f"class {value}" for value in range(1, classes))]
    return [{"value": value, "name": name, "color": [0.3, 0.76, 0.85]} for value, name in enumerate(names)]


def _uncertainty(
    recipe: Recipe,
    network: nn.Module,
    tuning: Sequence[TrainingCase],
    head: str,
    predictions: Sequence[TuningPrediction],
) -> dict[str, Any]:
    if isinstance(network, SampledNetwork):
        return describe_latents(recipe, network, tuning)
    kinds = ["vacuity", "entropy"] if head == "evidential" else ["entropy"]
    section: dict[str, Any] = {"primary": kinds[0], "kinds": kinds, "threshold": recipe.package.get("threshold", 0.5)}
    if tuning:
        section["threshold"] = uncertainty_threshold(predictions)
        section["volume_probability"] = volume_probability(whole_stacks(tuning, predictions))
        section["fitted_on"] = f"{len(tuning)} tuning cases that were not trained on"
    return section


def _expected(cases: Sequence[TrainingCase], labels: Sequence[dict[str, Any]], in_pixels: bool) -> dict[str, Any]:
    """Ranges of the training data; nothing in mm where the size of their voxels is unknown."""
    measures = [measure(case.image.reshape(-1, *case.image.shape[-2:])) for case in cases]
    contrast = {"contrast": {name: _widened(np.array([row[name] for row in measures])) for name in measures[0]}}
    if in_pixels:
        return contrast
    spacing = np.array([case.spacing for case in cases])
    extent = np.array([np.array(case.image.shape) * case.spacing for case in cases])
    return {
        "spacing_mm": [float(spacing.min()), float(spacing.max())],
        "extent_mm": _widened(extent),
        "volume_ml": {label["name"]: _volume(cases, label["value"]) for label in labels if label["value"]},
        **contrast,
    }


def _volume(cases: Sequence[TrainingCase], value: int) -> list[float]:
    """Range of a structure's volume in ml, over the cases that have it."""
    voxels = np.array([float((case.label == value).sum()) * float(np.prod(case.spacing)) for case in cases])
    return _widened(voxels[voxels > 0] / MM3_PER_ML) if (voxels > 0).any() else [0.0, 0.0]


def _widened(values: np.ndarray[Any, Any]) -> list[float]:
    """The range that was seen, wider by a tenth of itself: a scan just outside is no surprise."""
    low, high = float(np.min(values)), float(np.max(values))
    slack = MARGIN * max(high - low, 0.1 * abs(high))
    return [round(low - slack, 4), round(high + slack, 4)]


def _held_out(recipe: Recipe, network: nn.Module, tuning: Sequence[TrainingCase]) -> float | None:
    """Mean Dice on the tuning cases, four digits; None without any."""
    dice = mean_dice(network, tuning, recipe.input.patch) if tuning else float("nan")
    return round(dice, 4) if math.isfinite(dice) else None


def _training(
    recipe: Recipe, cases: Sequence[TrainingCase], tuning: Sequence[TrainingCase], dice: float | None
) -> dict[str, Any]:
    texts = recipe.package
    return {
        "data": texts.get("data_source", "not given"),
        "licence": texts.get("licence", "not given"),
        "attribution": texts.get("attribution", "not given"),
        "seed": recipe.seed,
        "cases": len(cases),
        "groups": len({case.group for case in cases}),
        "training_ids": [case.id for case in cases],
        "tuning_ids": [case.id for case in tuning],
        TUNING_DICE: dice,
        "recipe": recipe.name,
    }


def licence_text(recipe: Recipe) -> str:
    """``LICENSE`` of the weights: which licence, whose data, and what was changed."""
    texts = recipe.package
    return (
        f"The weights in this folder are licensed {texts.get('licence', 'as their training data')}.\n\n"
        f"{texts.get('licence_url', '')}\n\n"
        f"They were trained on: {texts.get('data_source', 'not given')}.\n\n{texts.get('attribution', '')}\n"
    )
