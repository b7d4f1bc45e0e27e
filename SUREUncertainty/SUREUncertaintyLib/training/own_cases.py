"""A person's own scans with labels: found in a folder, whichever of the usual ways it is laid out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from ..core.safe_names import table_row
from ..evaluation.cases import SUFFIXES, read_cases

TABLES = ("cases.csv", "CASES.csv")
IMAGE_FOLDERS = ("images", "imagesTr", "image", "scans")
LABEL_FOLDERS = ("labels", "labelsTr", "label", "segmentations", "masks")
LABEL_ENDINGS = ("_seg", "-seg", "_label", "-label", "_labels", "-labels", "_mask", "-mask", ".seg")
CHANNEL = "_0000"
"""nnU-Net's ending of the first channel of an image; its labels do not carry it."""

SIDE = re.compile(r"(^|[^a-z])(left|right|lh|rh|l|r)([^a-z]|$)", re.IGNORECASE)
"""A word in a name that says the side."""

EXPECTED = (
    "Expected is a table cases.csv (image,label,id,group), or folders 'images' and 'labels' with files of the same "
    "names, or pairs such as scan1.nii.gz and scan1_seg.nii.gz."
)


@dataclass(frozen=True)
class Pair:
    """A scan and its label map; ``group`` is the patient."""

    id: str
    group: str
    image: Path
    label: Path


def find_pairs(folder: Path) -> tuple[Pair, ...]:
    """Scans with labels in a folder, by name.

    Raises:
        InputError: there is no folder, or no pair in it; the sentence says what is expected.
    """
    if not folder.is_dir():
        raise InputError(f"The folder {folder} does not exist. Choose the folder of your scans and labels.")
    table = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    pairs = _of_table(table) if table else _of_folders(folder) or _beside(folder)
    if not pairs:
        raise InputError(f"No scan with a label was found in {folder}. {EXPECTED}")
    return pairs


def table_text(pairs: Iterable[Pair]) -> str:
    """A case table of the pairs with absolute paths; every row is of the training split."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "label", "id", "group", "split"])
    for pair in pairs:
        writer.writerow(table_row([pair.image.absolute(), pair.label.absolute(), pair.id, pair.group, "train"]))
    return text.getvalue()


def package_name(text: str) -> str:
    """A package's name from what a person typed. Raises ``InputError`` when nothing is left of it."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name:
        raise InputError("The model needs a name of letters or digits, for instance 'my-liver'.")
    return name


def tuning_groups(pairs: Iterable[Pair], share: int = 5) -> tuple[str, ...]:
    """Every fifth patient, set aside for the threshold and the volume range; none of fewer than five."""
    groups = sorted({pair.group for pair in pairs})
    return tuple(groups[share - 1 :: share])


def sides_of_one(pairs: Iterable[Pair]) -> tuple[tuple[str, str], ...]:
    """Pairs of cases whose names differ only in left and right, but that count as two patients."""
    by_name: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_name.setdefault(SIDE.sub(r"\1\3", pair.id), []).append(pair)
    found = [members for members in by_name.values() if len(members) == 2 and SIDE.search(members[0].id)]
    return tuple((one.id, other.id) for one, other in found if one.group != other.group)


def sides_sentence(found: Sequence[tuple[str, str]]) -> str:
    """What to do about left and right of one subject; empty where there is nothing to do."""
    if not found:
        return ""
    shown = "; ".join(f"{one} and {other}" for one, other in found[:3]) + (" and others" if len(found) > 3 else "")
    return (
        f"These look like left and right of one subject: {shown}. One side in training and the other one set aside "
        "make a model look better than it is: give both the same group in a table cases.csv."
    )


def _of_table(table: Path) -> tuple[Pair, ...]:
    cases = read_cases(table)
    missing = next((case.id for case in cases if case.label is None), None)
    if missing is not None:
        raise InputError(f"The case '{missing}' in {table} has no label. Training needs a label for every scan.")
    boxed = next((case.id for case in cases if case.roi), None)
    if boxed is not None:
        raise InputError(
            f"The case '{boxed}' in {table} names a region, but training reads whole scans. Cut the scans and labels "
            "to their regions, or leave out the column roi."
        )
    return tuple(Pair(case.id, case.group, case.image, case.label) for case in cases if case.label is not None)


def _of_folders(folder: Path) -> tuple[Pair, ...]:
    images = next((folder / name for name in IMAGE_FOLDERS if (folder / name).is_dir()), None)
    labels = next((folder / name for name in LABEL_FOLDERS if (folder / name).is_dir()), None)
    if images is None or labels is None:
        return ()
    known = {plain_stem(stem): path for stem, path in image_files(labels)}
    found = [(stem.removesuffix(CHANNEL), path) for stem, path in image_files(images)]
    return tuple(Pair(stem, stem, path, known[stem]) for stem, path in found if stem in known)


def _beside(folder: Path) -> tuple[Pair, ...]:
    files = dict(image_files(folder))
    labels = {plain_stem(stem): path for stem, path in files.items() if plain_stem(stem) != stem}
    return tuple(Pair(stem, stem, path, labels[stem]) for stem, path in files.items() if stem in labels)


def image_files(folder: Path) -> list[tuple[str, Path]]:
    """Image files by name without suffix, sorted."""
    found = []
    for path in sorted(folder.iterdir()):
        suffix = next((s for s in SUFFIXES if path.name.lower().endswith(s)), "")
        if suffix and path.is_file() and not path.name.startswith("."):
            stem = path.name[: -len(suffix)]
            found.append((f"{stem}.seg" if suffix == ".seg.nrrd" else stem, path))
    return found


def plain_stem(stem: str) -> str:
    """A label's name without what makes it a label."""
    ending = next((ending for ending in LABEL_ENDINGS if stem.lower().endswith(ending)), "")
    return stem[: len(stem) - len(ending)]
