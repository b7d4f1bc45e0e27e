"""nnU-Net's labels: one class a voxel, or regions that paint over one another; ``ignore`` has no channel."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import PackageError
from ..pipeline import Region

GOLDEN_RATIO = 0.618034
LARGEST = 255


@dataclass(frozen=True)
class LabelPlan:
    """What a network's channels mean.

    Attributes:
        labels: entries of ``configs/metadata.json``, background first, with the values of nnU-Net's label maps.
        regions: output channels in painting order, empty for one class a voxel.
    """

    labels: tuple[dict[str, Any], ...]
    regions: tuple[Region, ...]

    @property
    def outputs(self) -> int:
        """Output channels of the network."""
        return len(self.regions) or len(self.labels)


def read_labels_of(dataset: Mapping[str, Any]) -> LabelPlan:
    """From ``dataset.json``.

    Raises:
        PackageError: no labels, or some that nnU-Net itself would refuse.
    """
    names = dataset.get("labels")
    if not isinstance(names, dict) or names.get("background") != 0 or len(names) < 2:
        raise PackageError("The dataset.json names no 'labels' with a background of 0; nnU-Net v2 needs them.")
    kept = {str(name): _values(name, value) for name, value in names.items() if name not in ("background", "ignore")}
    if any(len(values) > 1 for values in kept.values()):
        return _regions(kept, dataset.get("regions_class_order"))
    values = [value for (value,) in kept.values()]
    if sorted(values) != list(range(1, len(values) + 1)):
        raise PackageError(f"The labels of dataset.json must be 1, 2, 3, ... without gaps; they are {sorted(values)}.")
    named = sorted((value, name) for name, (value,) in kept.items())
    return LabelPlan((_entry(0, "background"), *(_entry(value, name) for value, name in named)), ())


def _regions(kept: Mapping[str, Sequence[int]], order: object) -> LabelPlan:
    if not isinstance(order, list) or len(order) != len(kept) or any(type(value) is not int for value in order):
        raise PackageError(f"The dataset.json has {len(kept)} regions but no 'regions_class_order' of that length.")
    if len(set(order)) != len(order) or not all(0 < value <= LARGEST for value in order):
        raise PackageError("Every entry of 'regions_class_order' must be another label value from 1 to 255.")
    regions = tuple(Region(name, value, rank) for rank, (name, value) in enumerate(zip(kept, order, strict=True)))
    entries = [_entry(region.value, _remainder(number, tuple(kept.items()))) for number, region in enumerate(regions)]
    return LabelPlan((_entry(0, "background"), *sorted(entries, key=lambda entry: int(entry["value"]))), regions)


def _remainder(number: int, regions: Sequence[tuple[str, Sequence[int]]]) -> str:
    """What stays visible of a region after those that are painted later, of which the widest are named."""
    name, values = regions[number]
    later = {other: set(inner) for other, inner in regions[number + 1 :] if set(inner) & set(values)}
    over = [other for other, inner in later.items() if not any(inner < wider for wider in later.values())]
    return f"{name} without {' and '.join(over)}" if over else name


def _values(name: object, value: object) -> tuple[int, ...]:
    values = value if isinstance(value, list) else [value]
    if not values or any(type(one) is not int or not 0 <= one <= LARGEST for one in values):
        raise PackageError(
            f"The label '{name}' of dataset.json must be a whole number from 1 to 255, or a list of them."
        )
    return tuple(values)


def _entry(value: int, name: str) -> dict[str, Any]:
    hue = colorsys.hsv_to_rgb(value * GOLDEN_RATIO % 1.0, 0.65, 0.95)
    return {"value": value, "name": name, "color": [round(part, 3) for part in hue] if value else [0.0, 0.0, 0.0]}
