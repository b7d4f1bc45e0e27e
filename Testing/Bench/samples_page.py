"""docs/samples.md, made from the text beside this file and Testing/Bench/results/specks.json and growth.json."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

MODEL = "lung-nodule-ct"
HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
PAGE = HERE.parents[1] / "docs" / "samples.md"


def samples_page(specks: Mapping[str, Any], growth: Mapping[str, Any]) -> str:
    """The text with its tables filled in."""
    text = (HERE / "samples_page.md").read_text(encoding="utf-8")
    return text.replace("<!-- specks -->", specks_table(specks)).replace("<!-- growth -->", growth_table(growth))


def specks_table(found: Mapping[str, Any]) -> str:
    """What was measured, and a row a least size."""
    lines = [
        f"By `Testing/Bench/specks.py` on {found['slices']} tuning slices of `{MODEL}`, which were not trained on and "
        f"on which the size was chosen: {found['with_loose']:.0%} of the samples have a piece beside the mean answer.",
        "",
        "| Least voxels | Pieces beside the answer that go | GED^2 | Readers' areas inside the 90 % interval |",
        "|---|---|---|---|",
    ]
    for least, share in found["smaller"].items():
        lines.append(f"| {least} | {share:.0%} | {found['ged'][least]:.4f} | {found['held'][least]:.1%} |")
    return "\n".join(lines)


def growth_table(found: Mapping[str, Any]) -> str:
    """What was measured, and a row a true growth."""
    lines = [
        f"By `Testing/Bench/growth.py` on {found['nodules']} tuning nodules ({found['left_out']} more were not found "
        "on the first scan). The second scan is made up: the first, moved by half a pixel, with other noise, and "
        "enlarged in its planes. Real second scans differ in more than that, so that these numbers are optimistic; "
        "with all pairs they are what is left when nothing but the spread of outlines is known.",
        "",
        "| True growth | Pairs | Median growth told | Told to have grown by 25 % or more (probability 90 % or above) | "
        "Median probability of that | Told to have shrunk by 25 % or more | Range holds the true growth |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, name in (("factors", "samples of one number"), ("cautious", "all")):
        for factor, row in found[key].items():
            lines.append(
                f"| {float(factor) - 1:+.0%} | {name} | {row['median_share']:+.0%} | {row['told']:.0%} | "
                f"{row['median_probability']:.0%} | {row['told_shrunk']:.0%} | {row['held']:.0%} |"
            )
    return "\n".join(lines)


def record(measure: Callable[[Path], Mapping[str, Any]], description: str, name: str) -> None:
    """Measure on the data that the command line names, keep the result, and write the page."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=HERE.parents[2] / "shared" / "data")
    document = measure(parser.parse_args().data)
    (RESULTS / name).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    write_page()


def write_page() -> None:
    """Write the page from what was recorded; nothing while one of the two is missing."""
    names = ("specks.json", "growth.json")
    if all((RESULTS / name).is_file() for name in names):
        documents = [json.loads((RESULTS / name).read_text(encoding="utf-8")) for name in names]
        PAGE.write_text(samples_page(*documents), encoding="utf-8")


if __name__ == "__main__":
    write_page()
