"""Gives a package its locator: a small template, boxes in it, and a judgement from ``locator_rates.py``.

    python Testing/Bench/locator_template.py PACKAGE [--judgement JUDGEMENT.json] [--record RECORDED.json]

The template is the ICBM 152 average of 2009 (nonlinear, symmetric, version 09a; Fonov et al., NeuroImage 54(1):313,
2011) as the nilearn package carries it, skull-stripped, at 3 mm in 8 bits. Nothing of nilearn is needed afterwards.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from SUREUncertaintyLib.core.resampling import model_grid, resample
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.demo_input import ROIS, demo_scan
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.packages.package import load_package, read_metadata
from SUREUncertaintyLib.packages.package_building import write_documents
from SUREUncertaintyLib.packages.staging import copy_files, staged_folder

TEMPLATE = "locator/template.nii.gz"
LICENCE = "locator/LICENSE"
SIDE_MM = 3.0
SCAN = "a T1 scan of a whole head"
UNDECIDED: dict[str, Any] = {
    "bias": 0.0,
    "terms": [{"measure": "local", "mean": 0.5, "scale": 0.1, "weight": 1.0}],
    "accept": 0.5,
}

LICENCE_TEXT = """\
template.nii.gz is the ICBM 152 nonlinear symmetric average brain (2009, version 09a) at 3 mm.

Copyright (C) 1993-2004 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological Institute, McGill
University. Permission to use, copy, modify, and distribute this software and its documentation for any purpose and
without fee is hereby granted, provided that the above copyright notice appear in all copies. The authors and McGill
University make no representations about the suitability of this software for any purpose. It is provided "as is"
without express or implied warranty. The authors are not responsible for any data loss, equipment damage, property
loss, or injury to subjects or patients resulting from the use or misuse of this software package.

V.S. Fonov, A.C. Evans, K. Botteron, C.R. Almli, R.C. McKinstry, D.L. Collins and BDCG: Unbiased average
age-appropriate atlases for pediatric studies, NeuroImage 54(1):313-327, 2011, doi:10.1016/j.neuroimage.2010.07.033.
"""


def small_template() -> Volume:
    """The average at ``SIDE_MM``, uint8, background 0."""
    scan = demo_scan()
    small = resample(scan, model_grid(scan.grid, "RAS", (SIDE_MM,) * 3))
    array = np.asarray(small.array, np.float32)
    scaled = np.round(255 * np.clip(array / np.percentile(array, 99.9), 0.0, 1.0))
    return small.with_array(scaled.astype(np.uint8), "ICBM 152 2009a symmetric T1, 3 mm")


def locator_document(judgement: dict[str, Any]) -> dict[str, Any]:
    """The field ``locator`` of the package's metadata."""
    boxes = [{"name": roi.name, "low_ras_mm": list(roi.low), "high_ras_mm": list(roi.high)} for roi in ROIS]
    return {"template": TEMPLATE, "scan": SCAN, "boxes": boxes, "judgement": judgement}


def add_locator(root: Path, judgement: dict[str, Any]) -> str:
    """Put template, licence and metadata into a package; card and checksums follow. Gives the new fingerprint."""
    load_package(root)
    with staged_folder(root, overwrite=True) as folder:
        copy_files(root, folder)
        (folder / TEMPLATE).parent.mkdir(exist_ok=True)
        write_volume(small_template(), folder / TEMPLATE)
        (folder / LICENCE).write_text(LICENCE_TEXT, encoding="utf-8", newline="\n")
        write_documents(folder, {**read_metadata(folder), "locator": locator_document(judgement)})
    return load_package(root).fingerprint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path)
    parser.add_argument(
        "--judgement", type=Path, help="judgement.json of locator_rates.py; the package's own if left out"
    )
    parser.add_argument("--record", type=Path, help="recorded accuracy of these weights, which then names the package")
    arguments = parser.parse_args()
    earlier = read_metadata(arguments.package).get("locator", {}).get("judgement", UNDECIDED)
    chosen = json.loads(arguments.judgement.read_text(encoding="utf-8")) if arguments.judgement else earlier
    fingerprint = add_locator(arguments.package, chosen)
    if arguments.record:
        recorded = json.loads(arguments.record.read_text(encoding="utf-8")) | {"fingerprint_of_card": fingerprint}
        arguments.record.write_text(json.dumps(recorded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
