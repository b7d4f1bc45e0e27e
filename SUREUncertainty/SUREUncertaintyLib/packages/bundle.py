"""The MONAI Bundle side of a package: required metadata and ``configs/inference.json``.

MONAI indexes arrays (i, j, k), this library (k, j, i). A bundle therefore names the axes of the same array in the
reverse order: our orientation ``"RAS"`` with spacing (x, y, z) is ``Orientationd(axcodes="SAR")`` with
``Spacingd(pixdim=(z, y, x))`` there. Patches are in array order on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.geometry import STACK
from ..nn.registry import LATENT_NETWORKS, bundle_target

SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
WEIGHTS = "models/model.safetensors"
GRAPH = "models/model.onnx"
HALVES = {"encoder": "models/encoder.onnx", "decoder": "models/decoder.onnx"}
"""Graphs of a network that is encoded once and decoded once a sample."""


def complete_document(document: Mapping[str, Any], example_shape: Sequence[int]) -> dict[str, Any]:
    """The metadata with the fields that follow from the others and from the installed versions.

    What ``document`` says stays, except for file names and the description of tensors.
    """
    version = str(document.get("version", "1.0.0"))
    defaults = {
        "schema": SCHEMA,
        "version": version,
        "changelog": {version: "first release"},
        **_versions(),
        "required_packages_version": {},
        "authors": "SURE Uncertainty contributors",
        "copyright": "SURE Uncertainty contributors",
        "intended_use": "Research only; not a medical device.",
        "overlap": 0.5,
    }
    has_halves = document.get("network", {}).get("name") in LATENT_NETWORKS
    files = {"weights": WEIGHTS, "graphs": dict(HALVES) if has_halves else {"main": GRAPH}}
    complete = {**defaults, **document, **files}
    return {**complete, "network_data_format": network_data_format(complete, int(example_shape[1]))}


def _versions() -> dict[str, str]:
    import monai
    import numpy
    import torch

    return {
        "monai_version": str(monai.__version__),
        "pytorch_version": str(torch.__version__).split("+")[0],
        "numpy_version": str(numpy.__version__),
    }


def network_data_format(document: Mapping[str, Any], channels: int) -> dict[str, Any]:
    """What goes in and out of the network, as the bundle specification wants it."""
    modality = document.get("modality", "n/a")
    shared = {
        "type": "image",
        "spatial_shape": list(document.get("patch", ())),
        "dtype": "float32",
        "is_patch_data": True,
    }
    image = {
        **shared,
        "format": "hounsfield" if modality == "CT" else "magnitude",
        "modality": modality,
        "num_channels": channels,
        "value_range": [],
        "channel_def": {str(n): "image" if channels == 1 else f"image {n + 1}" for n in range(channels)},
    }
    labels = document.get("labels", ())
    prediction = {
        **shared,
        "format": "segmentation",
        "num_channels": len(labels),
        "value_range": [],
        "channel_def": {str(n): label.get("name", "") for n, label in enumerate(labels)},
    }
    return {"inputs": {"image": image}, "outputs": {"pred": prediction}}


def inference_config(document: Mapping[str, Any]) -> dict[str, Any]:
    """``configs/inference.json``: MONAI's own pipeline for the label map, without the uncertainty map.

    ``python -m monai.bundle run --config_file configs/inference.json --dataset_dir FOLDER`` needs torch, MONAI,
    safetensors and pytorch-ignite. The network of our packages comes from this library, MONAI's own from MONAI.
    """
    return {
        "imports": ["$import glob", "$import torch", "$from safetensors.torch import load_file"],
        "bundle_root": ".",
        "dataset_dir": "/workspace/data",
        "output_dir": "$@bundle_root + '/eval'",
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "network_def": {"_target_": bundle_target(document["network"]["name"]), **document["network"]["arguments"]},
        "network": "$@network_def.to(@device)",
        "load": f"$@network.load_state_dict(load_file(@bundle_root + '/{WEIGHTS}'))",
        "preprocessing": {"_target_": "Compose", "transforms": _preprocessing(document)},
        "dataset": {
            "_target_": "Dataset",
            "data": "$[{'image': path} for path in sorted(glob.glob(@dataset_dir + '/*.nii.gz'))]",
            "transform": "@preprocessing",
        },
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 1},
        "inferer": {
            "_target_": "SlidingWindowInferer" if len(document["patch"]) == 3 else "SliceInferer",
            "roi_size": list(document["patch"]),
            "sw_batch_size": 1,
            "overlap": document["overlap"],
            "mode": "gaussian",
        },
        "postprocessing": {"_target_": "Compose", "transforms": _postprocessing()},
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
        },
        "run": ["$@load", "$@evaluator.run()"],
    }


def _preprocessing(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    transforms: list[dict[str, Any]] = [
        {"_target_": "LoadImaged", "keys": "image"},
        {"_target_": "EnsureChannelFirstd", "keys": "image"},
        {"_target_": "Orientationd", "keys": "image", "axcodes": _axcodes(document["orientation"])},
    ]
    if document["spacing"] is not None:
        pixdim = list(reversed(document["spacing"]))
        transforms.append({"_target_": "Spacingd", "keys": "image", "pixdim": pixdim, "mode": "bilinear"})
    if document.get("centred"):
        window = [0] * (3 - len(document["patch"])) + list(document["patch"])  # 0: all slices
        transforms.append({"_target_": "CenterSpatialCropd", "keys": "image", "roi_size": window})
    return [*transforms, *_normalisation(document["normalisation"])]


def _axcodes(orientation: str) -> str:
    """MONAI knows no acquired planes: a network of stacks gets those across the axis nearest to the head there."""
    return "SPL" if orientation == STACK else orientation[::-1]


def _normalisation(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    if settings["kind"] == "range":
        scale = {"a_min": settings["low"], "a_max": settings["high"], "b_min": 0.0, "b_max": 1.0, "clip": True}
        return [{"_target_": "ScaleIntensityRanged", "keys": "image", **scale}]
    if settings["kind"] == "minmax":
        return [{"_target_": "ScaleIntensityd", "keys": "image"}]
    nonzero = settings.get("mask") == "nonzero"
    zscore = {"_target_": "NormalizeIntensityd", "keys": "image", "nonzero": nonzero}
    if not settings.get("clip_percentiles"):
        return [zscore]
    low, high = settings["clip_percentiles"]
    clip = {"_target_": "ClipIntensityPercentilesd", "keys": "image", "lower": low, "upper": high}
    return [clip, zscore]


def _postprocessing() -> list[dict[str, Any]]:
    return [
        {
            "_target_": "Invertd",
            "keys": "pred",
            "transform": "@preprocessing",
            "orig_keys": "image",
            "nearest_interp": False,
        },
        {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
        {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir"},
    ]
