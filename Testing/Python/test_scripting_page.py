"""The examples in docs/scripting.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from phantoms import asymmetric_volume
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.files.writing import write_volume

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scripting.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


@pytest.mark.usefixtures("opened")
def test_the_examples_for_slicer_s_console(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    names: dict[str, object] = {}
    exec(EXAMPLES[0], names)
    assert "Anterior hippocampus" in capsys.readouterr().out
    exec(EXAMPLES[1], names)
    assert (tmp_path / "exported" / "segmentation.nii.gz").is_file()
    assert (tmp_path / "exported" / "structures.csv").is_file()


def test_the_examples_without_slicer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = asymmetric_volume(Grid((50, 60, 50), (1.0, 1.0, 1.0), (0.0, -10.0, -40.0)))
    write_volume(scan, tmp_path / "scan.nii.gz")
    monkeypatch.chdir(tmp_path)
    exec(EXAMPLES[2], {})
    assert "Left Anterior hippocampus" in capsys.readouterr().out
    assert (tmp_path / "uncertainty.nrrd").is_file()
    exec(EXAMPLES[3], {})
    assert capsys.readouterr().out.startswith("0.75\n")


def test_every_example_is_run() -> None:
    assert len(EXAMPLES) == 4


def test_the_page_says_what_evaluate_writes() -> None:
    """``test_cli_evaluate`` holds the command to these two files."""
    (sentence,) = re.findall(r"`sure evaluate`[^.]*(?:\.\w+[^.]*)*\.", PAGE.read_text(encoding="utf-8"))
    assert set(re.findall(r"`([\w.]+)`", sentence)) == {"cases.csv", "summary.json", "evaluation.html"}
    assert "no segmentation" in sentence
