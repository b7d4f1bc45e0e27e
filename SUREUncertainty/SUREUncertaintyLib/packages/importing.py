"""Brings a package or a MONAI Bundle into the user's folder, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import PackageError
from ..core.progress import IsCancelled, Progress, never, silent
from . import integrity
from .bundle import GRAPH, WEIGHTS
from .catalogue import list_entries, user_folder
from .conversion import convert_checkpoint, is_torchscript
from .foreign_bundle import describe_bundle
from .held_out import refuse_poor
from .metadata import TrainingRecord
from .metadata_parsing import is_package_name, parse_metadata
from .nnunet.folder import find_training, is_nnunet
from .nnunet.importing import import_nnunet
from .package import Package, is_package, load_package, read_json, read_metadata
from .package_building import write_documents, write_graph
from .staging import copy_files, staged_folder

PICKLES = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".ts")
LICENCES = ("LICENSE", "LICENSE.txt", "docs/license.txt", "docs/LICENSE.txt", "docs/data_license.txt")
NO_LICENCE = "The bundle came without a licence text. Ask its authors before using it.\n"
NEEDS_TORCH = "Reading these weights needs PyTorch and MONAI: pip install 'sure-uncertainty[torch]'."


def import_package(
    path: str | Path,
    name: str | None = None,
    convert: bool = False,
    force: bool = False,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Package:
    """Copy a model into the user's folder (``catalogue.user_folder``).

    Args:
        path: a package of ours, a MONAI Bundle with safetensors or ONNX weights, or what nnU-Net v2 wrote: a results
            folder, the data set's folder around it, or one fold.
        name: name in the catalogue; the package's own name when None.
        convert: also take a bundle's ``.pt`` state dict, read in a child process that builds tensors only.
        force: also take a model that was poor on the scans that were set aside when it was trained.
        progress, is_cancelled: for the imports that take long.

    Returns:
        The imported package, verified.

    Raises:
        PackageError: what is at ``path`` is no usable model; the sentence says why.
        OutputError: the user's folder cannot be written.
    """
    source = Path(path)
    _refuse_files(source)
    if source.is_dir() and not is_package(source) and is_nnunet(source):
        return _import_nnunet(source, name, progress, is_cancelled)
    document = read_metadata(source)
    is_ours = "head" in document and "normalisation" in document
    if is_ours and not force:
        refuse_poor(str(document.get("name")), TrainingRecord.of(document))
    target = user_folder() / _free_name(name or (str(document.get("name")) if is_ours else source.resolve().name))
    with staged_folder(target) as folder:
        if is_ours:
            _copy_package(source, folder)
        else:
            _take_bundle(source, document, folder, target.name, convert)
    return load_package(target)


def _import_nnunet(source: Path, name: str | None, progress: Progress, is_cancelled: IsCancelled) -> Package:
    """A training of nnU-Net under the data set's name, unless another one is given."""
    root = find_training(source.resolve()).root
    target = user_folder() / _free_name(name or _words_of(root.parent.name or root.name))
    with staged_folder(target) as folder:
        try:
            import_nnunet(source.resolve(), folder, target.name, progress, is_cancelled)
        except ImportError as error:
            raise PackageError(f"{NEEDS_TORCH} ({error})") from error
    return load_package(target)


