"""A MONAI Bundle that other people made becomes a package: what its config says as a pipeline, and a self-test.

Nothing of the bundle is run: its config is read, its weights are tensors, and every step, its place and its options are
on a list or refused by name.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import PackageError
from ...nn.registry import GRAPH_ONLY
from ..bundle import GRAPH, WEIGHTS
from ..conversion import convert_checkpoint
from ..foreign_texts import LICENCE, LICENCE_TEXT
from ..metadata import ENTROPY_THRESHOLD
from ..metadata_fields import Fields
from ..metadata_parsing import parse_metadata
from ..package_building import named_failure, write_documents
from ..pipeline import Channel, ChannelNormalisation, Member, Pipeline, to_document
from .config import Config
from .graph import check_graph
from .inferer import Windows, read_windows
from .labels import Classes, count_outputs, read_classes
from .network import Weights, find_weights, read_network
from .preparation import Preparation, read_preparation
from .reading import LABELS, Reading, read_reading
from .running import check_running

LICENCES = ("LICENSE", "LICENSE.txt", "docs/license.txt", "docs/LICENSE.txt", "docs/data_license.txt")
MEMBER = "network"
WHOLE_SIDE = 64
"""Voxels of the window on which a network for whole images is tested where its bundle names none."""

HALVES_ROUNDED = (
    "Its bundle interpolates the numbers of labels on the way back to the scan, which makes fractions at the edges; "
    "here they are rounded, halves up, so that rims of a lower label can appear around a higher one as they do there."
)


@dataclass(frozen=True)
class Description:
    """What was read of a bundle, before anything is written."""

    preparation: Preparation
    windows: Windows
    reading: Reading
    classes: Classes
    network: dict[str, Any]
    weights: Weights
    channels: tuple[str, ...]

    @property
    def patch(self) -> tuple[int, ...]:
        """Of the package: the bundle's window, or the one that a network for whole images is tested on."""
        return self.windows.patch or (WHOLE_SIDE,) * 3


def import_bundle(source: Path, document: Mapping[str, Any], folder: Path, name: str) -> None:
    """Write a package for the bundle at ``source`` into an empty folder.

    Args:
        document: its ``configs/metadata.json``.
        folder: where the package is staged; name: of the package.

    Raises:
        PackageError: the bundle does something that this library would do differently, or does not say what it does.
    """
    described = describe_bundle(source, document)
    for inner in ("configs", "models", "docs"):
        (folder / inner).mkdir(exist_ok=True)
    metadata = package_document(document, described, name)
    parse_metadata(metadata)
    (folder / "LICENSE").write_text(_licence(source), encoding="utf-8", newline="\n")
    test = _take_network(described, folder)
    write_documents(folder, {**metadata, "self_test": {"graph_against_network_on_noise": test}} if test else metadata)


def describe_bundle(source: Path, document: Mapping[str, Any]) -> Description:
    """Read a bundle's config and metadata. Raises ``PackageError`` as ``import_bundle``."""
    config = Config.load(source / "configs")
    tensors = Fields(document).inner("network_data_format")
    image, prediction = tensors.inner("inputs").inner("image"), tensors.inner("outputs").inner("pred")
    channels = image.integer("num_channels", 1, 64)
    check_running(config)
    preparation = read_preparation(config, channels)
    reading = read_reading(config, preparation.image_key, preparation.moves, count_outputs(prediction))
    weights = find_weights(source, config)
    network, weights = _network(config, source, weights)
    return Description(
        preparation,
        read_windows(config),
        reading,
        read_classes(prediction, reading),
        network,
        weights,
        _channel_names(image, channels),
    )


def _network(config: Config, source: Path, weights: Weights) -> tuple[dict[str, Any], Weights]:
    """The network, or only its graph where its class is the bundle's own."""
    try:
        return read_network(config, source, weights), weights
    except PackageError as error:
        if (source / GRAPH).is_file():
            return {"name": GRAPH_ONLY, "arguments": {}}, Weights(source / GRAPH, "graph")
        raise PackageError(f"{error} A graph of the network ({GRAPH}) would need no class.") from error


def _channel_names(image: Fields, count: int) -> tuple[str, ...]:
    given = image.mapping("channel_def") if image.has("channel_def") else {}
    names = tuple(str(given.get(str(n), f"image {n + 1}")) for n in range(count))
    return names if len(set(names)) == count else tuple(f"image {n + 1}" for n in range(count))


