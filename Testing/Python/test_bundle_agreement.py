"""Bundles in the forms of the public model zoo: the same mask as MONAI's own transforms and inferer make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import (
    ARGMAX,
    ENSURE,
    FIRST,
    LOAD,
    RAS,
    SLIDING,
    SOFTMAX,
    UNET,
    by_monai,
    config,
    document,
    inverted,
    made_network,
    scaled,
    spacing,
    write_bundle,
)
from nnunet_phantoms import make_phantom
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.importing import import_package

pytestmark = pytest.mark.usefixtures("user_models")
THREE = ("background", "one", "two")
LPI = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
ZSCORE = {"_target_": "NormalizeIntensityd", "keys": "image"}


def keep_largest(*labels: int) -> dict[str, Any]:
    return {"_target_": "KeepLargestConnectedComponentd", "keys": "pred", "applied_labels": list(labels)}


@dataclass(frozen=True)
class Form:
    """A bundle's form, and how closely its mask has to be met."""

    settings: dict[str, Any]
    facts: dict[str, Any]
    least: float = 0.998
    channels: int = 1
    suffix: str = "json"


USUAL = [LOAD, FIRST, RAS, spacing(1.5, 1.5, 2.0), scaled(60, 260), ENSURE]
OUTPUTS = {**UNET, "out_channels": 3, "num_res_units": 2, "norm": "batch"}
PAINT = "$lambda x: torch.where(x[[2]] > 0, 4, torch.where(x[[0]] > 0, 1, torch.where(x[[1]] > 0, 2, 0)))"

FORMS: dict[str, Callable[[], Form]] = {
    "spleen": lambda: Form(
        config(OUTPUTS, USUAL, [SOFTMAX, inverted(), ARGMAX]),
        document(names=THREE),
    ),
    "gaussian": lambda: Form(
        config(OUTPUTS, USUAL, [SOFTMAX, inverted(), ARGMAX], {**SLIDING, "mode": "gaussian"}),
        document(names=THREE),
    ),
    "one window": lambda: Form(
        config(
            OUTPUTS, [LOAD, FIRST, RAS, scaled(60, 260)], [SOFTMAX, inverted(), ARGMAX], {**SLIDING, "roi_size": 48}
        ),
        document(names=THREE),
        1.0,
    ),
    "raw outputs go back": lambda: Form(
        config(OUTPUTS, USUAL, [inverted(), SOFTMAX, ARGMAX]),
        document(names=THREE),
    ),
    "intensities first": lambda: Form(
        config(OUTPUTS, [LOAD, FIRST, scaled(60, 260), RAS, spacing(1.5, 1.5, 2.0)], [SOFTMAX, inverted(), ARGMAX]),
        document(names=THREE),
    ),
    "pediatric": lambda: Form(
        config(
            {**OUTPUTS, "spatial_dims": "@spatial_dims"},
            [
                *[LOAD, FIRST, RAS, spacing(1.5, 1.5, 3.0), scaled(110, 260)],
                {"_target_": "CropForegroundd", "keys": ["image"], "source_key": "image", "mode": ["minimum"]},
                *[ENSURE, {"_target_": "CastToTyped", "keys": "image", "dtype": "$torch.float32"}],
            ],
            [SOFTMAX, inverted(), ARGMAX],
            spatial_size=[96, 96, 96],
            spatial_dims="$len(@spatial_size)",
        ),
        document(names=THREE),
        suffix="yaml",
    ),
    "prostate": lambda: Form(
        config(
            OUTPUTS,
            [LOAD, FIRST, RAS, spacing(1.4, 1.4, 1.4), {**ZSCORE, "_target_": "ScaleIntensityd", "minv": 0}, ZSCORE],
            [ARGMAX, keep_largest(1, 2), inverted()],
        ),
        document(names=THREE),
    ),
    "whole body": lambda: Form(
        config(
            OUTPUTS,
            [
                *[LOAD, ENSURE, FIRST, RAS, {**spacing(1.0), "pixdim": "@pixdim"}, {**ZSCORE, "nonzero": True}],
                {"_target_": "ScaleIntensityd", "keys": "image", "minv": -1.0, "maxv": 1.0},
            ],
            [SOFTMAX, ARGMAX, inverted(nearest=True)],
            {
                **SLIDING,
                "overlap": "@displayable_configs#overlap",
                "padding_mode": "replicate",
                "mode": "gaussian",
                "roi_size": [16, 16, 48],
            },
            displayable_configs={"highres": False, "overlap": 0.25},
            pixdim="$[1.5, 1.5, 1.5] if @displayable_configs#highres else [2.0, 2.0, 2.0]",
        ),
        document(names=THREE),
    ),
    "ventricles": lambda: Form(
        config(
            {**OUTPUTS, "spatial_dims": 2},
            [LOAD, FIRST, {"_target_": "ScaleIntensityd", "keys": "image"}, ENSURE],
            [SOFTMAX, inverted(), ARGMAX],
            {"_target_": "SliceInferer", "roi_size": [16, 16], "spatial_dim": 2},
        ),
        document(names=THREE, window=2),
    ),
    "template": lambda: Form(
        config(
            OUTPUTS,
            [],
            [SOFTMAX, ARGMAX],
            {"_target_": "SimpleInferer"},
            transforms=[LOAD, FIRST, {"_target_": "ScaleIntensityd", "keys": "image"}],
        )
        | {"preprocessing": {"_target_": "Compose", "transforms": "$@transforms"}},
        document(names=THREE),
        1.0,
        suffix="yaml",
    ),
    "largest part on the scan": lambda: Form(
        config(OUTPUTS, USUAL, [SOFTMAX, inverted(), ARGMAX, {**keep_largest(1, 2), "independent": False}]),
        document(names=THREE),
    ),
    "searched network": lambda: Form(
        config(
            {
                "_target_": "monai.networks.nets.DiNTS",
                "dints_space": "@dints_space",
                "in_channels": 1,
                "num_classes": 3,
                "node_a": "$torch.from_numpy(@arch_ckpt['node_a'])",
            },
            USUAL,
            [SOFTMAX, inverted(), ARGMAX],
            arch_ckpt_path="$@bundle_root + '/models/search_code_1.pt'",
            arch_ckpt="$torch.load(@arch_ckpt_path, map_location=torch.device('cpu'), weights_only=False)",
            dints_space={
                "_target_": "monai.networks.nets.TopologyInstance",
                "channel_mul": 0.125,
                "num_blocks": 2,
                "num_depths": 2,
                "arch_code": ["$@arch_ckpt['arch_code_a']", "$@arch_ckpt['arch_code_c']"],
            },
        ),
        document(names=THREE),
        suffix="yaml",
    ),
    "tumour": lambda: Form(
        config(
            {**UNET, "in_channels": 2, "out_channels": 3, "norm": "batch"},
            [{**LOAD, "image_only": False}, {**ZSCORE, "nonzero": True, "channel_wise": True}],
            [
                {"_target_": "Activationsd", "keys": "pred", "sigmoid": True},
                inverted(),
                {"_target_": "AsDiscreted", "keys": "pred", "threshold": 0.5},
                {"_target_": "Lambdad", "keys": "pred", "func": PAINT},
            ],
            {**SLIDING, "roi_size": [16, 24, 16]},
        ),
        document(2, ("core", "whole", "enhancing")),
        channels=2,
    ),
}


