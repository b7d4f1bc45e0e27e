"""Small labelled balls on disk with a case table, and a recipe that learns them in a moment."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from needed_torch import torch
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.writing import write_volume
from torch import Tensor

PATCH = [16, 16, 16]
AXES = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def write_balls(folder: Path, splits: list[str], flat: bool = False) -> Path:
    """One noisy ball a split name, each of its own subject; ``flat``: thick slices, for networks in 2D."""
    shape = (4, 20, 18) if flat else tuple(PATCH)
    spacing = (1.0, 1.0, 8.0) if flat else (1.0, 1.0, 1.0)
    grid = Grid(shape=shape, spacing=spacing, origin=(0.0, 0.0, 0.0), direction=AXES)  # type: ignore[arg-type]
    rows = ["image,label,id,group,split,stratum"]
    for number, split in enumerate(splits):
        middle = (np.array(shape) - 1.0) / 2.0 + 0.4 * (number % 3)
        offset = np.indices(shape) - middle.reshape(3, 1, 1, 1)
        label = (np.sqrt((offset**2).sum(0)) < 5).astype(np.uint8)
        noise = np.random.default_rng(number).normal(0, 0.1, shape)
        write_volume(Volume((label + noise).astype(np.float32), grid), folder / f"i{number}.nii.gz")
        write_volume(Volume(label, grid), folder / f"l{number}.nii.gz")
        rows.append(f"i{number}.nii.gz,l{number}.nii.gz,case{number},s{number},{split},{'ab'[number % 2]}")
    (folder / "table.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def ball_recipe(name: str, steps: int, tuning: list[str], **changes: Any) -> dict[str, Any]:
    """A recipe document for ``write_balls``."""
    arguments = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [4, 8]}
    return {
        "name": name,
        "seed": 3,
        "data": {"table": "table.csv", "image_column": "image", "label_column": "label", "tuning_groups": tuning},
        "network": {"name": "unet", "arguments": arguments},
        "input": {"orientation": "RAS", "spacing": [1, 1, 1], "normalisation": {"kind": "zscore"}, "patch": PATCH},
        "loss": {"name": "evidential", "kl_anneal_epochs": 0},
        "optimisation": {"steps": steps, "warmup_steps": 1, "learning_rate": 0.01, "mixed_precision": False},
        **changes,
    }


def flat_recipe(name: str, steps: int, **changes: Any) -> dict[str, Any]:
    """A recipe for a network that works slice by slice on ``write_balls(flat=True)``."""
    document = ball_recipe(name, steps, [], **changes)
    document["network"]["arguments"]["spatial_dims"] = 2
    document["input"] = {"orientation": "LPS", "spacing": None, "normalisation": {"kind": "zscore"}, "patch": [24, 24]}
    return document


def written(folder: Path, content: dict[str, Any]) -> Path:
    """The document as a YAML file named after it."""
    path = folder / f"{content['name']}.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def ball_batch() -> tuple[Tensor, Tensor]:
    """Two noisy images (2, 1, 16, 16, 16) of one ball, and its label (2, 16, 16, 16)."""
    grid = torch.stack(torch.meshgrid(*[torch.arange(16.0)] * 3, indexing="ij"))
    label = ((grid - 7.5).square().sum(0).sqrt() < 4).long()[None].repeat(2, 1, 1, 1)
    image = label[:, None].float() + 0.3 * torch.randn(2, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    return image, label