def package_document(document: Mapping[str, Any], described: Description, name: str) -> dict[str, Any]:
    """Our metadata: what the bundle says of itself, and the pipeline."""
    pipeline, patch = pipeline_of(described), list(described.patch)
    tensors = {key: dict(value) for key, value in document["network_data_format"].items()}
    tensors["inputs"]["image"] = {**tensors["inputs"]["image"], **_tensor(described.channels, patch)}
    tensors["outputs"]["pred"] = {**tensors["outputs"]["pred"], **_tensor(described.classes.names, patch)}
    member = pipeline.members[0]
    limits = [str(document["limits"])] if document.get("limits") else []
    if pipeline.read_on == LABELS and pipeline.labels.order == 1:
        limits.append(HALVES_ROUNDED)
    return {
        **document,
        "name": name,
        "copyright": document.get("copyright") or "not stated",
        "modality": str(tensors["inputs"]["image"].get("modality", "n/a")),
        "licence": document.get("licence", LICENCE),
        "network_data_format": tensors,
        "network": described.network,
        "head": "softmax",
        "orientation": pipeline.orientation,
        "spacing": None,
        "normalisation": {},
        "patch": patch,
        "overlap": described.windows.overlap,
        "labels": list(described.classes.labels),
        "uncertainty": {"primary": "entropy", "kinds": ["entropy"], "threshold": ENTROPY_THRESHOLD},
        **({"limits": " ".join(limits)} if limits else {}),
        "pipeline": to_document(pipeline),
        "source": {
            "program": "MONAI Bundle",
            "name": str(document.get("name", "")),
            "version": document.get("version"),
        },
        "weights": member.weights or None,
        "graphs": {"main": member.graph},
    }


def _tensor(names: tuple[str, ...], patch: list[int]) -> dict[str, Any]:
    definition = {str(number): name for number, name in enumerate(names)}
    return {"num_channels": len(names), "channel_def": definition, "spatial_shape": patch}


def pipeline_of(described: Description) -> Pipeline:
    """The steps of a bundle. MONAI counts axes as (i, j, k), this library's arrays have (k, j, i)."""
    preparation, windows, reading = described.preparation, described.windows, described.reading
    first = windows.slice_axis
    seen = (first, *(axis for axis in range(3) if axis != first))
    a, b, c = (2 - axis for axis in seen)
    weights = "" if described.weights.kind == "graph" else WEIGHTS
    steps = preparation.intensities or (ChannelNormalisation("none"),)
    return Pipeline(
        orientation=preparation.orientation,
        transpose=(a, b, c),
        crop=preparation.crop,
        order=preparation.order,
        spacing=tuple(preparation.pixdim[axis] for axis in seen) if preparation.pixdim else (),
        image=preparation.image,
        logits=reading.outputs,
        labels=reading.labels,
        read_on=reading.read_on,
        tiles="monai" if windows.patch else "whole",
        step=1.0 - windows.overlap,
        blend=windows.blend,
        pad=windows.pad,
        mirror_axes=(),
        members=(Member(MEMBER, GRAPH, weights),),
        channels=tuple(Channel(name, steps) for name in described.channels),
        regions=described.classes.regions,
        postprocessing=tuple(reading.postprocessing),
    )


def _licence(source: Path) -> str:
    file = next((source / name for name in LICENCES if (source / name).is_file()), None)
    return LICENCE_TEXT if file is None else file.read_text(encoding="utf-8", errors="replace")


def _take_network(described: Description, folder: Path) -> dict[str, Any]:
    """Both files of the package, the weights' numbers unchanged; how far the graph is from the network."""
    channels, outputs = len(described.channels), len(described.classes.names)
    if described.weights.kind == "graph":
        shutil.copyfile(described.weights.path, folder / GRAPH)
        check_graph(folder / GRAPH, channels, outputs)
        return {}
    source = described.weights.path
    if described.weights.kind == "checkpoint":
        source = folder / WEIGHTS
        convert_checkpoint(described.weights.path, source)
    return _write_graph(described, source, folder, (1, channels, *described.patch))


def _write_graph(described: Description, weights: Path, folder: Path, shape: tuple[int, ...]) -> dict[str, Any]:
    from ...nn.export import export_onnx
    from ...nn.registry import create_network
    from ..self_test import compare_graph
    from ..weights import load_weights, save_weights

    network = create_network(described.network["name"], described.network["arguments"]).eval()
    load_weights(network, weights)
    save_weights(network, folder / WEIGHTS)
    with named_failure(shape):
        export_onnx(network, folder / GRAPH, shape, dynamic=not described.windows.patch)
        test = compare_graph(network, folder / GRAPH, shape, "the bundle's network")
    check_graph(folder / GRAPH, len(described.channels), len(described.classes.names), shape[2:])
    return {MEMBER: test}
