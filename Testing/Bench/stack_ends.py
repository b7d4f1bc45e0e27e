"""How far the cavity tapers at the apical end of a stack: whole outlines, and the same with slices taken away there.

Outlines of people, Sunnybrook training patients, both phases; no network. Prints one line a stack.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from SUREUncertaintyLib.analysis.stack_ends import TAPERED, lacks_apex

FEWEST = 5
"""Slices that a stack must have to lose three."""
TAKEN = (0, 1, 2, 3)


def stacks(path: Path) -> list[np.ndarray]:
    """Voxels of the cavity, slice by slice from the apex, of each patient and phase of the training part."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["split"] == "train":
                found[row["case"], row["phase"]].append((int(row["image_number"]), int(row["lv_pixels"])))
    ordered = [np.array([count for _, count in sorted(rows)]) for rows in found.values() if len(rows) >= FEWEST]
    return [counts if counts[0] < counts[-1] else counts[::-1] for counts in ordered]


def main() -> None:
    """Print how many stacks are called cut, with 0 to 3 slices missing at the apex."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    whole = stacks(parser.parse_args().data / "sunnybrook_lv" / "sunnybrook_slices_lv.csv")
    print(f"{len(whole)} stacks, limit {TAPERED}")
    for taken in TAKEN:
        shares = [counts[taken] / counts[taken:].max() for counts in whole]
        called = sum(lacks_apex(counts[taken:]) for counts in whole)
        low, middle, high = np.quantile(shares, [0.05, 0.5, 0.95])
        print(f"{taken} missing: last slice {middle:.2f} ({low:.2f} to {high:.2f}) of the largest, {called} called cut")


if __name__ == "__main__":
    main()
