"""Bundles in the forms of the public model zoo, written small by the tests, and what MONAI makes of them."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from foreign import DOCUMENT, tensor_format
from needed_torch import torch
from numpy.typing import NDArray

UNET = {"_target_": "UNet", "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [4, 8], "strides": [2]}
LOAD, FIRST, ENSURE = (
    {"_target_": f"{name}d", "keys": "image"} for name in ("LoadImage", "EnsureChannelFirst", "EnsureType")
)
RAS = {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"}
SOFTMAX = {"_target_": "Activationsd", "keys": "pred", "softmax": True}
ARGMAX = {"_target_": "AsDiscreted", "keys": "pred", "argmax": True}
SLIDING = {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 16], "sw_batch_size": 4, "overlap": 0.5}


SEARCH = {
    "arch_code_a": np.ones((2, 4)),
    "arch_code_c": np.array([[1, 0, 2, 1], [2, 1, 1, 0]]),
    "node_a": np.ones((3, 2), dtype=np.int64),
}
"""What a search for an architecture found, with two blocks and two depths."""


def spacing(*mm: float, **more: Any) -> dict[str, Any]:
    return {"_target_": "Spacingd", "keys": "image", "pixdim": list(mm), "mode": "bilinear", **more}


def scaled(low: float, high: float) -> dict[str, Any]:
    span = {"a_min": low, "a_max": high, "b_min": 0, "b_max": 1}
    return {"_target_": "ScaleIntensityRanged", "keys": "image", **span, "clip": True}


def inverted(nearest: bool = False) -> dict[str, Any]:
    back = {"transform": "@preprocessing", "orig_keys": "image", "nearest_interp": nearest, "to_tensor": True}
    return {"_target_": "Invertd", "keys": "pred", **back}


def config(
    network: dict[str, Any],
    before: list[dict[str, Any]],
    after: list[dict[str, Any]],
    inferer: dict[str, Any] = SLIDING,
    **more: Any,
) -> dict[str, Any]:
    """A config with everything around the parts that the zoo's have."""
    save = {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir"}
    return {
        "imports": ["$import glob"],
        "bundle_root": ".",
        "output_dir": "$@bundle_root + '/eval'",
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "network_def": network,
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": before},
        "dataset": {"_target_": "Dataset", "data": "$[{'image': i} for i in @datalist]", "transform": "@preprocessing"},
        "inferer": inferer,
        "postprocessing": {"_target_": "Compose", "transforms": [*after, save]},
        "handlers": [{"_target_": "StatsHandler", "iteration_log": False}],
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
            "val_handlers": "@handlers",
            "amp": True,
        },
        "checkpointloader": {
            "_target_": "CheckpointLoader",
            "load_path": "$@bundle_root + '/models/model.pt'",
            "load_dict": {"model": "@network"},
        },
        "initialize": [
            "$monai.utils.set_determinism(seed=123)",
            "$setattr(torch.backends.cudnn, 'benchmark', True)",
            "$@checkpointloader(@evaluator) if @load_pretrain else None",
        ],
        "run": ["$@evaluator.run()"],
        **more,
    }


def document(channels: int = 1, names: tuple[str, ...] = ("background", "one"), window: int = 3) -> dict[str, Any]:
    """A bundle's metadata; ``window``: its dimension."""
    inputs = {str(n): "image" if channels == 1 else f"image {n + 1}" for n in range(channels)}
    image = tensor_format(channels, inputs)
    pred = tensor_format(len(names), {str(n): name for n, name in enumerate(names)})
    for tensor in (image, pred):
        tensor["spatial_shape"] = [16] * window
    formats = {"inputs": {"image": image}, "outputs": {"pred": pred}}
    return {**DOCUMENT, "name": "Made for a test", "task": "A test", "network_data_format": formats}


def write_bundle(
    root: Path, settings: dict[str, Any], facts: dict[str, Any], weights: str = "models/model.pt", suffix: str = "json"
) -> Path:
    """A bundle's folder with random weights, as ``torch.save`` writes them."""
    for inner in ("configs", "models", "docs"):
        (root / inner).mkdir(parents=True)
    (root / "configs" / "metadata.json").write_text(json.dumps(facts))
    (root / "configs" / f"inference.{suffix}").write_text(_text(settings, suffix))
    if "arch_ckpt_path" in settings:
        torch.save({**SEARCH, "epoch": 3, "best_dsc": np.float64(0.5)}, root / "models" / "search_code_1.pt")
    torch.save({"model": made_network(settings, root).state_dict()}, root / weights)
    return root


def _text(settings: dict[str, Any], suffix: str) -> str:
    if suffix == "json":
        return json.dumps(settings)
    import yaml

    return str(yaml.safe_dump(settings, sort_keys=False))


def made_network(settings: dict[str, Any], root: Path, seed: int = 3) -> Any:
    """MONAI's own network for a config, with the same random weights every time; its biases favour no class."""
    from monai.bundle import ConfigParser

    torch.manual_seed(seed)
    parts = {**_constants(settings), "bundle_root": str(root), "network_def": settings["network_def"]}
    network = ConfigParser(copy.deepcopy(parts))
    found = network.get_parsed_content("network_def").eval()
    _balance(found, settings["network_def"])
    return found


def _balance(network: Any, definition: dict[str, Any]) -> None:
    """Shift the last bias so that every class is seen in an image of values from 0 to 1."""
    sides = (32, 32) if definition.get("spatial_dims") == 2 else (32, 32, 32)
    with torch.no_grad():
        seen = network(torch.rand(1, definition["in_channels"], *sides))
        last = [part for part in network.modules() if isinstance(getattr(part, "bias", None), torch.nn.Parameter)][-1]
        last.bias -= seen.mean(dim=[0, *range(2, seen.ndim)])


def _constants(settings: dict[str, Any]) -> dict[str, Any]:
    plain = ("displayable_configs", "spatial_size", "spatial_dims", "dints_space", "arch_ckpt", "arch_ckpt_path")
    return {key: copy.deepcopy(settings[key]) for key in plain if key in settings}


def by_monai(settings: dict[str, Any], files: list[Path], network: Any, folder: Path) -> NDArray[np.float32]:
    """The result (k, j, i) of a bundle's own transforms, inferer and network, as MONAI runs them."""
    from monai.bundle import ConfigParser
    from monai.data import decollate_batch, list_data_collate

    parts = {key: value for key, value in settings.items() if key not in ("initialize", "run", "evaluator", "dataset")}
    parser = ConfigParser({**copy.deepcopy(parts), "output_dir": str(folder), "load_pretrain": False})
    image = [str(file) for file in files] if len(files) > 1 else str(files[0])
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        before, after = (parser.get_parsed_content(name) for name in ("preprocessing", "postprocessing"))
        batch = list_data_collate([before({"image": image})])
        batch["pred"] = parser.get_parsed_content("inferer")(batch["image"], network)
        result = after(decollate_batch(batch)[0])
    saved = sorted(folder.rglob("*.nii.gz"))
    import SimpleITK as sitk

    assert saved, result
    return np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(str(saved[-1]))), dtype=np.float32)
