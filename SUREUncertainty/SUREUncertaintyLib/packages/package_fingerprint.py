"""What tells one network and its input from another: tables of numbers are only compared under one fingerprint."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from .integrity import recorded_checksums
from .package import Package

WEIGHT_FILES = (".safetensors", ".onnx")


@dataclass(frozen=True)
class Fingerprint:
    """What the numbers of an extractor depend on. Tables with different fingerprints are never mixed.

    Attributes:
        name: as the registry knows it, with its argument.
        sha256: of the weights, hexadecimal; empty for an extractor without weights.
        preprocessing: orientation, spacing, normalisation and the like, ready for JSON.
    """

    name: str
    sha256: str = ""
    preprocessing: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 over all three."""
        text = json.dumps([self.name, self.sha256, self.preprocessing], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the digest included."""
        facts = {"name": self.name, "sha256": self.sha256, "preprocessing": self.preprocessing}
        return {**facts, "digest": self.digest}


def package_fingerprint(package: Package) -> Fingerprint:
    """Checksum of the network's own file, and how it wants its input; other changes of a package do not matter."""
    facts = package.metadata
    preprocessing = {
        "orientation": facts.orientation,
        "spacing": list(facts.spacing) if facts.spacing else None,
        "normalisation": facts.normalisation,
        "patch": list(facts.patch),
        "overlap": facts.overlap,
        "axis": "slices, foot to head",
        "grid": "the whole scan or region at the model's spacing",
    }
    network = facts.weights or facts.graphs["main"]
    return Fingerprint(f"package:{facts.name}", recorded_checksums(package.root)[network], preprocessing)


def network_digest(package: Package) -> str:
    """SHA-256 over every weight and graph of a package and how the networks want their input, whatever its kind.

    The head of a fit is none of them: runs without it answer as before, and with it no forecast is read.
    """
    facts = package.metadata
    head = "" if facts.fitted is None else facts.fitted.graph
    sums = recorded_checksums(package.root).items()
    files = {name: sha for name, sha in sums if name.endswith(WEIGHT_FILES) and name != head}
    own = [facts.orientation, facts.spacing, facts.normalisation]
    steps = own if facts.pipeline is None else repr(facts.pipeline)
    text = json.dumps([facts.name, files, steps, facts.patch, facts.overlap], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