def _words_of(folder: str) -> str:
    """A folder's name as a model's: "Dataset004_Hippocampus" stays, other signs become dashes."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in folder)
    return plain.strip("-._") or "nnunet"


def _refuse_files(source: Path) -> None:
    if source.suffix in PICKLES and source.is_file():
        raise PackageError(
            f"{source.name} can carry code that runs when it is opened, and does not say what its network is. "
            "Give the folder of a MONAI Bundle or of a model package."
        )
    if source.is_file():
        raise PackageError(f"{source} is a file; expected a folder. Unpack an archive first.")


def _free_name(name: str) -> str:
    if not is_package_name(name):
        raise PackageError(f"'{name}' cannot name a model; use letters, digits, '-', '_' and '.', such as 'liver-ct'.")
    if name in {entry.name for entry in list_entries()}:
        raise PackageError(f"There is a model named '{name}' already. Choose another name with --name.")
    return name


def _copy_package(source: Path, folder: Path) -> None:
    package = load_package(source)
    pickles = [name for name in integrity.package_files(source) if name.endswith(PICKLES)]
    if pickles:
        raise PackageError(f"The package holds files that can carry code, which are refused: {', '.join(pickles)}.")
    copy_files(source, folder)
    if integrity.fingerprint(integrity.file_checksums(folder)) != package.fingerprint:
        raise PackageError(f"The package {source} changed while it was copied. Try again.")


def _take_bundle(source: Path, document: Mapping[str, Any], folder: Path, name: str, convert: bool) -> None:
    for inner in ("configs", "models", "docs"):
        (folder / inner).mkdir()
    files = {"weights": WEIGHTS, "graphs": {"main": GRAPH}}
    description = {**describe_bundle(document, _inference(source), name), **files}
    parse_metadata(description)
    (folder / "LICENSE").write_text(_licence(source), encoding="utf-8", newline="\n")
    weights = _weights(source, folder, convert)
    if weights is None:
        shutil.copyfile(source / GRAPH, folder / GRAPH)
        _check_graph(folder / GRAPH, len(description["labels"]))
        write_documents(folder, {**description, "weights": None})
    else:
        _write_network(weights, folder, description)
        write_documents(folder, description)


def _inference(source: Path) -> dict[str, Any]:
    if (source / "configs" / "inference.json").is_file():
        return read_json(source, "configs/inference.json")
    others = sorted(file.name for file in (source / "configs").glob("inference.*"))
    found = f" It has {', '.join(others)}; save that as JSON first." if others else ""
    raise PackageError(f"The bundle {source.name} has no configs/inference.json, which says how to run it.{found}")


def _licence(source: Path) -> str:
    file = next((source / name for name in LICENCES if (source / name).is_file()), None)
    return NO_LICENCE if file is None else file.read_text(encoding="utf-8", errors="replace")


def _weights(source: Path, folder: Path, convert: bool) -> Path | None:
    """The safetensors file to read, None when there is only a graph."""
    if (source / WEIGHTS).is_file():
        return source / WEIGHTS
    checkpoint = source / "models" / "model.pt"
    if convert and checkpoint.is_file():
        convert_checkpoint(checkpoint, folder / WEIGHTS)
        return folder / WEIGHTS
    if (source / GRAPH).is_file():
        return None
    raise PackageError(_no_weights(source, checkpoint))


def _no_weights(source: Path, checkpoint: Path) -> str:
    wanted = f"Needed is {WEIGHTS} or {GRAPH}."
    if checkpoint.is_file() and not is_torchscript(checkpoint):
        return (
            f"The weights of {source.name} are a pickle (models/model.pt), which can carry code that runs when it is "
            f"opened. {wanted} With --convert its tensors, and nothing else, are read in a separate process."
        )
    if checkpoint.is_file() or (source / "models" / "model.ts").is_file():
        return f"The weights of {source.name} are TorchScript, a program and not only weights; refused. {wanted}"
    return f"The bundle {source.name} holds no weights. {wanted}"


def _write_network(weights: Path, folder: Path, description: Mapping[str, Any]) -> None:
    """Both files of the package from a foreign state dict, its numbers unchanged."""
    try:
        from ..nn.registry import create_network
        from .weights import load_weights, save_weights

        network = create_network(description["network"]["name"], description["network"]["arguments"])
        load_weights(network, weights)
        save_weights(network.eval(), folder / WEIGHTS)
        write_graph(network, folder / GRAPH, (1, 1, *description["patch"]), dynamic=False)
    except ImportError as error:
        raise PackageError(f"{NEEDS_TORCH} ({error})") from error


def _check_graph(path: Path, classes: int) -> None:
    from ..core.openvino_import import import_openvino

    try:
        model = import_openvino().Core().read_model(str(path))
    except RuntimeError as error:
        raise PackageError(f"OpenVINO cannot read the bundle's {GRAPH}: {str(error).splitlines()[0]}") from error
    ports = [*model.inputs, *model.outputs]
    if len(ports) != 2 or not all(_allows(port, count) for port, count in zip(ports, (1, classes), strict=True)):
        raise PackageError(f"The bundle's {GRAPH} must take one image of one channel and give {classes} classes.")


def _allows(port: Any, channels: int) -> bool:
    shape = port.get_partial_shape()
    return shape.rank.is_dynamic or shape[1].is_dynamic or shape[1].get_length() == channels
