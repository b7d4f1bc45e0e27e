"""All results of what is shown, in one archive: as ``sure segment`` writes them, with the scene as it is now."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..core.segment_header import write_segmentation
from ..core.writing import write_volume
from ..inference.result import SegmentationResult
from ..mrml.archive import write_mrb
from ..mrml.nodes import PublishedNodes
from ..mrml.remeasure import current_labels
from ..mrml.tables import table_text
from ..mrml.volume import volume_from_node

SCENE = "scene.mrb"
Written = Callable[[], None]


def write_scene_parts(scene: Any, published: PublishedNodes, folder: Path) -> None:
    """What the scene holds: itself, the structures as a person may have edited them, maps and tables.

    For the thread that owns the scene.

    Raises:
        OutputError: the disk is full.
    """
    write_mrb(scene, folder / SCENE)
    doubt = volume_from_node(published.uncertainty)
    labels, label_set = current_labels(published.segmentation, doubt)
    write_segmentation(labels, label_set, folder / "segmentation.seg.nrrd")
    write_volume(doubt, folder / "uncertainty.nrrd")
    if published.entropy is not None:
        write_volume(volume_from_node(published.entropy), folder / "entropy.nrrd")
    for name, node in (("structures.csv", published.structures), ("regions.csv", published.regions)):
        if node is not None:
            (folder / name).write_text(table_text(node, ","), encoding="utf-8", newline="")
    if published.provenance is not None:
        (folder / "provenance.json").write_text(published.provenance.GetText(), encoding="utf-8")


def write_report(result: SegmentationResult, folder: Path) -> None:
    """The report of a run, with its pictures; takes seconds, for a thread of its own."""
    from ..packages.catalogue import find_package
    from ..report.folder import write_results

    package = find_package(str(result.provenance["model"]["name"]))
    write_results(result, folder, package)


def new_folder() -> tempfile.TemporaryDirectory[str]:
    """A private folder for the files of an archive."""
    return tempfile.TemporaryDirectory(prefix="sure-download-")


def pack(folders: list[Path], target: Path) -> None:
    """Put all files of some folders into one archive; of files of one name the last one counts."""
    files = {path.relative_to(root): path for root in folders for path in sorted(root.rglob("*")) if path.is_file()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in files.items():
            archive.write(path, name.as_posix())
