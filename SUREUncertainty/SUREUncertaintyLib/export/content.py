"""What can be exported of a result, from the folder that a run wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.labels import Label
from ..core.nifti_forms import NiftiForms, forms_from_json
from ..core.volume import Volume
from ..files.reading import read_volume
from ..files.segment_reading import read_segmentation
from ..report.run_record import FILE


@dataclass(frozen=True, eq=False)
class ExportContent:
    """A result as it lies in its folder.

    Attributes:
        folder: where the run wrote it.
        labels: uint8 label map; values are those of ``label_set``.
        maps: uncertainty in 0..1 by kind (NaN where nothing was analysed), the primary kind first; on the grid of
            ``labels``.
        document: the content of ``report.json``.
        is_edited: whether a person changed ``labels`` after the run.
    """

    folder: Path
    labels: Volume
    label_set: tuple[Label, ...]
    maps: Mapping[str, Volume]
    document: Mapping[str, Any]
    is_edited: bool = False

    @property
    def model(self) -> tuple[str, str, str]:
        """Name, version and fingerprint of the model."""
        model = self.document.get("model", {})
        name, version, fingerprint = (str(model.get(key, "unknown")) for key in ("name", "version", "fingerprint"))
        return name, version, fingerprint

    @property
    def is_consensus(self) -> bool:
        """Whether no network drew the segmentation, but the votes of given outlines."""
        return self.document.get("made_from", {}).get("kind") == "masks"

    @property
    def is_automatic(self) -> bool:
        """Whether a network alone drew the segmentation."""
        return not (self.is_consensus or self.is_edited)

    @property
    def forms(self) -> NiftiForms | None:
        """Both places of the scan, if it was a NIfTI file."""
        return forms_from_json(self.document["nifti_forms"]) if "nifti_forms" in self.document else None


def read_content(folder: Path) -> ExportContent:
    """Read a folder that ``sure segment`` wrote.

    Raises:
        InputError: it is no such folder, or a file of it is missing or damaged.
    """
    if not (folder / FILE).is_file():
        raise InputError(
            f"The folder {folder} holds no result: there is no {FILE} in it. Choose a folder that 'sure segment' wrote."
        )
    try:
        document = json.loads((folder / FILE).read_text(encoding="utf-8"))
        kind = str(document["uncertainty"]["kind"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"The file {folder / FILE} is damaged. Run the segmentation again.") from None
    labels, label_set = read_segmentation(folder / "segmentation.seg.nrrd")
    return ExportContent(folder, labels, label_set, _read_maps(folder, kind), document)


def _read_maps(folder: Path, primary: str) -> dict[str, Volume]:
    files = {primary: folder / "uncertainty.nrrd"}
    if primary != "entropy":
        files["entropy"] = folder / "entropy.nrrd"
    files |= {path.stem: path for path in sorted((folder / "maps").glob("*.nrrd"))}
    return {kind: read_volume(path) for kind, path in files.items()}
