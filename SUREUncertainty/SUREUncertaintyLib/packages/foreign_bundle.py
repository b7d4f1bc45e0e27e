"""Reads from a MONAI Bundle that other people made what its network wants, without running any of it.

A bundle's config may hold Python expressions ("$..."). They are never evaluated; a bundle that keeps a needed fact
in one is refused. MONAI indexes arrays (i, j, k), this library (k, j, i): see ``bundle.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import PackageError
from ..core.uncertainty_colours import label_colour
from ..nn.registry import canonical_name
from .metadata import ENTROPY_THRESHOLD
from .metadata_fields import Fields

NEUTRAL = {"LoadImage", "EnsureChannelFirst", "EnsureType", "ToTensor", "CastToType"}


def describe_bundle(document: Mapping[str, Any], config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Our metadata for a foreign bundle, ``weights`` and ``graphs`` not yet named.

    Args:
        document: its ``configs/metadata.json``.
        config: its ``configs/inference.json``.
        name: the package's name.

    Raises:
        PackageError: the bundle does something that this library would do differently, or does not say what it does.
    """
    transforms = _transforms(config)
    tensors = Fields(document).inner("network_data_format")
    image = tensors.inner("inputs").inner("image")
    if image.integer("num_channels", 1, 64) != 1:
        image.fail("num_channels", "1: one scan is segmented at a time")
    _refuse_sigmoid(config)
    return {
        **document,
        "name": name,
        "modality": str(image.content.get("modality", "n/a")),
        "network": _network(config),
        "head": "softmax",
        "orientation": _orientation(transforms),
        "spacing": _spacing(transforms),
        "normalisation": _normalisation(transforms),
        **_windows(config),
        "labels": _labels(tensors.inner("outputs").inner("pred")),
        "uncertainty": {"primary": "entropy", "kinds": ["entropy"], "threshold": ENTROPY_THRESHOLD},
    }


