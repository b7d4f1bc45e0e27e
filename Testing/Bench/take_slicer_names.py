"""Takes a listing of the public names of a desktop 3D Slicer into the tests' data.

    python Testing/Bench/take_slicer_names.py FOLDER/slicer-5.13.json

The listing is made inside a desktop Slicer by asking Python what it sees there: the members of the Qt, ctk and qMRML
widget classes, the functions of ``slicer.util`` and its neighbours with their signatures, ``slicer.app``, the MRML
classes, the modules and the Segment Editor effects. It names its Slicer and its Qt. Here it is only written anew, with
one line for each class or function, so that a later version's changes can be read line by line.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "Data"
NEEDED = ("slicer", "qt", "QWidget+QObject", "widgets", "slicer.util", "slicer.packaging", "slicer.app", "vtk")


def lines_of(value: Any) -> str:
    """A mapping with one line for each key, anything else on one line."""
    if not isinstance(value, dict):
        return json.dumps(value)
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(part)}" for key, part in value.items()) + "\n}"


def text_of(names: dict[str, Any]) -> str:
    """The whole listing as JSON."""
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {lines_of(value)}" for key, value in names.items()) + "\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("listing", type=Path, help="JSON file made in a desktop Slicer")
    names = json.loads(parser.parse_args().listing.read_text(encoding="utf-8"))
    if missing := [key for key in NEEDED if key not in names]:
        raise SystemExit(f"This is no listing of Slicer's names: it lacks {', '.join(missing)}.")
    version = re.match(r"\d+\.\d+", names["slicer"])
    if version is None:
        raise SystemExit(f"The listing names no version of Slicer: {names['slicer']!r}.")
    destination = DATA / f"slicer-{version.group()}.json"
    destination.write_text(text_of(names), encoding="utf-8")
    print(f"{destination.name}: Slicer {names['slicer']}, Qt {names['qt']}, {len(names['widgets'])} widget classes")


if __name__ == "__main__":
    main()
