"""What is opened: a scene, a folder of results, or a scan."""

from __future__ import annotations

from pathlib import Path

from ..core.errors import InputError
from ..mrml.archive import require_contained
from .folders import RESULT, SCENE

_HEAD = 1 << 16


def scene_of(path: Path) -> Path | None:
    """The scene file that a path stands for; None for a scan.

    Raises:
        InputError: a folder of results that was written without a scene.
    """
    if path.is_dir():
        if (path / RESULT).is_file():
            return path / RESULT
        if (path / "report.json").is_file():
            raise InputError(
                f"The results in {path.name} were written without {RESULT}. Run again without --no-scene and with "
                "slicer-core installed, or open the scan itself."
            )
        return None
    return path if path.name.lower().endswith(SCENE) else None


def require_own_data(path: Path) -> None:
    """Raise ``InputError`` for a file that tells its reader to fetch voxels from other files, wherever those lie."""
    if scene_of(path) is not None:
        require_contained(path if path.is_file() else path / RESULT)
        return
    if path.is_dir() or not path.name.lower().endswith((".nrrd", ".nhdr", ".mha", ".mhd")):
        return
    with path.open("rb") as file:
        head = file.read(_HEAD).split(b"\n\n")[0].lower()
    for line in head.splitlines():
        name, _, value = line.partition(b"=" if line.startswith(b"elementdatafile") else b":")
        if name.strip() in (b"data file", b"datafile", b"elementdatafile") and value.strip() != b"local":
            raise InputError(
                f"The file {path.name} holds no voxels of its own but names other files. Save the scan as one file "
                "(.nrrd, .nii.gz or .mha) and open that."
            )
