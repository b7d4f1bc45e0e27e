"""The table of docs/foreign.md about MONAI's model zoo, made from ``Testing/Bench/results/zoo.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BEGIN, END = "<!-- zoo table -->\n", "<!-- end of zoo table -->"
NEEDED = {
    "spleen_ct_segmentation": "the plain case",
    "swin_unetr_btcv_segmentation": "an argument of older versions dropped (`img_size`)",
    "pediatric_abdominal_ct_segmentation": "YAML, `len(...)`, `CropForegroundd`, a checkpoint by another name",
    "prostate_mri_anatomy": "two steps of intensities, largest parts, a label map that goes back by interpolation",
    "wholeBody_ct_segmentation": "`x if y else z`, two steps of intensities, padding by the edge, nearest labels",
    "ventricular_short_axis_3label": "slices along the third axis, axes as stored",
    "segmentation_template": "YAML, whole images, axes as stored",
    "multi_organ_segmentation": "YAML, DiNTS with the codes of its search",
    "pancreas_ct_dints_segmentation": "YAML, DiNTS with the codes of its search",
    "renalStructures_UNEST_segmentation": "a graph in the place of its own network",
    "wholeBrainSeg_Large_UNEST_segmentation": "a graph in the place of its own network, axes as stored",
    "brats_mri_segmentation": "four channels, sigmoid regions painted over one another",
}
"""What each of them needs beyond the plain case."""

WHY = {
    "renalStructures_CECT_segmentation": "three phases joined, and classes merged, by its own Python",
    "spleen_deepedit_annotation": "wants a person's clicks",
    "vista3d": "wants a person's clicks or a list of classes",
    "vista2d": "colour microscopy, its own Python",
    "endoscopic_tool_segmentation": "colour video frames",
    "pathology_nuclei_segmentation_classification": "colour slides, several kinds of output",
    "pathology_nuclick_annotation": "colour slides, wants a person's clicks",
}
"""What keeps the others out, for people; the recorded sentence is what the import says first."""


def zoo_table(document: Mapping[str, Any]) -> str:
    """One line a bundle."""
    lines = ["| Bundle | Comes in | By what, or why not |", "| --- | --- | --- |"]
    for row in document["rows"]:
        name = row["bundle"]
        came = {"its class": "yes", "a graph": "with `models/model.onnx`", "": "no"}[row["by"]]
        lines.append(f"| `{name}` | {came} | {NEEDED[name] if row['by'] else WHY[name]} |")
    count = sum(bool(row["by"]) for row in document["rows"])
    whole = sum("seconds" in row for row in document["rows"])
    lines += [
        "",
        f"{count} of {len(document['rows'])}. Made by `Testing/Bench/zoo_bundles.py` from the zoo at commit "
        f"{document['zoo'][:7]}: the whole import with its self-test ran for {whole} of them, the others were read, "
        "checked and their networks built.",
    ]
    return "\n".join(lines) + "\n"


def with_zoo(page: str, document: Mapping[str, Any]) -> str:
    """The page with the table between its two marks."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{zoo_table(document)}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    import json
    from pathlib import Path

    recorded = json.loads((Path(__file__).parent / "results" / "zoo.json").read_text(encoding="utf-8"))
    path = Path(__file__).resolve().parents[2] / "docs" / "foreign.md"
    path.write_text(with_zoo(path.read_text(encoding="utf-8"), recorded), encoding="utf-8")
