"""A MONAI bundle as other people make them."""

import json
from pathlib import Path
from typing import Any

ARGUMENTS = {
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 2,
    "channels": [4, 8],
    "strides": [2],
    "num_res_units": 1,
    "norm": "batch",
}


def tensor_format(channels: int, names: dict[str, str]) -> dict[str, Any]:
    shape = {"type": "image", "dtype": "float32", "spatial_shape": [16, 16, 32], "value_range": []}
    return {**shape, "format": "hounsfield", "modality": "CT", "num_channels": channels, "channel_def": names}


DOCUMENT: dict[str, Any] = {
    "version": "0.5.3",
    "changelog": {"0.5.3": "first"},
    "monai_version": "1.4.0",
    "pytorch_version": "2.4.0",
    "numpy_version": "1.24.4",
    "required_packages_version": {"nibabel": "5.2.1"},
    "name": "Spleen CT segmentation",
    "task": "Spleen segmentation in CT",
    "description": "Made for this test",
    "authors": "Somebody else",
    "copyright": "Somebody else",
    "network_data_format": {
        "inputs": {"image": tensor_format(1, {"0": "image"})},
        "outputs": {"pred": tensor_format(2, {"0": "background", "1": "spleen"})},
    },
}


CONFIG: dict[str, Any] = {
    "imports": ["$import glob"],
    "bundle_root": ".",
    "image_key": "image",
    "classes": 2,
    "device": "$torch.device('cpu')",
    "network_def": {"_target_": "UNet", **ARGUMENTS, "out_channels": "@classes"},
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "@image_key"},
            {"_target_": "EnsureChannelFirstd", "keys": "@image_key"},
            {"_target_": "Orientationd", "keys": "@image_key", "axcodes": "RAS"},
            {"_target_": "Spacingd", "keys": "@image_key", "pixdim": [1.5, 1.6, 2.0], "mode": "bilinear"},
            {
                "_target_": "ScaleIntensityRanged",
                "keys": "@image_key",
                "a_min": -57,
                "a_max": 164,
                "b_min": 0,
                "b_max": 1,
                "clip": True,
            },
            {"_target_": "EnsureTyped", "keys": "@image_key"},
        ],
    },
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 32], "overlap": 0.5},
    "postprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "image"},
            {"_target_": "Activationsd", "keys": "pred", "softmax": True},
            {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
            {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@bundle_root"},
        ],
    },
}


def write_configs(root: Path, document: dict[str, Any], config: dict[str, Any]) -> None:
    (root / "configs" / "metadata.json").write_text(json.dumps(document))
    (root / "configs" / "inference.json").write_text(json.dumps(config))


def assert_nothing_came_in(user_models: Path) -> None:
    assert not user_models.exists() or list(user_models.iterdir()) == []
