"""What the report says about members, on a result with three of them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from SUREUncertaintyLib.analysis.agreement import Members, PairCounts
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.report.result_folder import OutputOptions, write_results
from two_blobs import LABELS, two_blobs


@pytest.fixture
def folder(tmp_path: Path, tiny_package: Package) -> Path:
    result = two_blobs()
    labels = result.labels.array
    shifted = np.roll(labels, 1, axis=2)
    counts = PairCounts(3, [label.value for label in LABELS])
    counts.add_labels([labels, labels, shifted])
    rows = counts.structures([label.name for label in LABELS], result.image.grid.voxel_volume_mm3)
    maps = {"mutual_information": result.uncertainty}
    members = Members(("first", "second", "<third>"), "fold", rows, maps)
    write_results(replace(result, members=members), tmp_path, tiny_package, OutputOptions(pictures=False))
    return tmp_path


def test_the_tables_and_report_hold_every_pair(folder: Path) -> None:
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    found = document["members"]
    assert (found["noun"], found["names"]) == ("fold", ["first", "second", "<third>"])
    left, _, absent = found["structures"]
    assert left["dice"][0] == [0, 1, 1.0]
    assert 0 < left["dice"][1][2] < 1
    assert left["volumes_ml"][0] == pytest.approx(document["structures"][0]["volume_ml"], abs=1e-4)
    assert absent["mean_dice"] is None
    with (folder / "agreement.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 9
    assert (rows[0]["first"], rows[0]["second"], rows[0]["dice"]) == ("first", "second", "1.0")
    assert {"agreement.csv", "member-volumes.csv", "maps/mutual_information.nrrd"} <= set(document["files"])
    assert read_volume(folder / "maps" / "mutual_information.nrrd").array.max() > 0


def test_the_page_names_the_members_and_their_pairs(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    part = page[page.index("Agreement of the members") :]
    assert "3 folds: 1 = first, 2 = second, 3 = &lt;third&gt;." in part
    for heading in ("1 and 2", "1 and 3", "2 and 3", "Mean Dice", "Lowest"):
        assert heading in part


def test_a_result_without_members_has_no_such_section(tmp_path: Path, tiny_package: Package) -> None:
    document = write_results(two_blobs(), tmp_path, tiny_package, OutputOptions(pictures=False))
    assert "members" not in document
    assert "Agreement" not in (tmp_path / "report.html").read_text(encoding="utf-8")
