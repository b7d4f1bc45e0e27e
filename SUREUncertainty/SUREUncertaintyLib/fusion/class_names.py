"""What the label values or channels of given masks and probabilities mean: typed names, or nnU-Net's dataset.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.labels import Label
from ..core.uncertainty_colours import label_colour

HIGHEST = 255
"""Label maps of results hold bytes."""

HOW = "Write for instance --labels 1=Liver,2=Tumour, or give the dataset.json of nnU-Net."


@dataclass(frozen=True)
class Naming:
    """Names of label values.

    Attributes:
        names: by label value, background left out, in the order in which regions paint.
        regions: whether they are regions that may overlap, one channel each, without a channel for background.
        source: where the names come from, for the record.
    """

    names: Mapping[int, str]
    regions: bool = False
    source: str = ""

    def labels(self) -> tuple[Label, ...]:
        """The labels in their order, coloured."""
        return tuple(named(value, name) for value, name in self.names.items())


def named(value: int, name: str = "") -> Label:
    """A label with a colour of its own and, where none is known, a name that says so."""
    return Label(value, name or f"Label {value}", label_colour(value))


def read_naming(text: str, regions: bool = False) -> Naming:
    """Names as typed (``1=Liver,2=Tumour``) or from a dataset.json.

    Args:
        regions: whether the channels are overlapping regions; a dataset.json says so itself.

    Raises:
        InputError: neither of both, or names and values that cannot be.
    """
    if text.lower().endswith(".json"):
        return _of_dataset(Path(text), regions)
    names: dict[int, str] = {}
    for part in text.split(","):
        value, equals, name = part.partition("=")
        if not equals:
            raise InputError(f"'{part.strip()}' in --labels names no label. {HOW}")
        _add(names, value.strip(), name.strip(), "--labels")
    return Naming(names, regions, "--labels")


def _of_dataset(path: Path, regions: bool) -> Naming:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        entries = dict(document["labels"])
    except OSError:
        raise InputError(f"The file {path} cannot be read. {HOW}") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"The file {path.name} is no dataset.json: it lists no labels. {HOW}") from None
    if any(isinstance(value, list) for value in entries.values()):
        return _of_regions(path, entries, document.get("regions_class_order"))
    names: dict[int, str] = {}
    for key, value in entries.items():
        # {"Liver": 1} is nnU-Net v2, {"1": "Liver"} the Medical Segmentation Decathlon
        number, name = (key, str(value)) if isinstance(value, str) else (value, key)
        if name != "ignore":
            _add(names, number, name, path.name)
    return Naming(dict(sorted(names.items())), regions, path.name)


def _of_regions(path: Path, entries: Mapping[str, Any], order: Any) -> Naming:
    """Every entry but background and ``ignore`` is a channel; the order says which label value each paints."""
    channels = [name for name, value in entries.items() if name != "ignore" and value not in (0, [0])]
    if not isinstance(order, list) or len(order) != len(channels):
        raise InputError(
            f"The file {path.name} lists {len(channels)} regions that may overlap, but not in which order they are "
            "drawn: 'regions_class_order' with a label value for each is expected."
        )
    names: dict[int, str] = {}
    for value, name in zip(order, channels, strict=True):
        _add(names, value, name, path.name)
    return Naming(names, True, path.name)


def _add(names: dict[int, str], value: Any, name: str, where: str) -> None:
    """Take one name in; background is none."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise InputError(f"'{value}' in {where} is no label value: a whole number is expected. {HOW}") from None
    if number == 0:
        return
    if not 0 < number <= HIGHEST:
        raise InputError(f"The label value {number} in {where} is not between 1 and {HIGHEST}. {HOW}")
    if not name or number in names or name in names.values():
        raise InputError(
            f"{where} names the label {number} twice, with the name of another one, or not at all. "
            "Every value needs one name of its own."
        )
    names[number] = name


def check_channels(naming: Naming, channels: int, file: str) -> None:
    """Raise ``InputError`` unless the names fit a probability file of that many channels."""
    if naming.regions:
        if len(naming.names) != channels:
            raise InputError(
                f"The file {file} holds {channels} regions, but {naming.source} names {len(naming.names)} "
                f"({_listed(naming)}). One name a channel is expected, in the order of the channels."
            )
        return
    if sorted(naming.names) != list(range(1, channels)):
        raise InputError(
            f"The file {file} holds {channels} classes, the first of them background, so the labels 1 to "
            f"{channels - 1} are expected; {naming.source} names {_listed(naming)}."
        )


def unnamed(values: Sequence[int], regions: bool = False) -> Naming:
    """Label 1, Label 2, ... where nobody gave names."""
    return Naming({value: f"{'Region' if regions else 'Label'} {value}" for value in values}, regions, "")


def _listed(naming: Naming) -> str:
    return ", ".join(f"{value}={name}" for value, name in naming.names.items()) or "none"