def scan_files(folder: Path, channels: int) -> list[Path]:
    """A scan that is stored flipped, with its longest voxels along the third axis."""
    phantom = make_phantom(7, (22, 38, 30), (1.2, 0.9, 1.7), channels)
    grid = Grid(phantom.labels.shape, phantom.spacing, (12.0, -20.0, 40.0), LPI)
    files = [folder / f"image{number}.nii.gz" for number in range(channels)]
    for file, array in zip(files, phantom.channels, strict=True):
        write_volume(Volume(array, grid, "image"), file)
    return files


def dice(one: np.ndarray, other: np.ndarray) -> list[float]:
    return [
        2 * float(((one == v) & (other == v)).sum()) / float((one == v).sum() + (other == v).sum())
        for v in sorted({*np.unique(one), *np.unique(other)} - {0})
    ]


def run_here(bundle: Path, files: list[Path]) -> Any:
    package = import_package(bundle)
    volumes = [read_volume(file) for file in files]
    names = [channel.name for channel in package.metadata.pipeline.channels]  # type: ignore[union-attr]
    others = dict(zip(names[1:], volumes[1:], strict=True))
    return segment(volumes[0], package, create_engine(package, "openvino"), channels=others)


@pytest.mark.parametrize("name", FORMS)
def test_the_mask_is_that_of_monai(name: str, tmp_path: Path) -> None:
    form = FORMS[name]()
    bundle = write_bundle(tmp_path / "bundle", form.settings, form.facts, suffix=form.suffix)
    files = scan_files(tmp_path, form.channels)
    expected = np.floor(by_monai(form.settings, files, made_network(form.settings, bundle), tmp_path / "theirs") + 0.5)
    found = run_here(bundle, files).labels.array
    scores = dice(found, expected)
    assert len(scores) >= 2, "the random network shows too few labels"
    assert min(scores) >= form.least, (scores, int((found != expected).sum()))
