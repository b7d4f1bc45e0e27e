"""A model of the hippocampus on heads of other sources: volumes of both sides, and what poorer copies of a head change.

    python Testing/Bench/whole_heads.py HEADS --output DIR [--model NAME ...] [--crops DIR]

HEADS is a folder of T1 scans of whole heads, none of which has labels. Each is searched and segmented as ``sure
segment`` does it; its copies are segmented in the boxes of the scan as it is, and compared by the Dice of the whole
hippocampus. A pair of volumes is plausible between 2 and 5 ml a side with less than 20 % between the sides. ``--crops``
is the folder ``hippocampus_region_crops`` of ``ood_io/ms_brain_mri``: its six T1 crops are segmented as they are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from locator_cases import scans_in
from numpy.typing import NDArray
from scipy import ndimage
from SUREUncertaintyLib.core.errors import SureError
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.corruptions.registry import corrupt_volume, make_recipe
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine import Engine
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.location.locate import locate
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package

PLAUSIBLE_ML, ASYMMETRY = (2.0, 5.0), 0.2
COPIES = (("gamma", 0.6), ("bias_field", 0.6), ("rician", 0.3), ("ghosting", 0.3), ("thick_slices", 0.5), ("blur", 0.4))


def copies(scan: Volume, name: str) -> Iterator[tuple[str, Volume]]:
    """Poorer copies of a scan, the same for every model."""
    for kind, strength in COPIES:
        recipe = make_recipe(kind, strength, 20261130, name, scan.grid.spacing_kji)
        if recipe.space == "scan":
            yield kind, corrupt_volume(scan, recipe)


def side_mask(result: SegmentationResult, side: str) -> NDArray[np.bool_]:
    """Where either part of one side lies."""
    values = [label.value for label in result.label_set if label.name.startswith(side)]
    return np.isin(result.labels.array, values)


def side_row(result: SegmentationResult, side: str) -> dict[str, Any]:
    """Volumes and pieces of one side."""
    rows = [row for row in result.structures if row.name.startswith(side)]
    mask = side_mask(result, side)
    pieces = ndimage.label(mask, np.ones((3, 3, 3)))[0]
    sizes = np.bincount(pieces.ravel())[1:] if mask.any() else np.zeros(1)
    return {
        "anterior_ml": rows[0].volume_ml,
        "posterior_ml": rows[1].volume_ml,
        "total_ml": rows[0].volume_ml + rows[1].volume_ml,
        "pieces": len(sizes),
        "largest_share": float(sizes.max() / max(1, sizes.sum())),
        "uncertainty": float(np.mean([row.mean_uncertainty for row in rows if row.voxels] or [np.nan])),
    }


def head_row(name: str, scan: Volume, package: Package, engine: Engine) -> dict[str, Any]:
    """One head and its copies; a head that is not found is a row with the sentence."""
    try:
        located = locate(scan, package)
    except SureError as error:
        return {"scan": name, "failed": str(error)}
    result = segment(scan, package, engine, located.rois, turn=located.turn)
    sides = [roi.name for roi in located.rois]
    row = {"scan": name, "status": result.verdict.status, "copies": {}}
    row |= {side: side_row(result, side) for side in sides}
    for kind, copy in copies(scan, name):
        other = segment(copy, package, engine, located.rois, turn=located.turn)
        row["copies"][kind] = [dice(side_mask(result, side), side_mask(other, side)) for side in sides]
    row["plausible"] = plausible(row["Left"]["total_ml"], row["Right"]["total_ml"])
    return row


def dice(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> float:
    total = int(one.sum() + two.sum())
    return float(2 * (one & two).sum() / total) if total else 1.0


def plausible(left: float, right: float) -> bool:
    low, high = PLAUSIBLE_ML
    return low <= min(left, right) and max(left, right) <= high and abs(left - right) < ASYMMETRY * (left + right) / 2


def crop_row(path: Path, package: Package, engine: Engine) -> dict[str, Any]:
    scan = read_volume(path)
    grid = scan.grid
    corners = np.array(
        [(grid.ijk_to_ras @ [*index, 1.0])[:3] for index in ((0, 0, 0), tuple(n - 1 for n in grid.shape[::-1]))]
    )
    low, high = corners.min(axis=0), corners.max(axis=0)
    side = "Left" if path.name.split(".")[0].endswith("left") else "Right"
    box = Roi(side, tuple(low.tolist()), tuple(high.tolist()))  # type: ignore[arg-type]
    result = segment(scan, package, engine, (box,))
    return {"scan": path.name.split(".")[0], "status": result.verdict.status} | side_row(result, side)


def head_line(row: dict[str, Any]) -> str:
    """One head of one model for the table: volumes (anterior part), verdict, Dice of its copies in their order."""
    if "failed" in row:
        return "not found | | "
    both = [row[side] for side in ("Left", "Right")]
    volumes = ", ".join(f"{side['total_ml']:.2f} ({side['anterior_ml']:.2f})" for side in both)
    changed = " ".join(f"{np.mean(values):.2f}" for values in row["copies"].values())
    return f"{volumes}{'' if row['plausible'] else ' !'} | {row['status'].replace('_', ' ')} | {changed}"


def as_table(documents: Sequence[dict[str, Any]]) -> str:
    """The heads of one or more models side by side."""
    kinds = " ".join(kind.replace("_", " ") + "," for kind, _ in COPIES).rstrip(",")
    heads = [f"{document['version']}: ml | verdict | Dice of copies" for document in documents]
    lines = [f"| scan | {' | '.join(heads)} |", "|---" * (1 + 3 * len(documents)) + "|"]
    for rows in zip(*(document["heads"] for document in documents), strict=True):
        lines.append(f"| {rows[0]['scan']} | {' | '.join(head_line(row) for row in rows)} |")
    summary = "\n".join(f"{document['version']}: {summary_of(document)}" for document in documents)
    return "\n".join(lines) + f"\n\nCopies: {kinds}. ! marks volumes that are not plausible.\n\n{summary}\n"


def summary_of(document: dict[str, Any]) -> str:
    """How many heads and crops are plausible, and how the copies agree on average."""
    found = [row for row in document["heads"] if "failed" not in row]
    fine = sum(row["plausible"] for row in found)
    changed = np.array([[np.mean(values) for values in row["copies"].values()] for row in found])
    volumes = ", ".join(f"{row['total_ml']:.2f}" for row in document["crops"])
    means = zip(COPIES, changed.mean(axis=0), strict=True)
    kinds = ", ".join(f"{kind.replace('_', ' ')} {value:.2f}" for (kind, _), value in means)
    crops = f" The six T1 crops hold {volumes} ml." if volumes else ""
    count = f"{fine} of {len(document['heads'])} heads plausible"
    return f"{count}; mean Dice of copies {changed.mean():.2f} ({kinds}).{crops}"


def measure(model: str, heads: Path, crops: Path | None) -> dict[str, Any]:
    """Everything of one model."""
    package = find_package(model)
    engine = create_engine(package, "openvino", threads=1)
    rows = []
    for name, path in scans_in(heads).items():
        rows.append(head_row(name, read_volume(path), package, engine))
        print(name, head_line(rows[-1]), flush=True)
    found = [crop_row(path, package, engine) for path in sorted(crops.glob("*_T1_*"))] if crops else []
    return {"model": package.name, "version": package.metadata.version, "heads": rows, "crops": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heads", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--model", action="append", help="repeatable; hippocampus-t1 if left out")
    parser.add_argument("--crops", type=Path)
    arguments = parser.parse_args()
    models = arguments.model or ["hippocampus-t1"]
    documents = [measure(model, arguments.heads, arguments.crops) for model in models]
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "heads.json").write_text(json.dumps(documents, indent=2) + "\n", encoding="utf-8")
    (arguments.output / "heads.md").write_text(as_table(documents), encoding="utf-8")
    print(as_table(documents))


if __name__ == "__main__":
    main()
