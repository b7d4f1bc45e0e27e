"""Where a training starts: from fresh weights, or from those of a package that was trained before."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..nn.registry import LATENT_NETWORK, RESIDUAL_NETWORK, create_network
from ..packages.catalogue import find_package
from ..packages.package import Package
from ..packages.weights import load_weights
from .recipe import Recipe
from .training_cases import CaseFiles

if TYPE_CHECKING:
    from torch import Tensor

LAST_LAYER = "head."
NEEDS_START = (
    "The recipe {name} goes on from the network of the recipe {before}. Train that one first, then start from it:\n"
    "  sure train {before} --data {data} --output {folder}\n"
    "  sure train {recipe} --start {package} --data {data} --output {output}\n"
    "Or name a model that you have in the recipe's start_from."
)


@dataclass(frozen=True)
class Start:
    """The package that a training goes on from; what it has seen, this training's network has seen too."""

    package: Package

    @property
    def training_ids(self) -> tuple[str, ...]:
        """Cases that the weights were trained on."""
        return self.package.metadata.training.training_ids

    @property
    def tuning_ids(self) -> tuple[str, ...]:
        """Cases on which something was chosen for these weights."""
        return self.package.metadata.training.tuning_ids

    def weights(self, recipe: Recipe) -> dict[str, Tensor]:
        """The package's weights, checked against the recipe's network; layers without weights may differ.

        What may be new starts fresh from the seed: latents, their heads and the posterior that no package holds,
        and an evidence-scaling head (``nn.evidence_scale``). A U-Net is the backbone of a network whose levels add up.

        Raises:
            PackageError: they belong to another network.
        """
        import torch

        torch.manual_seed(recipe.seed)
        network = create_network(recipe.network.name, recipe.network.arguments)
        may_be_new = recipe.loss.base == "hierarchical" or bool(recipe.network.arguments.get("evidence_scale"))
        adds_levels = recipe.network.name == RESIDUAL_NETWORK and self.package.metadata.network == LATENT_NETWORK
        known: Any = network.backbone if adds_levels else network
        load_weights(known, self.package.weights_path, partly=may_be_new)
        return {name: tensor * _factor(name, recipe.start_scale) for name, tensor in network.state_dict().items()}

    def record(self) -> dict[str, Any]:
        """For the manifest."""
        return {"name": self.package.name, "fingerprint": self.package.fingerprint}

    def refuse_seen(self, files: CaseFiles) -> None:
        """Tuning cases must be new to the weights.

        Raises:
            InputError: the package was trained on some of them.
        """
        held = {case.id for case in files.tuning} - {case.id for case in files.training}
        seen = sorted(held & set(self.training_ids))
        if seen:
            raise InputError(
                f"The model {self.package.name} was trained on cases that this recipe keeps for tuning: "
                f"{', '.join(seen[:5])}. Start from another model, or change the recipe's tuning_groups."
            )


def _factor(name: str, scale: float) -> float | int:
    """The last layer's factor for its tensors, 1 for all others, whole numbers (counters) stay whole."""
    return scale if name.startswith(LAST_LAYER) else 1


def how_to_start(recipe: Recipe, asked: str | Path, data: Path, output: Path) -> str:
    """The two commands that a recipe which lacks its start takes, in place of ``sure train ASKED``."""
    before = recipe.loss.continues
    folder = output.with_name(f"{output.name}-start")
    paths = {"recipe": asked, "data": data, "output": output, "folder": folder}
    paths["package"] = folder / "package" / before
    quoted = {key: shlex.quote(str(path)) for key, path in paths.items()}
    return NEEDS_START.format(name=recipe.name, before=before, **quoted)


def find_start(recipe: Recipe, given: str | Path | None = None) -> Start | None:
    """The package that was given, else the one that the recipe names; None for fresh weights.

    Raises:
        PackageError: there is no such package.
    """
    wanted = given or recipe.start_from
    return Start(find_package(wanted)) if wanted else None
