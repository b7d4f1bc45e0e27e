"""A model of SlicerMONAIAuto3DSeg (``model.pt`` and ``labels.csv``) becomes a package.

Its config holds plain values only; the steps are those of the extension's ``auto3dseg_segresnet_inference.py``. What is
known of that script: intensities before the scan is turned, the crop by the stored scan, resampling only where the
spacing is outside of 0.75 to 1.25 times the wanted one, and a label map that goes back by the nearest voxel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...core.errors import PackageError
from ...nn.registry import canonical_name
from ..bundle import GRAPH, WEIGHTS, complete_document
from ..foreign_texts import LICENCE, LICENCE_TEXT
from ..metadata import ENTROPY_THRESHOLD
from ..metadata_fields import Fields
from ..metadata_parsing import parse_metadata
from ..monai_bundle.config import Config
from ..package_building import named_failure, write_documents
from ..pipeline import (
    LINEAR,
    NEAREST,
    Channel,
    ChannelNormalisation,
    LargestParts,
    Member,
    Pipeline,
    Region,
    to_document,
)
from ..self_test import compare_graph
from .checkpoint import convert_auto3dseg
from .labels import read_labels_csv

MODEL, LABELS = "model.pt", "labels.csv"
OVERLAP = 0.625
MARGIN = 10
KEEP = (0.75, 1.25)
PAINTED = (2, 1, 3)
"""What the three regions of a tumour model paint, in this order: whole tumour, core, enhancing tumour."""

STANDARDISED = ChannelNormalisation("standardise", masked=True)
MODES: dict[str, tuple[ChannelNormalisation, ...]] = {
    "none": (ChannelNormalisation("none"),),
    "meanstd": (STANDARDISED,),
    "mri": (STANDARDISED,),
    "meanstdtanh": (STANDARDISED, ChannelNormalisation("tanh")),
}
RANGES = ("range", "ct")


@dataclass(frozen=True)
class Model:
    """What was read of a model before its graph is written."""

    config: Fields
    network: dict[str, Any]
    channels: tuple[Channel, ...]
    labels: tuple[dict[str, Any], ...]
    regions: tuple[Region, ...]
    outputs: int
    tumour: bool


def find_auto3dseg(source: Path) -> Path | None:
    """The folder in ``source``, or one below it, that holds both files; None without."""
    places = [source, *sorted(path for path in source.iterdir() if path.is_dir())] if source.is_dir() else []
    return next((place for place in places if (place / MODEL).is_file() and (place / LABELS).is_file()), None)


def import_auto3dseg(source: Path, folder: Path, name: str, called: str) -> None:
    """Write a package for the model in ``source`` into an empty folder.

    Args:
        folder: where the package is staged; name: of the package.
        called: what the model was called; the extension's script decides by it for tumours and heads.

    Raises:
        PackageError: the model does something that is not known here; the sentence says what.
    """
    for inner in ("configs", "models", "docs"):
        (folder / inner).mkdir(exist_ok=True)
    config = convert_auto3dseg(source / MODEL, folder / WEIGHTS)
    model = read_model(config, read_labels_csv(source / LABELS), called)
    pipeline = pipeline_of(model, called)
    document = _document(model, pipeline, name, called)
    parse_metadata(document)
    shape = (1, len(model.channels), *document["patch"])
    test = _write_graph(model, folder, shape)
    licence = next((source / file for file in ("LICENSE", "LICENSE.txt") if (source / file).is_file()), None)
    text = LICENCE_TEXT if licence is None else licence.read_text(encoding="utf-8", errors="replace")
    (folder / "LICENSE").write_text(text, encoding="utf-8", newline="\n")
    write_documents(folder, {**document, "self_test": {"graph_against_network_on_noise": {"network": test}}})


def read_model(config: Mapping[str, Any], entries: Mapping[int, dict[str, Any]], called: str) -> Model:
    """Check a config.

    Raises:
        PackageError: a network, normalisation or output that is not known here.
    """
    fields = Fields(config, document="config of model.pt")
    network = _network(fields)
    channels, outputs = (
        int(network["arguments"].get(key, default)) for key, default in (("in_channels", 1), ("out_channels", 2))
    )
    tumour = "brats" in called.lower()
    found = _channels(fields, channels, tumour)
    if _truth(fields, "sigmoid"):
        labels, regions = _regions(entries, outputs, tumour)
    else:
        labels, regions = _classes(entries, outputs), ()
    return Model(fields, network, found, labels, regions, outputs, tumour)


def _network(fields: Fields) -> dict[str, Any]:
    definition = fields.mapping("network")
    target = str(definition.get("_target_"))
    if target.rpartition(".")[2] != "SegResNetDS":
        raise PackageError(
            f"The model's network is '{target}'; models of Auto3DSeg that are known here use SegResNetDS."
        )
    plain = {key: value for key, value in definition.items() if not key.startswith("_")}
    return {"name": canonical_name(target), "arguments": Config(definition).value(plain)}


def _channels(fields: Fields, count: int, tumour: bool) -> tuple[Channel, ...]:
    """One an image; those of a tumour model are all normalised as the first one."""
    extra = fields.content.get("extra_modalities") or {}
    if tumour and not extra:
        mode = fields.content.get("normalize_mode")
        return tuple(Channel(f"image {number + 1}", _steps(fields, mode)) for number in range(count))
    if not isinstance(extra, Mapping) or len(extra) != count - 1:
        raise PackageError(
            f"The model's network takes {count} images, but its config names {len(extra)} beside the first one."
        )
    modes = [fields.content.get("normalize_mode"), *extra.values()]
    names = ["image", *(str(name) for name in extra)]
    return tuple(Channel(name, _steps(fields, mode)) for name, mode in zip(names, modes, strict=True))


def _steps(fields: Fields, mode: object) -> tuple[ChannelNormalisation, ...]:
    if mode in RANGES:
        low, high = fields.interval("intensity_bounds")
        scaled = ChannelNormalisation("range", low=low, high=high, to_low=-1.0, to_high=1.0)
        return (scaled, ChannelNormalisation("sigmoid"))
    if mode not in MODES:
        known = ", ".join((*RANGES, *MODES))
        raise PackageError(
            f"The model normalises intensities by '{mode}', which is not known here. Known are: {known}."
        )
    return MODES[str(mode)]


def _classes(entries: Mapping[int, dict[str, Any]], outputs: int) -> tuple[dict[str, Any], ...]:
    beyond = sorted(value for value in entries if value >= outputs)
    if beyond:
        raise PackageError(f"The table labels.csv names the value {beyond[0]}, but the network has {outputs} classes.")
    background = {"value": 0, "name": "background", "color": [0, 0, 0]}
    return (background, *(entries.get(value, _unnamed(value)) for value in range(1, outputs)))


def _unnamed(value: int) -> dict[str, Any]:
    from ...core.uncertainty_colours import label_colour

    return {"value": value, "name": f"class {value}", "color": list(label_colour(value))}


def _regions(
    entries: Mapping[int, dict[str, Any]], outputs: int, tumour: bool
) -> tuple[tuple[dict[str, Any], ...], tuple[Region, ...]]:
    """A single structure, or a tumour's three regions that paint over one another."""
    if outputs != (3 if tumour else 1):
        raise PackageError(
            f"The model's {outputs} classes overlap (sigmoid); known are one structure, and the three regions of "
            "tumour models whose name holds 'brats'."
        )
    values = PAINTED if tumour else (1,)
    labels = tuple(entries.get(value, _unnamed(value)) for value in sorted(values))
    names = {int(entry["value"]): str(entry["name"]) for entry in labels}
    regions = tuple(
        Region(f"region of {names[value]}" if tumour else names[value], value, n) for n, value in enumerate(values)
    )
    return ({"value": 0, "name": "background", "color": [0, 0, 0]}, *labels), regions


