"""The second organ: hearts of ACDC, slice by slice, and the network of the study. Neither data nor weights ship."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.training.recipe import Recipe, find_recipe, parse_recipe
from SUREUncertaintyLib.training.train import train
from SUREUncertaintyLib.training.training_cases import CaseFile, list_cases, list_held_out

TUNING_FOLD = 1
"""Of the recipe's folds; its own fold is held out for validation."""
CHANGES: dict[str, dict[str, Any]] = {
    "network": {
        "name": "unet",
        "arguments": {
            "spatial_dims": 2, "in_channels": 1, "out_channels": 4, "channels": [16, 32, 64, 128], "norm": "batch",
        },
    },
    "optimisation": {
        "steps": 2000, "batch": 12, "learning_rate": 0.002, "warmup_steps": 20, "schedule": "cosine",
        "ema": 0.98, "mixed_precision": False,
    },
}  # fmt: skip
"""A narrower network than the comparison's and a third of its steps."""


def acdc_recipe(data: Path) -> Recipe:
    """The built-in recipe, smaller, with the patients of one more fold kept from training."""
    document = yaml.safe_load(find_recipe("acdc").read_text(encoding="utf-8")) | CHANGES | {"name": "acdc-narrow"}
    section = parse_recipe(document).data
    fold = list_held_out(replace(section, fold=TUNING_FOLD), data, section.train_split)
    tuning = sorted({one.group for one in fold})
    return parse_recipe(document | {"data": document["data"] | {"tuning_groups": tuning}})


def train_acdc(data: Path, output: Path) -> Path:
    """Train it, or go on; the folder of its package."""
    output.mkdir(parents=True, exist_ok=True)
    recipe = output / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(acdc_recipe(data).document), encoding="utf-8")
    package = train(recipe, data, output, "cpu", progress=lambda fraction, text: print(f"{fraction:.0%} {text}"))
    assert package is not None  # one process
    return package.root


def acdc_patients(data: Path) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """Scans of the tuning patients and of the validation patients, end-diastolic and end-systolic."""
    section = acdc_recipe(data).data
    return _cases(list_cases(section, data).tuning), _cases(list_held_out(section, data, section.train_split))


def _cases(files: tuple[CaseFile, ...]) -> tuple[Case, ...]:
    return tuple(Case(one.image, one.label, one.id, one.group) for one in files)
