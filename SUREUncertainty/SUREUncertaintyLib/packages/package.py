"""A model package: a folder that holds one trained network and everything that is known about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import PackageError
from . import integrity
from .metadata import PackageMetadata
from .metadata_parsing import parse_metadata

METADATA = "configs/metadata.json"


@dataclass(frozen=True)
class Package:
    """A folder whose ``configs/metadata.json`` was read and checked. Make one with ``load_package``.

    ``fingerprint`` is the SHA-256 over the checksums of all files, hexadecimal: the same for the same package anywhere.
    """

    root: Path
    metadata: PackageMetadata
    fingerprint: str

    @property
    def name(self) -> str:
        """The folder's name, by which the catalogue knows the package."""
        return self.root.name

    @property
    def weights_path(self) -> Path:
        """The safetensors file.

        Raises:
            PackageError: the package only has graphs.
        """
        if not self.metadata.weights:
            raise PackageError(f"The model {self.name} has no PyTorch weights; use the OpenVINO engine for it.")
        return self._existing(self.metadata.weights)

    def graph_path(self, role: str = "main") -> Path:
        """The ONNX file of a role: ``"main"``, or ``"encoder"`` and ``"decoder"``.

        Raises:
            PackageError: the package has no such graph.
        """
        if role not in self.metadata.graphs:
            raise PackageError(f"The model {self.name} has no '{role}' ONNX graph; use the torch engine for it.")
        return self._existing(self.metadata.graphs[role])

    def file_path(self, relative: str) -> Path:
        """A file that the metadata names by its path inside the package. Raises ``PackageError`` without it."""
        return self._existing(relative)

    @property
    def size_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(path.stat().st_size for path in integrity.package_files(self.root).values())

    def _existing(self, relative: str) -> Path:
        path = self.root / relative
        if not path.is_file():
            raise PackageError(f"The model package {self.name} lacks its file {relative}. Get the package again.")
        return path


def load_package(path: str | Path, verify: bool = True) -> Package:
    """Read the package in the folder ``path``.

    Args:
        path: the package's folder.
        verify: also check the SHA-256 of every file, which reads all of them.

    Raises:
        PackageError: no package there, its metadata is wrong, or a file is not as it was when the package was made.
    """
    root = Path(path)
    document = read_metadata(root)
    if verify:
        integrity.verify(root)
    return Package(root, parse_metadata(document), integrity.fingerprint(integrity.recorded_checksums(root)))


def is_package(path: Path) -> bool:
    """Whether a folder looks like a package or a MONAI Bundle."""
    return (path / METADATA).is_file()


def read_metadata(root: Path) -> dict[str, Any]:
    """The parsed ``configs/metadata.json``, not yet checked.

    Raises:
        PackageError: not a folder with this file, or the file is not JSON.
    """
    if not is_package(root):
        raise PackageError(f"There is no model package at {root}: expected a folder with {METADATA}.")
    return read_json(root, METADATA)


def read_json(root: Path, relative: str) -> dict[str, Any]:
    """A JSON object inside the package."""
    try:
        document = json.loads((root / relative).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PackageError(f"The file {relative} of the model package {root} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise PackageError(f"The file {relative} of the model package {root} must hold one JSON object {{ }}.")
    return document