def resolve(config: Mapping[str, Any], value: Any, depth: int = 0) -> Any:
    """``value`` with every "@reference" replaced by what it names; expressions are refused."""
    if depth > 32:
        raise PackageError("The bundle's inference.json refers to itself in circles.")
    if isinstance(value, str) and value.startswith("$"):
        raise PackageError(
            f"The bundle's inference.json holds a Python expression where a value is needed: {value[:60]}."
        )
    if isinstance(value, str) and value.startswith("@"):
        return resolve(config, _look_up(config, value[1:]), depth + 1)
    if isinstance(value, Mapping):
        return {key: resolve(config, inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolve(config, inner, depth + 1) for inner in value]
    return value


def _look_up(config: Any, reference: str) -> Any:
    for part in reference.replace("::", "#").split("#"):
        if isinstance(config, Mapping) and part in config:
            config = config[part]
        elif isinstance(config, list) and part.isdigit() and int(part) < len(config):
            config = config[int(part)]
        else:
            raise PackageError(f"The bundle's inference.json refers to '@{reference}', which it does not hold.")
    return config


def _network(config: Mapping[str, Any]) -> dict[str, Any]:
    definition = config.get("network_def", config.get("network"))
    if not isinstance(definition, Mapping) or "_target_" not in definition:
        raise PackageError(
            "The bundle's inference.json has no 'network_def' with a '_target_', so its network is unknown."
        )
    target = canonical_name(str(definition["_target_"]))
    arguments = {key: resolve(config, value) for key, value in definition.items() if not key.startswith("_")}
    return {"name": target, "arguments": arguments}


def _transforms(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Preprocessing transforms by class name without the dictionary suffix "d", in order."""
    steps = resolve(config, config.get("preprocessing", {}).get("transforms"))
    if not isinstance(steps, list) or not all(isinstance(step, dict) and "_target_" in step for step in steps):
        raise PackageError("The bundle's inference.json has no list of transforms in 'preprocessing'.")
    found = {}
    for step in steps:
        name = str(step["_target_"]).rpartition(".")[2].removesuffix("ict").removesuffix("d").removesuffix("D")
        if name in found:
            raise PackageError(f"The bundle prepares its input with {name} twice; this is not supported.")
        found[name] = step
    return found


def _orientation(transforms: Mapping[str, Mapping[str, Any]]) -> str:
    axcodes = transforms.get("Orientation", {}).get("axcodes")
    if not isinstance(axcodes, str):
        raise PackageError(
            "The bundle does not say which orientation its network expects (no Orientationd with axcodes)."
        )
    return axcodes[::-1]


def _spacing(transforms: Mapping[str, Mapping[str, Any]]) -> list[float] | None:
    if "Spacing" not in transforms:
        return None
    return list(reversed(Fields(transforms["Spacing"], "Spacingd", "inference.json").numbers("pixdim", 3, 1e-4, 1e4)))


def _normalisation(transforms: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    steps = [name for name in transforms if name not in NEUTRAL | {"Orientation", "Spacing"}]
    if steps == ["ScaleIntensityRange"]:
        return _range(transforms["ScaleIntensityRange"])
    if steps == ["ScaleIntensity"] and not {"minv", "maxv", "factor"} & transforms["ScaleIntensity"].keys():
        return {"kind": "minmax"}
    if steps in (["NormalizeIntensity"], ["ClipIntensityPercentiles", "NormalizeIntensity"]):
        return _zscore(transforms)
    listed = ", ".join(steps) or "nothing"
    raise PackageError(f"The bundle prepares intensities with {listed}; this library cannot do the same.")


def _range(step: Mapping[str, Any]) -> dict[str, Any]:
    if (step.get("b_min"), step.get("b_max"), step.get("clip")) != (0.0, 1.0, True):
        raise PackageError(
            "The bundle's ScaleIntensityRanged must scale to 0..1 with clip; another range is not supported."
        )
    limits = Fields(step, "ScaleIntensityRanged", "inference.json")
    return {"kind": "range", "low": limits.number("a_min", -1e9, 1e9), "high": limits.number("a_max", -1e9, 1e9)}


def _zscore(transforms: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    step, clip = transforms["NormalizeIntensity"], transforms.get("ClipIntensityPercentiles")
    if {"subtrahend", "divisor"} & step.keys():
        raise PackageError("The bundle's NormalizeIntensityd uses a fixed mean or spread; this is not supported.")
    settings: dict[str, Any] = {"kind": "zscore"}
    if step.get("nonzero"):
        settings["mask"] = "nonzero"
    if clip is not None:
        limits = Fields(clip, "ClipIntensityPercentilesd", "inference.json")
        settings["clip_percentiles"] = [limits.number("lower", 0, 100), limits.number("upper", 0, 100)]
    return settings


def _windows(config: Mapping[str, Any]) -> dict[str, Any]:
    inferer = resolve(config, config.get("inferer", {}))
    if not isinstance(inferer, dict) or not isinstance(inferer.get("roi_size"), list):
        raise PackageError("The bundle's inference.json has no 'inferer' with a 'roi_size', so its window is unknown.")
    if inferer.get("spatial_dim", 0) != 0:
        raise PackageError("The bundle's inferer slices along another axis than the first; this is not supported.")
    return {"patch": inferer["roi_size"], "overlap": inferer.get("overlap", 0.25)}


def _refuse_sigmoid(config: Mapping[str, Any]) -> None:
    steps = config.get("postprocessing", {}).get("transforms", [])
    if any(isinstance(step, Mapping) and step.get("sigmoid") for step in steps):
        raise PackageError(
            "The bundle's classes overlap (sigmoid); only networks with one class a voxel are supported."
        )


def _labels(prediction: Fields) -> list[dict[str, Any]]:
    names = prediction.mapping("channel_def")
    count = prediction.integer("num_channels", 2, 256)
    if "0" not in names or "background" not in str(names["0"]).lower():
        prediction.fail("channel_def", "channel 0 to be the background")
    return [
        {
            "value": n,
            "name": str(names.get(str(n), f"class {n}")),
            "color": list(label_colour(n)) if n else [0.0, 0.0, 0.0],
        }
        for n in range(count)
    ]