def _truth(fields: Fields, key: str, default: bool = False) -> bool:
    value = fields.content.get(key, default)
    if not isinstance(value, bool):
        fields.fail(key, "true or false")
    return value


def pipeline_of(model: Model, called: str) -> Pipeline:
    """The steps of the extension's script; those for tumours come in another order."""
    fields = model.config
    resolution = fields.numbers("resample_resolution", 3, 1e-4, 1e4) if fields.has("resample_resolution") else ()
    crops = _truth(fields, "crop_foreground", True)
    order = ("crop", "resample", "normalise") if model.tumour else ("normalise", "crop", "resample")
    largest = LargestParts((), False, 3, 2, "scan")
    return Pipeline(
        orientation="RAS" if _truth(fields, "orientation_ras") else "native",
        transpose=(2, 1, 0),
        crop=("foreground" if model.tumour else "scan") if crops else "none",
        crop_margin=MARGIN if crops else 0,
        order=order,
        spacing=resolution,
        image=replace(LINEAR, keep=KEEP),
        logits=LINEAR,
        labels=NEAREST,
        read_on="labels",
        tiles="monai",
        step=1.0 - OVERLAP,
        blend="gaussian",
        mirror_axes=(),
        members=(Member("network", GRAPH, WEIGHTS),),
        channels=model.channels,
        regions=model.regions,
        postprocessing=(largest,) if "whole-head" in called.lower() and not model.regions else (),
    )


