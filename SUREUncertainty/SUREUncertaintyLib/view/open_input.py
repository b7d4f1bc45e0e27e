"""What is opened: a scene, a folder of results, or a scan."""

from __future__ import annotations

from pathlib import Path

from ..core.errors import InputError
from ..files.metaimage_header import is_metaimage, read_metaimage_header
from ..files.nrrd_header import is_nrrd, read_nrrd_header
from ..mrml.archive import require_contained
from .folders import RESULT, SCENE


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
    if path.is_file() and not _holds_its_voxels(path):
        raise InputError(
            f"The file {path.name} holds no voxels of its own but names other files. Save the scan as one file "
            "(.nrrd, .nii.gz or .mha) and open that."
        )


def _holds_its_voxels(path: Path) -> bool:
    """Read as the reader itself does: blank lines end the header of an NRRD file but not that of a MetaImage."""
    if is_nrrd(path):
        fields = read_nrrd_header(path).fields
        return "data file" not in fields and "datafile" not in fields
    return not is_metaimage(path) or read_metaimage_header(path).fields.get("elementdatafile", "").upper() == "LOCAL"
