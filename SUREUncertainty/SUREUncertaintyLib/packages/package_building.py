"""Makes a package from a trained network, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import PackageError
from .bundle import GRAPH, HALVES, WEIGHTS, complete_document, inference_config
from .integrity import seal
from .metadata_parsing import parse_metadata
from .model_card import model_card
from .package import METADATA, Package, load_package, read_metadata
from .staging import copy_files, staged_folder
from .weights import rounded_to_half, save_weights

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

TOLERANCE = 1e-3
"""Engines agree to this in probability; a graph that does not is never packed."""


def build_package(
    destination: Path,
    metadata: Mapping[str, Any],
    network: torch.nn.Module,
    licence_text: str,
    example_shape: Sequence[int],
    overwrite: bool = False,
) -> Package:
    """Write a package and load it again.

    Args:
        destination: the folder to make; its name is the model's name in the catalogue.
        metadata: the fields of ``docs/packages.md``. Left out, these are filled in: the versions of MONAI, torch and
            numpy, ``network_data_format``, ``weights``, ``graphs``, ``schema``, ``changelog``.
        network: what ``create_network`` makes from ``metadata["network"]``, trained. It is not changed: kernels are
            rounded to float16 in a copy, and both files are written from that copy.
        licence_text: text of ``LICENSE``, the licence of the weights.
        example_shape: (1, channels, *patch).
        overwrite: an existing folder is replaced when the new one is complete.

    Raises:
        PackageError: the metadata is wrong, or the ONNX graph disagrees with the network.
        OutputError: the folder exists already or cannot be written.
    """
    document = complete_document(metadata, example_shape)
    parse_metadata(document)
    if list(example_shape[2:]) != list(document["patch"]):
        raise PackageError(f"The example shape {tuple(example_shape)} does not end in the patch {document['patch']}.")
    with staged_folder(destination, overwrite) as folder:
        for name in ("configs", "models", "docs"):
            (folder / name).mkdir()
        _write_network(folder, network, example_shape, str(document.get("head", "softmax")))
        (folder / "LICENSE").write_text(licence_text, encoding="utf-8", newline="\n")
        write_documents(folder, document)
    return load_package(destination)


def amend_package(package: Package, changes: Mapping[str, Any]) -> Package:
    """Replace top-level fields of a package's metadata, such as ``metrics``; card and checksums follow.

    Raises:
        PackageError: the package was tampered with, or the changed metadata is wrong.
    """
    load_package(package.root)
    with staged_folder(package.root, overwrite=True) as folder:
        copy_files(package.root, folder)
        write_documents(folder, {**read_metadata(folder), **changes})
    return load_package(package.root)


def write_documents(folder: Path, document: Mapping[str, Any]) -> None:
    """Write everything that follows from the metadata into a folder with its weights: JSON, card, checksums.

    Raises:
        PackageError: the metadata is wrong.
    """
    parse_metadata(document)
    _write_json(folder / METADATA, document)
    if document.get("weights") and "pipeline" not in document:  # MONAI has no words for other programs' pipelines
        _write_json(folder / "configs" / "inference.json", inference_config(document))
    card = folder / "docs" / "README.md"
    card.write_text(model_card(document), encoding="utf-8", newline="\n")
    seal(folder)


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def _write_network(folder: Path, network: torch.nn.Module, example_shape: Sequence[int], head: str) -> None:
    rounded = rounded_to_half(network)
    save_weights(rounded, folder / WEIGHTS)
    if hasattr(rounded, "prior"):
        write_halves(rounded, folder, example_shape)
    else:
        write_graph(rounded, folder / GRAPH, example_shape, head=head)


def write_halves(network: Any, folder: Path, example_shape: Sequence[int]) -> None:
    """Export the encoder and the decoder of a network with latents and compare one sample of both with the network.

    Raises:
        PackageError: as ``write_graph``.
    """
    from ..nn.hierarchical.export import export_halves, halves_difference

    paths = folder / HALVES["encoder"], folder / HALVES["decoder"]
    noise = _noise_windows(example_shape)
    with named_failure(example_shape):
        _require_same_size(network, noise)
        export_halves(network, *paths, example_shape)
    _require_agreement(halves_difference(network, *paths, noise))


def write_graph(
    network: torch.nn.Module, path: Path, example_shape: Sequence[int], dynamic: bool = True, head: str = "softmax"
) -> None:
    """Export the network and compare the graph with it on a window of noise.

    Raises:
        PackageError: the network does not run on such a window, or the two differ by more than 1e-3 in probability.
    """
    from ..nn.export import export_onnx, graph_difference

    noise = _noise_windows(example_shape)
    with named_failure(example_shape):
        _require_same_size(network, noise)
        export_onnx(network, path, example_shape, dynamic)
    _require_agreement(graph_difference(network, path, noise, head))


def _noise_windows(example_shape: Sequence[int]) -> NDArray[np.float32]:
    import numpy as np

    return np.random.default_rng(0).standard_normal((2, *example_shape[1:])).astype(np.float32)


@contextmanager
def named_failure(example_shape: Sequence[int]) -> Iterator[None]:
    """Turns what a network raises on a window of that shape into a ``PackageError``."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise PackageError(f"The network does not run on a window of {tuple(example_shape)}: {reason}") from error


def _require_agreement(difference: float) -> None:
    if not difference <= TOLERANCE:
        raise PackageError(
            f"The ONNX graph differs from the network by {difference:.2g} in probability; "
            f"at most {TOLERANCE:g} is allowed."
        )


def _require_same_size(network: torch.nn.Module, windows: NDArray[np.float32]) -> None:
    import torch

    with torch.no_grad():
        size = tuple(network.eval()(torch.from_numpy(windows)).shape[2:])
    if size != windows.shape[2:]:
        raise ValueError(f"it gives {size} for {windows.shape[2:]}")
