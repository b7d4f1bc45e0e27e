"""The examples in docs/analyse.md run as they stand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from member_files import GRID, organ, soft, write_mask, write_npz
from phantoms import asymmetric_volume
from SUREUncertaintyLib.cli.app import run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "analyse.md"


def commands() -> list[list[str]]:
    """The lines of the first example that start with ``sure``, continued lines joined."""
    example = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)[0]
    lines = example.replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("sure ")]


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    write_mask(tmp_path / "scan.nii.gz", asymmetric_volume(GRID).array)
    for n in (1, 2, 3):
        write_mask(tmp_path / f"reader{n}.nii.gz", organ(n - 2))
    for n in (0, 1):
        write_npz(tmp_path / f"fold_{n}" / "case.npz", soft(organ(n)), organ(n))
    names = {"labels": {"background": 0, "Liver": 1, "Tumour": 2}}
    (tmp_path / "fold_0" / "dataset.json").write_text(json.dumps(names), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for arguments in commands():
        lean = ("--no-scene", "--no-pictures") if arguments[0] == "analyse" else ()
        assert run([*arguments, *lean]) == 0, capsys.readouterr().err
    assert len(commands()) == 4
    for folder, structures in (("by-readers", "Liver"), ("by-folds", "Liver"), ("by-one", "Label 1")):
        assert json.loads(Path(folder, "report.json").read_text(encoding="utf-8"))["labels"][0]["name"] == structures
    assert Path("exported", "uncertainty-mutual_information.nii.gz").is_file()


def test_the_page_names_the_files_and_numbers_that_there_are() -> None:
    from SUREUncertaintyLib.analysis.agreement import ENOUGH_FOR_QUANTILES
    from SUREUncertaintyLib.fusion.fuse import SURE, threshold_of
    from SUREUncertaintyLib.fusion.saved_label_map import OTHER

    text = PAGE.read_text(encoding="utf-8")
    assert f"from {ENOUGH_FOR_QUANTILES} files" in text
    assert f"P > {SURE} to P > {round(1 - SURE, 2)}" in text
    assert OTHER == 0.5
    assert threshold_of(2, regions=False) == 0.5
