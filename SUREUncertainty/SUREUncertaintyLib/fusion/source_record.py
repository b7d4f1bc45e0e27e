"""What a fused result was made from: files and their checksums, ready for JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..analysis.agreement import range_name
from ..core.errors import InputError
from ..core.volume import Grid
from ..files.checksum import file_sha256
from ..inference.provenance import Stopwatch, describe_grid, library_versions
from .fuse import SURE

MASK, MAP = "mask", "probability map"
"""What a given file is, in the singular."""

SINGLE_RANGE = f"range from probability above {SURE:g} to probability above {1 - SURE:.2g}"


@dataclass(frozen=True)
class Source:
    """A given file: the name that tells it from the others, and its checksum."""

    path: Path
    name: str
    sha256: str


def identify(paths: Sequence[Path]) -> tuple[Source, ...]:
    """Names (``case.npz``, or ``fold_0/case.npz`` where several are called alike) and checksums.

    Raises:
        InputError: a file is given twice or does not exist.
    """
    seen: set[Path] = set()
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path} does not exist or is a folder. One file is expected: check the path.")
        if path.resolve() in seen:
            raise InputError(f"The file {path} is given twice. Give each mask or probability map once.")
        seen.add(path.resolve())
    return tuple(Source(path, name, file_sha256(path)) for path, name in zip(paths, _names(paths), strict=True))


KINDS = {MASK: "masks", MAP: "probabilities"}


def record(
    noun: str,
    image: Path,
    grid: Grid,
    sources: Sequence[Source],
    labels: str,
    options: dict[str, Any],
    watch: Stopwatch,
) -> dict[str, Any]:
    """The record of a fusion; ``model`` names what drew the outline, as in results of networks.

    Args:
        noun: what a source is, ``MASK`` or ``MAP``.
        labels: where the names of the labels come from.
    """
    count = len(sources)
    name = f"Consensus of {count} {noun}s" if count > 1 else f"One {noun}"
    return {
        "versions": library_versions(),
        "model": {"name": name, "version": __version__, "fingerprint": _together(sources)},
        "made_from": {
            "kind": KINDS[noun],
            "image": {"file": image.name, "sha256": file_sha256(image) if image.is_file() else None},
            "members": [{"file": source.name, "sha256": source.sha256} for source in sources],
            "label_names": labels or "none given",
            "volume_range": range_name(count, noun) if count > 1 else SINGLE_RANGE,
        },
        "timings_s": watch.rounded(),
        "geometry": {"input": describe_grid(grid)},
        "options": options,
    }


def _names(paths: Sequence[Path]) -> list[str]:
    """As few of the last parts of each path as tell all of them apart."""
    parts = [path.resolve().parts for path in paths]
    for count in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-count:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def _together(sources: Sequence[Source]) -> str:
    """SHA-256 over the checksums, whatever their order."""
    return hashlib.sha256("".join(sorted(source.sha256 for source in sources)).encode("ascii")).hexdigest()
