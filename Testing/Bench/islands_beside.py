"""Uncertain islands of a model of one structure: how often they are how large, on good runs and on poor ones.

    python Testing/Bench/islands_beside.py WORK/heart-lv-cine-tuning.json

Reads the runs that ``quality_others.py MODEL --work WORK`` keeps: stacks of the tuning patients, intact and damaged.
Prints, for each share of the structure's volume, how many runs have islands that are together larger.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
POOR = 0.75
"""Dice below which a result is poor, as for verdicts."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    cases = json.loads(parser.parse_args().runs.read_text(encoding="utf-8"))
    runs = [run for case in cases for run in case["runs"] if run["measures"]["structures"]]
    sizes = [max(one["islands"] for one in run["measures"]["structures"].values()) for run in runs]
    kinds = {
        "intact": [run["kind"] == "intact" for run in runs],
        f"Dice {POOR} or more": [run["scores"]["dice"]["whole"] >= POOR for run in runs],
        f"Dice below {POOR}": [run["scores"]["dice"]["whole"] < POOR for run in runs],
    }
    for share in SHARES:
        told = [
            f"{sum(size > share for size, one in zip(sizes, chosen, strict=True) if one)} of {sum(chosen)} {name}"
            for name, chosen in kinds.items()
        ]
        print(f"islands above {share:g} of the structure: {', '.join(told)}")


if __name__ == "__main__":
    main()
