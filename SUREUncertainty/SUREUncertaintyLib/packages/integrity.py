"""SHA-256 of every file of a package: a changed, missing or added file is named before anything is loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import PackageError
from ..files.checksum import file_sha256

CHECKSUMS = "configs/checksums.json"
LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that a file browser leaves behind; they are no part of a package."""


@dataclass(frozen=True)
class Differences:
    """Files that are not as they were when the package was sealed, by path inside the package."""

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.extra)

    def sentence(self) -> str:
        """What differs, e.g. ``changed: LICENSE; missing: models/model.onnx``."""
        parts = (("changed", self.changed), ("missing", self.missing), ("not part of it", self.extra))
        return "; ".join(f"{word}: {', '.join(files)}" for word, files in parts if files)


def package_files(root: Path) -> dict[str, Path]:
    """Every file below ``root`` by POSIX path, sorted, without a file browser's litter."""
    files = (path for path in root.rglob("*") if path.is_file() and path.name not in LITTER)
    return dict(sorted((path.relative_to(root).as_posix(), path) for path in files))


def file_checksums(root: Path) -> dict[str, str]:
    """SHA-256 in hexadecimal of every file below ``root`` but the checksums themselves, by POSIX path, sorted."""
    return {name: file_sha256(path) for name, path in package_files(root).items() if name != CHECKSUMS}


def seal(root: Path) -> None:
    """Write ``configs/checksums.json`` for the files as they are now."""
    text = json.dumps(file_checksums(root), indent=2) + "\n"
    (root / CHECKSUMS).write_text(text, encoding="utf-8", newline="\n")


def recorded_checksums(root: Path) -> dict[str, str]:
    """The checksums that the package was sealed with.

    Raises:
        PackageError: there are none, or the file is not what ``seal`` writes.
    """
    try:
        recorded = json.loads((root / CHECKSUMS).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PackageError(f"The model package {root} has no {CHECKSUMS}, so its files cannot be trusted.") from error
    except (OSError, ValueError) as error:
        raise PackageError(f"The model package {root} has an unreadable {CHECKSUMS}: {error}") from error
    if not isinstance(recorded, dict) or not all(isinstance(value, str) for value in recorded.values()):
        raise PackageError(f"The model package {root} has a {CHECKSUMS} that is not a list of files and checksums.")
    return recorded


def differences(root: Path) -> Differences:
    """Compare the files with the recorded checksums."""
    recorded, found = recorded_checksums(root), file_checksums(root)
    return Differences(
        changed=tuple(sorted(name for name in recorded.keys() & found.keys() if recorded[name] != found[name])),
        missing=tuple(sorted(recorded.keys() - found.keys())),
        extra=tuple(sorted(found.keys() - recorded.keys())),
    )


def verify(root: Path) -> None:
    """Check every file of the package at ``root``.

    Raises:
        PackageError: a file was changed, removed or added since the package was made; the sentence names it.
    """
    found = differences(root)
    if found:
        raise PackageError(
            f"The model package {root.name} is not as it was made ({found.sentence()}). "
            f"It is not used; get it again from where it came."
        )


def fingerprint(checksums: Mapping[str, str]) -> str:
    """One SHA-256 for a whole package: of the lines ``<sha256>  <path>``, sorted by path (``sha256sum``'s format)."""
    lines = "".join(f"{checksums[name]}  {name}\n" for name in sorted(checksums))
    return hashlib.sha256(lines.encode()).hexdigest()
