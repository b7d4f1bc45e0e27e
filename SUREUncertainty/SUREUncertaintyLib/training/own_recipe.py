"""A recipe for a person's own scans: sizes follow the labels, the rest one of a few profiles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.progress import IsCancelled, Progress, never, silent
from ..files.writing import write_text
from .own_cases import find_pairs, package_name, table_text, tuning_groups
from .own_facts import OwnFacts, facts_of

TABLE, RECIPE = "cases.csv", "recipe.json"
MARGIN_MM = 10.0
"""Around the structures on every side: the box that the network sees, and that a person places later."""

STRIDE = 8
"""Three times halved by the network."""

COLOURS = ((0.30, 0.77, 0.85), (0.90, 0.62, 0.30), (0.56, 0.76, 0.36), (0.83, 0.45, 0.66), (0.62, 0.55, 0.87))


@dataclass(frozen=True)
class Profile:
    """How long and how large. ``side``: most voxels along an edge of the patch."""

    steps: int
    channels: tuple[int, ...]
    side: int


PROFILES = {
    "quick": Profile(400, (8, 16, 32, 64), 48),
    "standard": Profile(3000, (16, 32, 64, 128), 64),
    "thorough": Profile(8000, (16, 32, 64, 128), 96),
}


def prepare_own(
    folder: Path,
    name: str,
    profile: str,
    output: Path,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
    names: Mapping[int, str] | None = None,
) -> Path:
    """Look at the pairs in a folder and write ``output/cases.csv`` and ``output/recipe.json``; the recipe's path.

    A recipe that is there already is left as it is, so that an interrupted training can go on.

    Args:
        names: of structures by value in the label maps, in the place of those in the files.

    Raises:
        InputError: no usable pairs, an unknown profile, a name that cannot be a package's, or a recipe that was made
            for other scans. OutputError: the folder cannot be written. Cancelled.
    """
    if profile not in PROFILES:
        raise InputError(f"The profile '{profile}' is not known. Choose one of {', '.join(PROFILES)}.")
    recipe, pairs = output / RECIPE, find_pairs(folder)
    if recipe.is_file():
        _require_same(output, table_text(pairs), profile)
        return recipe
    held = tuning_groups(pairs)
    facts = _named(facts_of(pairs, progress, is_cancelled), names or {})
    document = own_recipe(package_name(name), facts, PROFILES[profile], held)
    document["package"]["profile"] = profile
    write_text(output / TABLE, table_text(pairs))
    write_text(recipe, json.dumps(document, indent=1, ensure_ascii=False))
    return recipe


def _named(facts: OwnFacts, names: Mapping[int, str]) -> OwnFacts:
    unknown = sorted(set(names) - {label.value for label in facts.labels})
    if unknown:
        known = ", ".join(str(label.value) for label in facts.labels)
        raise InputError(f"No label map holds the value {unknown[0]}. Name one of these: {known}.")
    labels = tuple(replace(label, name=names.get(label.value, label.name)) for label in facts.labels)
    return replace(facts, labels=labels)


def _require_same(output: Path, table: str, profile: str) -> None:
    """An interrupted training goes on only with what it began with."""
    document = json.loads((output / RECIPE).read_text(encoding="utf-8"))
    same_scans = (output / TABLE).read_text(encoding="utf-8") == table
    if not same_scans or document.get("package", {}).get("profile", profile) != profile:
        raise InputError(
            f"A training named '{document.get('name')}' has begun with other scans or another recipe ({output}). "
            "Choose another name, or delete that folder."
        )


def own_recipe(name: str, facts: OwnFacts, profile: Profile, held: tuple[str, ...] = ()) -> dict[str, Any]:
    """The recipe document (see ``training.recipe``)."""
    spacing = _spacing(facts, profile.side)
    boxes = [box + 2 * MARGIN_MM for box in facts.box_mm]
    patch = [_multiple(box / step) for box, step in zip(boxes, spacing, strict=True)]
    names = ", ".join(label.name for label in facts.labels)
    arguments = {"spatial_dims": 3, "in_channels": 1, "out_channels": len(facts.labels) + 1, "norm": "instance"}
    return {
        "name": name,
        "seed": 1,
        "data": {
            "table": TABLE,
            "label_column": "label",
            "tuning_groups": list(held),
            "label_values": [label.value for label in facts.labels],
            "crop_margin_mm": MARGIN_MM,
        },
        "network": {"name": "unet", "arguments": {**arguments, "channels": list(profile.channels)}},
        "input": {
            "orientation": "RAS",
            "spacing": list(spacing),
            "normalisation": {"kind": "zscore"},
            "patch": patch[::-1],
        },
        "loss": {"name": "evidential"},
        "optimisation": {"steps": profile.steps, "warmup_steps": min(200, profile.steps // 10)},
        "augmentation": _AUGMENTATION,
        "package": {
            "task": f"Segmentation of {names}",
            "description": f"Trained on {facts.cases} scans of the user.",
            "intended_use": _use(boxes),
            "limits": "Trained on few scans and never validated elsewhere. Check every result.",
            "authors": "The user",
            "data_source": "The user's own scans",
            "licence": "Not for distribution unless the owner of the scans allows it",
            "labels": _labels(facts),
        },
    }


_AUGMENTATION: dict[str, Any] = {
    "rotate_degrees": 15,
    "scale": 0.15,
    "translate_mm": 5,
    "noise_probability": 0.2,
    "noise_std": 0.2,
    "blur_probability": 0.15,
    "gamma_probability": 0.3,
    "bias_probability": 0.2,
}
"""No flips: left and right may be different structures."""


def _spacing(facts: OwnFacts, side: int) -> tuple[float, float, float]:
    """The scans' own spacing, coarser along an axis where the box would not fit into the patch."""
    wanted = [max(own, (box + 2 * MARGIN_MM) / side) for own, box in zip(facts.spacing, facts.box_mm, strict=True)]
    r, a, s = (float(np.ceil(step * 1000 - 1e-6) / 1000) for step in wanted)
    return (r, a, s)


def _multiple(voxels: float) -> int:
    return max(2 * STRIDE, int(np.ceil(round(voxels, 3) / STRIDE)) * STRIDE)


def _use(boxes: list[float]) -> str:
    size = " x ".join(f"{box:.0f}" for box in boxes)
    return f"Research on scans like those it was trained on, in a box of about {size} mm around the structures."


def _labels(facts: OwnFacts) -> list[dict[str, Any]]:
    background = {"value": 0, "name": "background", "color": [0.0, 0.0, 0.0]}
    return [
        background,
        *(
            {"value": number, "name": label.name, "color": list(COLOURS[(number - 1) % len(COLOURS)])}
            for number, label in enumerate(facts.labels, 1)
        ),
    ]
