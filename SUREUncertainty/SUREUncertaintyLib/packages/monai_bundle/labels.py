"""What a bundle's output channels mean: classes, or regions that paint over one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...core.errors import PackageError
from ...core.uncertainty_colours import label_colour
from ..metadata_fields import Fields
from ..pipeline import Region
from .reading import Reading

LARGEST = 256


@dataclass(frozen=True)
class Classes:
    """Labels as ``configs/metadata.json`` holds them, and regions by output channel; () for classes."""

    labels: tuple[dict[str, Any], ...]
    regions: tuple[Region, ...]
    names: tuple[str, ...]


def count_outputs(prediction: Fields) -> int:
    """Output channels of the network."""
    return prediction.integer("num_channels", 1, LARGEST)


def read_classes(prediction: Fields, reading: Reading) -> Classes:
    """From ``network_data_format.outputs.pred`` of a bundle's metadata.

    Raises:
        PackageError: no names, or classes without a background.
    """
    key = "label_def" if prediction.has("label_def") and not prediction.has("channel_def") else "channel_def"
    given = prediction.mapping(key)
    count = count_outputs(prediction)
    names = tuple(str(given.get(str(n), f"class {n}")) for n in range(count))
    if reading.sigmoid:
        return _regions(names, reading)
    if "background" not in names[0].lower():
        prediction.fail(key, "channel 0 to be the background")
    return Classes(tuple(_entry(n, name) for n, name in enumerate(_distinct(names))), (), names)


def _regions(names: tuple[str, ...], reading: Reading) -> Classes:
    painted = reading.painted or {0: (1, 0)}
    if set(painted) != set(range(len(names))):
        raise PackageError(f"The bundle paints the channels {sorted(painted)} of {len(names)}; every one is expected.")
    values = [painted[channel][0] for channel in range(len(names))]
    if len(set(values)) != len(values):
        raise PackageError(f"The bundle paints two channels with one value ({values}); this is not supported.")
    if reading.postprocessing and sorted(values) != list(range(1, len(values) + 1)):
        raise PackageError("The bundle keeps the largest parts of painted regions; this is not supported.")
    regions = tuple(Region(name, *painted[channel]) for channel, name in enumerate(_distinct(names)))
    ordered = sorted(regions, key=lambda region: region.rank)
    entries = [_entry(one.value, _visible(one, ordered[number + 1 :])) for number, one in enumerate(ordered)]
    return Classes((_entry(0, "background"), *sorted(entries, key=lambda entry: int(entry["value"]))), regions, names)


def _visible(region: Region, later: list[Region]) -> str:
    return f"{region.name} without {' and '.join(one.name for one in later)}" if later else region.name


def _distinct(names: tuple[str, ...]) -> list[str]:
    """Names that occur once stay; others get their channel's number."""
    return [name if names.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(names)]


def _entry(value: int, name: str) -> dict[str, Any]:
    return {"value": value, "name": name, "color": list(label_colour(value)) if value else [0.0, 0.0, 0.0]}