def _document(model: Model, pipeline: Pipeline, name: str, called: str) -> dict[str, Any]:
    patch = list(model.config.integers("roi_size", (3,)))
    structures = ", ".join(str(entry["name"]) for entry in model.labels[1:])
    is_ct = model.config.content.get("normalize_mode") in RANGES
    described = {
        "name": name,
        "version": "1.0.0",
        "task": f"Segmentation of {structures}",
        "description": "Trained with MONAI Auto3DSeg (SegResNetDS); runs as SlicerMONAIAuto3DSeg does, with this "
        "library's own engine.",
        "authors": "not stated",
        "copyright": "not stated",
        "licence": LICENCE,
        "modality": "CT" if is_ct else "n/a",
        "network": model.network,
        "head": "softmax",
        "orientation": pipeline.orientation,
        "spacing": None,
        "normalisation": {},
        "patch": patch,
        "overlap": OVERLAP,
        "labels": list(model.labels),
        "uncertainty": {"primary": "entropy", "kinds": ["entropy"], "threshold": ENTROPY_THRESHOLD},
        "pipeline": to_document(pipeline),
        "source": {"program": "MONAI Auto3DSeg", "name": called},
    }
    complete = complete_document(described, (1, len(model.channels), *patch))
    names = [region.name for region in model.regions] or [str(entry["name"]) for entry in model.labels]
    complete["network_data_format"]["outputs"]["pred"] |= _definition(names)
    complete["network_data_format"]["inputs"]["image"] |= _definition([one.name for one in model.channels])
    return {**complete, "weights": WEIGHTS, "graphs": {"main": GRAPH}}


def _definition(names: Sequence[str]) -> dict[str, Any]:
    return {"num_channels": len(names), "channel_def": {str(number): name for number, name in enumerate(names)}}


def _write_graph(model: Model, folder: Path, shape: tuple[int, ...]) -> dict[str, Any]:
    from ...nn.export import export_onnx
    from ...nn.registry import create_network
    from ..weights import load_weights

    network = create_network(model.network["name"], model.network["arguments"]).eval()
    load_weights(network, folder / WEIGHTS)
    with named_failure(shape):
        export_onnx(network, folder / GRAPH, shape, dynamic=False)
        return compare_graph(network, folder / GRAPH, shape, "the model")
