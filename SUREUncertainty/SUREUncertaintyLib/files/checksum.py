"""Checksums: of a file, and of the voxels of a scan, so that a result is not attached to somebody else's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1 << 20


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def document_sha256(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document's JSON with sorted keys, hexadecimal: the same for a recipe in memory and in a file."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode("utf-8")).hexdigest()


def voxel_fingerprint(array: NDArray[Any]) -> str:
    """SHA-256 of the values (k, j, i) as float32; readers differ in the type that they give the same values."""
    digest = sha256(repr(array.shape).encode())
    for part in array:
        digest.update(np.ascontiguousarray(part, "<f4").tobytes())
    return digest.hexdigest()
